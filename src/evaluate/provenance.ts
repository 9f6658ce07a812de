/** Where a run's numbers come from: machine, versions, data, weights, times. */
import { createHash } from 'node:crypto';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { codeOf } from '../core/attack.ts';
import type { Dataset, SkippedFile } from '../core/dataset.ts';
import type { Run } from '../core/run.ts';
import { fitRuleOf, needsFit } from './fit/fit-images.ts';
import { type Selection, selectImages } from './images.ts';
import type { Parts } from './journal/journal.ts';
import { type Contender, contenderName, type DefendedBy, type ExperimentPlan, type Harness } from './plan.ts';

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

/**
 * What decides the numbers, hashed thing by thing. The batch size is no part of it, for it changes nothing.
 *
 * Code is told apart by the versions of the program and its packages, by its commit, by the text of an attack's functions,
 * and by the bytes of a user's file. What such a file imports is not looked at, nor which changes make a commit `-dirty`.
 */
export async function journalParts(
  plan: ExperimentPlan,
  { backend, versions }: Pick<Harness, 'backend' | 'versions'>,
): Promise<Parts> {
  const { attacks, contenders, dataset, images, epsilons, norm, goal, seed, restarts, galleryRows, galleryEpsilon } =
    plan;
  const { earlyStop = true, sanity, transferEpsilon } = plan;
  const { name, split, labels, input } = dataset;
  const facts: Readonly<Record<string, unknown>> = {
    'the version of the program or its packages': versions,
    'the backend': backend,
    'the list of attacks': attacks.map(({ attack }) => attack.name),
    ...Object.fromEntries(attacks.map(({ attack, params }) => [`the parameters of ${attack.name}`, params])),
    ...Object.fromEntries(
      attacks.map(({ attack, source, stages }) => [
        `the code of ${attack.name}`,
        [
          codeOf(attack),
          source,
          stages?.map((stage) => [stage.attack.name, stage.params, stage.restarts, codeOf(stage.attack)]),
        ],
      ]),
    ),
    'the networks': contenders.map((contender) => [contenderName(contender), contender.sha256]),
    ...(contenders.some(({ defended }) => defended !== undefined) ? { 'the defenses': defensesOf(contenders) } : {}),
    'the dataset': [name, split, labels, input, await selectImages(dataset, images, seed).hash()],
    'the number of images': images,
    'the radii': epsilons,
    'the norm': norm,
    'the target': goal,
    'the seed': seed,
    'the number of restarts': restarts,
    'the early stop': earlyStop,
    'the gallery': [galleryRows, galleryEpsilon],
    'the sanity panel': [
      sanity?.images,
      sanity?.probes.map(({ name, planned: { attack, params } }) => [name, codeOf(attack), params]),
    ],
    'the transfer': [transferEpsilon],
    ...(needsFit(plan) ? { 'the images that attacks are fitted on': await fitRuleOf(plan) } : {}),
  };
  return factParts(facts);
}

/** A hash of each of these things, by its name. */
export const factParts = (facts: Readonly<Record<string, unknown>>): Parts =>
  Object.fromEntries(Object.entries(facts).map(([part, value]) => [part, sha256(JSON.stringify(value))]));

/** Of every contender what it stands behind, code and all. */
const defensesOf = (contenders: readonly Contender[]): unknown =>
  contenders.map(({ defended }) => defended && [defended.defense.name, defended.params, ...codeOfDefense(defended)]);

const codeOfDefense = ({ defense, source }: DefendedBy): unknown[] => [String(defense.wrap), source];

/** A hash of all parts: work in a journal of the same key need not be done again. */
export const journalKey = (parts: Parts): string => sha256(JSON.stringify(parts));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
