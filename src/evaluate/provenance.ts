/** Where a run's numbers come from: machine, versions, data, weights, times. */
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Dataset, SkippedFile } from '../core/dataset.ts';
import type { Run } from '../core/run.ts';
import type { Selection } from './images.ts';
import { contenderName, type ExperimentPlan, type Harness } from './plan.ts';

/** The processor's name, as the system gives it. */
export const cpuName = (): string => cpus()[0]?.model.trim() ?? 'unknown';

const ITERATE_POLICY =
  'an image counts as fooled if any candidate of any restart reaches the goal and a separate forward pass confirms it; ' +
  '8-bit accuracy is counted on the confirmed candidate, or else on the last one, after rounding';

export interface ProvenanceFacts {
  readonly plan: Pick<ExperimentPlan, 'dataset' | 'contenders' | 'seed' | 'goal'>;
  readonly harness: Pick<Harness, 'versions' | 'backend' | 'backendDifference' | 'device'>;
  readonly started: string;
  readonly selection: Selection;
  /** How many images were seen. */
  readonly images: number;
  /** How many of them do not count with each network, for they are of the target class. */
  readonly leftOut: readonly number[];
  /** Files that gave none. */
  readonly skipped: readonly SkippedFile[];
  readonly phases: Readonly<Record<string, number>>;
  /** What counts, where it is not an attack's success. */
  readonly iteratePolicy?: string;
  readonly galleryRule: string;
  readonly transferRule: string | undefined;
  readonly naiveRule: string | undefined;
  readonly fitRule: string | undefined;
}

export async function provenanceOf(facts: ProvenanceFacts): Promise<Run['provenance']> {
  const { plan, harness, started, images, skipped, leftOut, selection, phases } = facts;
  const { galleryRule, transferRule, naiveRule, fitRule } = facts;
  const { dataset, contenders, seed } = plan;
  return {
    started,
    finished: new Date().toISOString(),
    gibbon: harness.versions.gibbon,
    node: process.version,
    packages: { ...harness.versions.packages },
    commit: harness.versions.commit,
    platform: `${platform()} ${arch()}`,
    cpu: cpuName(),
    cores: availableParallelism(),
    backend: harness.backend,
    ...(harness.backendDifference === undefined ? {} : { backendDifference: harness.backendDifference }),
    ...(harness.device === undefined ? {} : { device: harness.device }),
    seed,
    dataset: {
      name: dataset.name,
      split: dataset.split,
      images: images - Math.min(...leftOut),
      sha256: await selection.hash(skipped.length),
      selection: [selection.rule(images, skipped.length), ...leftOutInWords(plan, leftOut)].join('; '),
      labels: dataset.labels === 'predicted' ? "each network's own clean predictions" : 'true labels',
      ...(skipped.length === 0 ? {} : { skipped: [...skipped] }),
    },
    weights: Object.fromEntries(contenders.map((contender) => [contenderName(contender), contender.sha256])),
    phases: { ...phases },
    iteratePolicy: facts.iteratePolicy ?? ITERATE_POLICY,
    galleryRule,
    ...(transferRule === undefined ? {} : { transferRule }),
    ...(naiveRule === undefined ? {} : { naiveRule }),
    ...(fitRule === undefined ? {} : { fitRule }),
  };
}

/** How an error or a report calls a class: `3`, or `3 (cat)` where it has a name. */
export function className({ classes }: Pick<Dataset, 'classes'>, index: number): string {
  const name = classes[index] ?? String(index);
  return name === String(index) ? name : `${index} (${name})`;
}

/** Which images do not count, if any: with labels that each network predicts, as many as it takes for the target. */
function leftOutInWords({ goal, dataset }: ProvenanceFacts['plan'], leftOut: readonly number[]): string[] {
  const [least, most] = [Math.min(...leftOut), Math.max(...leftOut)];
  if (goal.kind === 'untargeted' || most === 0) return [];
  const few = most === 1 ? '1 image' : `${least === most ? most : `${least} to ${most}`} images`;
  return [`${few} of class ${className(dataset, goal.target)}, the target, ${most === 1 ? 'is' : 'are'} left out`];
}
