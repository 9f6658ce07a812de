/** Accuracies of a network on the same few images again and again, as they are and under attacks: a gauge, not an evaluation. */
import type { Prepare } from '../compile/types.ts';
import type { Example } from '../core/dataset.ts';
import type { PerturbRequest } from '../core/defense.ts';
import { noiseFrom, noiseSpecs } from '../core/draws.ts';
import type { Network } from '../models/network.ts';
import { tf } from '../tf.ts';
import { toBatch } from './batches.ts';
import { drawNoise, rehearse } from './noise.ts';
import { perturber } from './perturb.ts';
import type { TrainingPlan } from './plan.ts';
import { standInLogits } from './stand-in.ts';
import { isCorrect } from './step.ts';

/** What is counted, by name: images under the last iterate of an attack, or as they are (null). */
export type Questions<Name extends string> = Readonly<Record<Name, PerturbRequest | null>>;

export interface JudgeOptions<Name extends string> {
  /** In errors and dumps. */
  readonly name: string;
  readonly questions: Questions<Name>;
  /** At least one. */
  readonly examples: readonly Example[];
  /** Of noise; it is the same every time, so that accuracies differ by the network alone. */
  readonly stream: number;
}

export interface Judge<Name extends string> {
  /** Shares of the images that the network, as it is now, classifies correctly. */
  run(): Promise<Readonly<Record<Name, number>>>;
  release(): Promise<void>;
}

/** Compiled once, for batches of the training's size or fewer images. */
export async function judgeOf<Name extends string>(
  plan: TrainingPlan,
  network: Network,
  { name, questions, examples, stream }: JudgeOptions<Name>,
  prepare: Prepare,
): Promise<Judge<Name>> {
  const { attacks, norm, epsilon } = plan;
  const { classifier } = network;
  const images = Math.min(plan.batch, examples.length);
  const names = Object.keys(questions) as Name[];
  const perturbAgainst = (logits: (x: tf.Tensor4D) => tf.Tensor2D) =>
    perturber({ attacks, classifier: { logits }, norm, epsilon });
  const requests = rehearse(1, (noise) => {
    const x: tf.Tensor4D = tf.zeros([1, ...classifier.input]);
    const y = tf.zeros([1], 'int32') as tf.Tensor1D;
    const perturb = perturbAgainst(standInLogits(classifier.classes));
    for (const question of names) {
      const request = questions[question];
      if (request !== null) perturb(request, { x, y, noise });
    }
  });
  const perturb = perturbAgainst((x) => classifier.logits(x));

  const judge = await prepare(
    (x, y, draws) => {
      const clean = { x: x as tf.Tensor4D, y: y as tf.Tensor1D, noise: noiseFrom(name, requests, draws) };
      const correct = names.map((question): [string, tf.Tensor] => {
        const request = questions[question];
        const seen = request === null ? clean.x : perturb(request, clean);
        return [question, isCorrect(classifier.logits(seen), clean.y)];
      });
      return Object.fromEntries(correct);
    },
    [{ shape: [images, ...classifier.input] }, { shape: [images], dtype: 'int32' }, noiseSpecs(requests, images)],
    { weights: 'live', name },
  );

  const run = async (): Promise<Record<Name, number>> => {
    const correct = new Map<Name, number>();
    for (let start = 0; start < examples.length; start += images) {
      const some = examples.slice(start, start + images);
      const { x, y, ids } = toBatch(some, start / images, images);
      const judged = await judge(x, y, drawNoise(requests, { seed: plan.seed, ids, pass: 0, stream }));
      for (const question of names) {
        const counted = judged[question]?.data.subarray(0, some.length) ?? [];
        correct.set(question, (correct.get(question) ?? 0) + sum(counted));
      }
    }
    return Object.fromEntries([...correct].map(([question, count]) => [question, count / examples.length])) as Record<
      Name,
      number
    >;
  };
  return { run, release: () => judge.release() };
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
