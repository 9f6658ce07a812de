/** Networks that have one name and other weights in another run: told apart by the run that they come from. */
import type { Run } from '../../core/run.ts';
import type { Named } from './source.ts';

interface Network {
  readonly arch: string;
  readonly training: string;
}

const nameOf = ({ arch, training }: Network): string => `${arch}/${training}`;

/**
 * The runs with those of their networks renamed that another run knows by the same name with other weights:
 * `standard/RUN`, after the first run that has these.
 */
export function tellApart(sources: readonly Named[]): readonly Named[] {
  const hashesOf = (name: string): ReadonlySet<string> =>
    new Set(sources.flatMap(({ run }) => run.provenance.weights[name] ?? []));
  const firstWith = (name: string, hash: string): string =>
    sources.find(({ run }) => run.provenance.weights[name] === hash)?.id ?? '';
  return sources.map((source) => {
    const suffixes = new Map(
      Object.entries(source.run.provenance.weights).flatMap(([name, hash]) =>
        hashesOf(name).size === 1 ? [] : [[name, `/${firstWith(name, hash)}`] as const],
      ),
    );
    return suffixes.size === 0 ? source : { ...source, run: renamed(source.run, suffixes) };
  });
}

/** @param suffixes - what is put behind a network's name, by that name */
function renamed(run: Run, suffixes: ReadonlyMap<string, string>): Run {
  const suffixOf = (name: string): string => suffixes.get(name) ?? '';
  const one = <T extends Network>(network: T): T => ({
    ...network,
    training: network.training + suffixOf(nameOf(network)),
  });
  const { worstCases, distances, certificates, transfer, defended, performance, trainings, provenance } = run;
  const { traces, perturbations, confusions } = run;
  const weights = Object.entries(provenance.weights).map(([name, hash]) => [name + suffixOf(name), hash]);
  return {
    ...run,
    provenance: { ...provenance, weights: Object.fromEntries(weights) },
    cells: run.cells.map(one),
    gallery: run.gallery.map(one),
    ...(worstCases && { worstCases: worstCases.map(one) }),
    ...(distances && { distances: distances.map(one) }),
    ...(traces && { traces: traces.map(one) }),
    ...(perturbations && { perturbations: perturbations.map(one) }),
    ...(confusions && { confusions: confusions.map(one) }),
    ...(certificates && { certificates: certificates.map(one) }),
    ...(transfer && {
      transfer: transfer.map((pair) => ({ ...pair, source: one(pair.source), target: one(pair.target) })),
    }),
    ...(defended && {
      defended: defended.map((cell) => ({
        ...one(cell),
        undefended: cell.undefended + suffixOf(nameOf({ arch: cell.arch, training: cell.undefended })),
      })),
    }),
    ...(performance && {
      performance: performance.map((speed) => ({ ...speed, contender: speed.contender + suffixOf(speed.contender) })),
    }),
    ...(trainings && { trainings: trainings.map(one) }),
  };
}
