/** Several runs on the same images as one comparison. */
import { UserError } from '../../core/errors.ts';
import { type Cell, type Check, parseRun, RUN_SCHEMA, type Run } from '../../core/run.ts';
import { isDefended } from '../../core/training.ts';
import { requireComparable } from './comparable.ts';
import { joinedProvenance } from './provenance.ts';
import { ARCHITECTURES, ATTACKS, CELLS, CERTIFICATES, DEFENDED, DEFENSES, DISTANCES, TRANSFER } from './rows.ts';
import { type Named, type Source, withOwnIds } from './source.ts';
import { tellApart } from './tell-apart.ts';
import { type Rows, union } from './union.ts';
import { lowestWorstCases } from './worst-cases.ts';

/**
 * The joined run. What stands in several of them stands in it once; networks of one name and other weights are told apart by
 * the run that they come from. Saved images stay with their runs.
 *
 * @param sources - at least two
 * @throws UserError if they did not measure the same images, or disagree on a number, which it names
 */
export function joinRuns(sources: readonly Source[], { id, command }: { id: string; command: string }): Run {
  requireDistinct(sources);
  requireComparable(sources);
  const named = withOwnIds(sources.map((source) => ({ ...source, id: source.run.id })));
  const [first, ...others] = tellApart(named);
  if (first === undefined || others.length === 0) throw new UserError('nothing to join: name two runs or more');
  const apart = [first, ...others] as const;
  const rows = <T>(of: Rows<T>): T[] => union(apart, of);
  const present = <K extends string, T>(name: K, list: readonly T[]) =>
    (list.length === 0 ? {} : { [name]: list }) as Partial<Record<K, T[]>>;
  const cells = inOrder(rows(CELLS));
  requireOneClean(apart);
  return parseRun(
    {
      schema: RUN_SCHEMA,
      ...{ id, command, config: commonConfig(apart) },
      provenance: joinedProvenance(apart),
      architectures: rows(ARCHITECTURES),
      attacks: rows(ATTACKS),
      classes: first.run.classes,
      cells,
      ...present('worstCases', lowestWorstCases(apart)),
      ...present('distances', rows(DISTANCES)),
      // What is told of a course depends on the radii that its run had: that of the first one stands.
      ...present(
        'traces',
        once(apart, ({ traces = [] }) => traces, courseKey),
      ),
      ...present(
        'perturbations',
        once(apart, ({ perturbations = [] }) => perturbations, courseKey),
      ),
      ...present(
        'confusions',
        once(apart, ({ confusions = [] }) => confusions, courseKey),
      ),
      ...present('certificates', rows(CERTIFICATES)),
      ...present('transfer', rows(TRANSFER)),
      ...present('defenses', rows(DEFENSES)),
      ...present('defended', rows(DEFENDED)),
      checks: joinedChecks(apart),
      gallery: once(apart, ({ gallery }) => gallery, pictureKey),
      ...present('performance', speeds(apart)),
      ...present(
        'trainings',
        once(
          apart,
          ({ trainings }) => trainings ?? [],
          ({ arch, training }) => [arch, training],
        ),
      ),
      sources: sourcesOf(named),
    } satisfies Partial<Record<keyof Run, unknown>>,
    'the joined run',
  );
}

/** @throws UserError if one run is named twice, which would compare it with itself */
function requireDistinct(sources: readonly Source[]): void {
  sources.forEach(({ sha256, path }, i) => {
    const twin = sources.slice(0, i).find((other) => other.sha256 === sha256);
    if (twin !== undefined) throw new UserError(`cannot join ${twin.path} and ${path}: they are the same run`);
  });
}

/** @throws UserError if a network is not as right without attack in one run as in another */
function requireOneClean(sources: readonly Named[]): void {
  union(sources, {
    ...CELLS,
    key: ({ arch, training, dataset, goal, images }) => [arch, training, dataset, goal, images],
    says: ({ cleanCorrect }) => cleanCorrect,
    name: ({ arch, training, dataset }) => `${arch} (${training}) without attack, ${dataset}`,
    words: ({ cleanCorrect, images }) => `${cleanCorrect} of ${images} images right`,
  });
}

/** Network by network, of an architecture the plainly trained first, as an experiment would have measured them. */
function inOrder(cells: readonly Cell[]): Cell[] {
  const archs = [...new Set(cells.map(({ arch }) => arch))];
  const networks = [...new Set(cells.map(({ arch, training }) => `${arch}/${training}`))];
  const place = ({ arch, training }: Cell): readonly number[] => [
    archs.indexOf(arch),
    Number(isDefended(training)),
    networks.indexOf(`${arch}/${training}`),
  ];
  const places = new Map(cells.map((cell) => [cell, place(cell)]));
  return cells.toSorted((a, b) => {
    const [one, other] = [places.get(a) ?? [], places.get(b) ?? []];
    return one.map((n, i) => n - (other[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
}

/** The flags that all sources share. */
function commonConfig([first, ...others]: readonly [Named, ...Named[]]): Run['config'] {
  const shared = Object.entries(first.run.config).filter(([flag, value]) =>
    others.every(({ run }) => JSON.stringify(run.config[flag]) === JSON.stringify(value)),
  );
  return Object.fromEntries(shared);
}

/** A check that all runs share stands there once; the others say of which run they are. */
function joinedChecks(sources: readonly Named[]): Check[] {
  const runsWith = (check: Check): readonly Named[] =>
    sources.filter(({ run }) => run.checks.some((other) => JSON.stringify(other) === JSON.stringify(check)));
  return sources.flatMap((source) =>
    source.run.checks.flatMap((check) => {
      const runs = runsWith(check);
      if (runs[0] !== source) return [];
      if (runs.length === sources.length) return [check];
      return [{ ...check, name: `${check.name} (${runs.map(({ id }) => id).join(', ')})` }];
    }),
  );
}

const pictureKey = ({ arch, training, attack, norm, epsilon, id }: Run['gallery'][number]): unknown => [
  ...[arch, training, attack, norm, epsilon, id],
];

/** Whose course it is, and at what radius. */
const courseKey = ({
  arch,
  training,
  attack,
  norm,
  epsilon,
}: Pick<Cell, 'arch' | 'training' | 'attack' | 'norm' | 'epsilon'>): unknown => [
  ...[arch, training, attack, norm, Math.round(epsilon * 1e9)],
];

/** Rows that need not agree: the first of each. */
function once<T>(sources: readonly Named[], of: (run: Run) => readonly T[], key: (row: T) => unknown): T[] {
  return [
    ...new Map(
      sources
        .flatMap(({ run }) => of(run))
        .toReversed()
        .map((row) => [JSON.stringify(key(row)), row]),
    ).values(),
  ].toReversed();
}

/** Speeds of different machines are no comparison of networks. */
function speeds(sources: readonly Named[]): NonNullable<Run['performance']> {
  const machines = new Set(sources.map(({ run: { provenance } }) => `${provenance.cpu} ${provenance.backend}`));
  if (machines.size > 1) return [];
  return once(
    sources,
    ({ performance }) => performance ?? [],
    ({ contender }) => contender,
  );
}

/** Of a joined run its own sources, so that nothing is nested; each once, under a name of its own. */
function sourcesOf(sources: readonly Named[]): NonNullable<Run['sources']> {
  const all = sources.flatMap(({ run, id, sha256 }): NonNullable<Run['sources']> => {
    const { command, config, provenance } = run;
    return run.sources ?? [{ id, command, config, provenance, sha256 }];
  });
  return withOwnIds(all.filter(({ sha256 }, i) => all.findIndex((other) => other.sha256 === sha256) === i));
}
