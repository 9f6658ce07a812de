/** Which networks a run's saved images are checked with: those that it names, found again here and told by their hashes. */
import { usageError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { architectures } from '../../models/registry.ts';
import { isWeightsVersion } from '../../weights/torchvision.ts';
import { contenderFiles, openContender } from '../experiment/contenders.ts';
import { defend } from '../experiment/defenses.ts';
import type { Opened } from '../experiment/opened.ts';
import type { ResolveOptions } from '../weights-word.ts';
import { defensesFor, standingOf } from './defenses.ts';

export interface Named {
  /** Networks of the user's own; null: those of the run's names. */
  readonly arch: readonly string[] | null;
  readonly weights: readonly string[] | null;
  /** Files of defenses of the user's own. */
  readonly defense: readonly string[] | null;
}

/** A network of the run, and what was found for it. */
export interface Found {
  readonly arch: string;
  readonly training: string;
  /** SHA-256 of the weights that the run attacked. */
  readonly sha256: string | undefined;
  /** The one with these weights, behind its defense; else those that were looked at. */
  readonly network: Opened | undefined;
  readonly others: readonly Opened[];
}

/**
 * The networks whose images a run saved. Nothing that a run.json names is executed or fetched but what the program knows
 * by name: code and other files are named by the user.
 *
 * @throws UserError if a network cannot be opened, or the user must say which it is
 */
export async function networksOf(run: Run, named: Named, fetching: ResolveOptions): Promise<Found[]> {
  const { saved = [], provenance } = run;
  const wanted = new Map(saved.map(({ arch, training }) => [`${arch}/${training}`, { arch, training }]));
  const known = await defensesFor(run, named.defense ?? []);
  const standings = new Map([...wanted.values()].map(({ training }) => [training, standingOf(run, training, known)]));
  const trainings = [...new Set([...standings.values()].map(({ training }) => training))];
  const isNamed = named.arch !== null || named.weights !== null;
  const given = isNamed ? await openNamed(run, named, trainings, fetching) : undefined;
  // Behind each of its defenses it is the same network once more.
  const opened = new Map<string, readonly Opened[]>();
  const found: Found[] = [];
  for (const [name, { arch, training }] of wanted) {
    const sha256 = provenance.weights[name];
    const { training: undefended = training, planned } = standings.get(training) ?? {};
    const bare = `${arch}/${undefended}`;
    const looked = given ?? opened.get(bare) ?? (await openKnown(run, arch, undefended, fetching));
    opened.set(bare, looked);
    const one = looked.find(({ contender }) => contender.sha256 === sha256);
    const isBehind = one !== undefined && planned !== undefined;
    const network = isBehind ? { ...one, contender: defend(one.contender, planned, provenance.seed) } : one;
    found.push({ arch, training, sha256, network, others: network === undefined ? looked : [] });
  }
  return found;
}

/** The files that the user names. */
function openNamed(
  { saved = [], provenance }: Run,
  named: Named,
  training: readonly string[],
  fetching: ResolveOptions,
): Promise<Opened[]> {
  const known = [...new Set(saved.map(({ arch }) => arch))].filter(isKnown);
  return open(
    {
      arch: named.arch ?? known,
      training,
      ...{ weights: named.weights, dataset: provenance.dataset.name },
      // One file may hold any of several architectures: if it does not say which, the user must.
      isGiven: (flag) => flag === 'arch' && (named.arch !== null || known.length === 1),
    },
    fetching,
  );
}

/** What the program has by these names: a checkpoint, or published weights. */
function openKnown(run: Run, arch: string, training: string, fetching: ResolveOptions): Promise<Opened[]> {
  if (!isKnown(arch)) {
    throw usageError(
      `${arch} is a network of its owner's: name its module or folder by --arch, its weights by --weights`,
    );
  }
  const said = run.config.weights;
  const [version] = Array.isArray(said) ? said : [said];
  const weights = typeof version === 'string' && isWeightsVersion(version) ? [version] : null;
  if (said !== undefined && weights === null) {
    throw usageError(`${arch}/${training} was given to the run as a file: name it here too, by --weights`);
  }
  const dataset = run.provenance.dataset.name;
  return open({ arch: [arch], training: [training], weights, dataset, isGiven: () => true }, fetching);
}

const isKnown = (arch: string): boolean => architectures.some(({ name }) => name === arch);

async function open(request: Parameters<typeof contenderFiles>[0], fetching: ResolveOptions): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const file of await contenderFiles(request)) opened.push(await openContender(file, fetching));
  return opened;
}
