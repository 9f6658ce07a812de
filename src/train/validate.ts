/** Clean and robust accuracy on the held-out images, from the last iterate of one attack: a gauge, not an evaluation. */
import type { Prepare } from '../compile/types.ts';
import type { Example } from '../core/dataset.ts';
import { noiseFrom, noiseSpecs } from '../core/draws.ts';
import type { Network } from '../models/network.ts';
import { tf } from '../tf.ts';
import { toBatch } from './batches.ts';
import { drawNoise, rehearse } from './noise.ts';
import { perturber } from './perturb.ts';
import type { TrainingPlan } from './plan.ts';
import { standInLogits } from './stand-in.ts';
import { isCorrect } from './step.ts';

/** Shares of the held-out images, 0 to 1. */
export interface Validation {
  readonly clean: number;
  readonly robust: number;
}

export interface Validator {
  /** The accuracies of the network as it is now; null if nothing is held out. */
  run(): Promise<Validation | null>;
  release(): Promise<void>;
}

/** The noise of the validation attack is the same after every epoch, so that epochs differ by the network alone. */
const STREAM = { pass: 0, stream: 1 } as const;

/** A validator of the network on `examples`, compiled once. */
export async function validatorOf(
  plan: TrainingPlan,
  network: Network,
  examples: readonly Example[],
  prepare: Prepare,
): Promise<Validator> {
  if (examples.length === 0) return { run: async () => null, release: async () => undefined };
  const { attacks, norm, epsilon, validation } = plan;
  const { classifier } = network;
  const images = Math.min(plan.batch, examples.length);
  const perturbAgainst = (logits: (x: tf.Tensor4D) => tf.Tensor2D) =>
    perturber({ attacks, classifier: { logits }, norm, epsilon });
  const requests = rehearse(1, (noise) => {
    const x: tf.Tensor4D = tf.zeros([1, ...classifier.input]);
    const y = tf.zeros([1], 'int32') as tf.Tensor1D;
    perturbAgainst(standInLogits(classifier.classes))(validation, { x, y, noise });
  });
  const perturb = perturbAgainst((x) => classifier.logits(x));

  const judge = await prepare(
    (x, y, draws) => {
      const clean = { x: x as tf.Tensor4D, y: y as tf.Tensor1D, noise: noiseFrom('validation', requests, draws) };
      const adversarial = perturb(validation, clean);
      return {
        clean: isCorrect(classifier.logits(clean.x), clean.y),
        robust: isCorrect(classifier.logits(adversarial), clean.y),
      };
    },
    [{ shape: [images, ...classifier.input] }, { shape: [images], dtype: 'int32' }, noiseSpecs(requests, images)],
    { weights: 'live', name: 'validation' },
  );

  const run = async (): Promise<Validation> => {
    const correct = { clean: 0, robust: 0 };
    for (let start = 0; start < examples.length; start += images) {
      const some = examples.slice(start, start + images);
      const { x, y, ids } = toBatch(some, start / images, images);
      const judged = await judge(x, y, drawNoise(requests, { seed: plan.seed, ids, ...STREAM }));
      correct.clean += sum(judged.clean.data.subarray(0, some.length));
      correct.robust += sum(judged.robust.data.subarray(0, some.length));
    }
    return { clean: correct.clean / examples.length, robust: correct.robust / examples.length };
  };
  return { run, release: () => judge.release() };
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
