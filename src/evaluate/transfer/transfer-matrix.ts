/** How far adversarial images carry over from the network that they were made against to others: counts for every pair. */
import type { Transfer } from '../../core/run.ts';
import { wilson95 } from '../../core/statistics.ts';
import type { Goal, Threat } from '../../core/threat-model.ts';
import type { Contender } from '../plan.ts';
import { reaches } from '../pool/verify.ts';

/** A network, and the images that it knows. */
export interface Known {
  readonly contender: Contender;
  /** The label of every image, by index. */
  readonly labels: readonly number[];
  /** Which of them count and are classified correctly without attack, by index, ascending. */
  readonly attacked: readonly number[];
}

/**
 * Images that an attack made against one network, by index: the class that each network of the run, in order, takes them
 * for; null where its logits are no numbers.
 */
export type Trials = ReadonlyMap<number, readonly (number | null)[]>;

export interface MatrixSpec {
  readonly attack: string;
  readonly norm: Threat;
  readonly epsilon: number;
  readonly goal: Goal;
  /** In the order of the run. */
  readonly networks: readonly Known[];
  /** Of the images made against each of them. */
  readonly trials: readonly Trials[];
}

/** One entry per source and target that have images in common, the network itself included. */
export function transfersOf(spec: MatrixSpec): Transfer[] {
  const { attack, norm, epsilon, networks } = spec;
  return networks.flatMap((source, from) =>
    networks.flatMap((target, to): Transfer[] => {
      const images = knownToBoth(source, target);
      if (images.length === 0) return [];
      const fooled = images.filter((image) => fools(spec, from, to, image)).length;
      const withstood = images.length - fooled;
      return [
        {
          ...{ source: nameOf(source), target: nameOf(target), attack, norm, epsilon },
          ...{ images: images.length, fooled, whiteBoxFooled: images.filter((i) => fools(spec, to, to, i)).length },
          ...{ accuracy: withstood / images.length, wilson95: wilson95(withstood, images.length) },
        },
      ];
    }),
  );
}

const nameOf = ({ contender }: Known): Transfer['source'] => ({
  arch: contender.architecture.name,
  training: contender.training,
});

/** Where labels are each network's own predictions, the two must agree on them. */
function knownToBoth(source: Known, target: Known): number[] {
  const known = new Set(target.attacked);
  return source.attacked.filter((image) => known.has(image) && source.labels[image] === target.labels[image]);
}

/** Whether the image made against one network makes another do what the adversary wants. */
function fools({ goal, networks, trials }: MatrixSpec, from: number, to: number, image: number): boolean {
  const predicted = trials[from]?.get(image)?.[to] ?? null;
  const label = networks[to]?.labels[image];
  return predicted !== null && label !== undefined && reaches(goal, label, predicted);
}
