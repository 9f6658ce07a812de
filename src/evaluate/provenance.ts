/** Where a run's numbers come from: machine, versions, data, weights, times. */
import { createHash } from 'node:crypto';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { codeOf } from '../core/attack.ts';
import type { SkippedFile } from '../core/dataset.ts';
import type { Run } from '../core/run.ts';
import { type Selection, selectImages } from './images.ts';
import { contenderName, type ExperimentPlan, type Harness } from './plan.ts';

/** The processor's name, as the system gives it. */
export const cpuName = (): string => cpus()[0]?.model.trim() ?? 'unknown';

/** Seconds by phase, added up. */
export class Stopwatch {
  readonly #seconds = new Map<string, number>();

  get phases(): Record<string, number> {
    return Object.fromEntries(this.#seconds);
  }

  add(phase: string, seconds: number): void {
    this.#seconds.set(phase, (this.#seconds.get(phase) ?? 0) + seconds);
  }

  /** Runs the work and adds its time. */
  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.add(phase, (performance.now() - began) / 1000);
    }
  }
}

const ITERATE_POLICY =
  'an image counts as fooled if any candidate of any restart reaches the goal and a separate forward pass confirms it; ' +
  '8-bit accuracy is counted on the confirmed candidate, or else on the last one, after rounding';

export interface ProvenanceFacts {
  readonly plan: ExperimentPlan;
  readonly harness: Harness;
  readonly started: string;
  readonly selection: Selection;
  /** How many images were measured. */
  readonly images: number;
  /** Files that gave none. */
  readonly skipped: readonly SkippedFile[];
  readonly phases: Readonly<Record<string, number>>;
  readonly galleryRule: string;
}

export async function provenanceOf(facts: ProvenanceFacts): Promise<Run['provenance']> {
  const { plan, harness, started, images, skipped, selection, phases, galleryRule } = facts;
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
    seed,
    dataset: {
      name: dataset.name,
      split: dataset.split,
      images,
      sha256: await selection.hash(skipped.length),
      selection: selection.rule(images, skipped.length),
      labels: dataset.labels === 'predicted' ? "each network's own clean predictions" : 'true labels',
      ...(skipped.length === 0 ? {} : { skipped: [...skipped] }),
    },
    weights: Object.fromEntries(contenders.map((contender) => [contenderName(contender), contender.sha256])),
    phases: { ...phases },
    iteratePolicy: ITERATE_POLICY,
    galleryRule,
  };
}

/**
 * A hash of what decides the numbers: work in a journal of the same key need not be done again. The batch size is no part
 * of it, for it changes nothing.
 *
 * Code is told apart by the versions of the program and its packages, by its commit, by the text of an attack's functions,
 * and by the bytes of a user's file. What such a file imports is not looked at, nor which changes make a commit `-dirty`.
 */
export async function journalKey(
  plan: ExperimentPlan,
  { backend, versions }: Pick<Harness, 'backend' | 'versions'>,
): Promise<string> {
  const { attacks, contenders, dataset, images, epsilons, norm, goal, seed, restarts, galleryRows, galleryEpsilon } =
    plan;
  const { earlyStop = true } = plan;
  const facts = {
    versions,
    backend,
    attacks: attacks.map(({ attack, params, source }) => [attack.name, params, codeOf(attack), source]),
    contenders: contenders.map((contender) => [contenderName(contender), contender.sha256]),
    dataset: [
      dataset.name,
      dataset.split,
      dataset.labels,
      dataset.input,
      await selectImages(dataset, images, seed).hash(),
    ],
    ...{ images, epsilons, norm, goal, seed, restarts, earlyStop, galleryRows, galleryEpsilon },
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
