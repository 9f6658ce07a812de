/** The training step, compiled for one shape of batch and fed with seeded noise. */
import { recordFunction } from '../compile/recorder.ts';
import type { Prepare } from '../compile/types.ts';
import type { Noise } from '../core/ball.ts';
import { type NoiseRequest, noiseFrom, noiseSpecs } from '../core/draws.ts';
import { resolveParams } from '../core/params.ts';
import type { Network } from '../models/network.ts';
import { tf } from '../tf.ts';
import { augment } from './augment.ts';
import { decayAt } from './average.ts';
import type { Batch } from './batches.ts';
import { drawNoise, rehearse } from './noise.ts';
import { type PerturbOptions, perturber } from './perturb.ts';
import type { TrainingPlan } from './plan.ts';
import { standInLogits } from './stand-in.ts';
import { learningOf } from './start.ts';
import { preparedLoss, type StepParts, type StepRates, trainingStep } from './step.ts';
import type { TrainingVariables } from './variables.ts';

/** When a batch is trained on. */
export interface Moment {
  /** From 0. */
  readonly epoch: number;
  /** How many updates there were before. */
  readonly updates: number;
  /** The learning rate. */
  readonly rate: number;
}

export interface BatchResult {
  /** Before the update. */
  readonly loss: number;
  /** How many images were classified correctly. */
  readonly correct: number;
  /** Whether all weights are finite after the update. */
  readonly isSound: boolean;
}

/** Trains on one batch in place. */
export type TrainBatch = (batch: Batch, at: Moment) => Promise<BatchResult>;

/** Training draws the first stream of noise, validation the second, and further uses of a batch those behind them. */
const streamOf = (replay: number): number => (replay === 0 ? 0 : replay + 1);

const NAME = 'the training step';

/** @throws UserError (usage) for parameters that the defense or its attack does not accept */
export async function preparedStep(
  plan: TrainingPlan,
  network: Network,
  variables: TrainingVariables,
  prepare: Prepare,
): Promise<{ readonly run: TrainBatch; readonly release: () => Promise<void> }> {
  const { attacks, defense, norm, epsilon, batch: images, seed } = plan;
  const { classifier } = network;
  const { model, still } = learningOf(network, plan.start);
  const logits = (images: tf.Tensor4D): tf.Tensor2D => classifier.logits(images);
  const parts: StepParts = {
    ...plan,
    params: resolveParams(defense.name, defense.params, plan.params),
    perturb: perturber({ attacks, classifier, still: (images) => still(images).logits, norm, epsilon }),
    augment: augment(plan.augmentations, plan.statistics),
    ...{ logits, model, still, ...variables },
  };

  const { requests, ofImages } = rehearseStep(parts, network, { attacks, norm, epsilon });
  const step = await prepare(
    (x, y, rates, draws) => {
      const noise = noiseFrom(NAME, requests, draws);
      const { rate, share } = rates as { readonly [Name in keyof StepRates]: tf.Tensor };
      const inputs = { x: x as tf.Tensor4D, y: y as tf.Tensor1D, noise };
      return trainingStep(parts, inputs, { rate: rate as tf.Scalar, share: share as tf.Scalar });
    },
    [
      { shape: [images, ...classifier.input] },
      { shape: [images], dtype: 'int32' },
      { rate: { shape: [] }, share: { shape: [] } },
      noiseSpecs(requests, images),
    ],
    { weights: 'live', name: NAME },
  );

  const run: TrainBatch = async ({ x, y, ids, replay }, { epoch, updates, rate }) => {
    // A batch that is used again is the same to the pixel; all other chance is new.
    const stream = (draw: number): number => streamOf(draw < ofImages ? 0 : replay);
    const noise = drawNoise(requests, { seed, pass: epoch, stream, ids });
    const share = plan.ema === null ? 0 : 1 - decayAt(plan.ema, updates);
    const rates = { rate: Float32Array.of(rate), share: Float32Array.of(share) };
    const { loss, correct, sound } = await step(x, y, rates, noise);
    const isSound = Number.isFinite(sound.data[0]);
    return { loss: loss.data[0] as number, correct: correct.data[0] as number, isSound };
  };
  return { run, release: () => step.release() };
}

/**
 * The draws of one step, and how many of them, the first, make the images. The attack, which draws for itself alone, practises on a stand-in; the network itself has to take
 * part, since its dropout draws by the shapes of its maps. It is traced, not run: a VGG of full size would take minutes.
 */
function rehearseStep(
  parts: StepParts,
  { classifier }: Network,
  threat: Omit<PerturbOptions, 'classifier'>,
): { readonly requests: readonly NoiseRequest[]; readonly ofImages: number } {
  const logits = standInLogits(classifier.classes);
  const perturb = perturber({ ...threat, classifier: { logits } });
  let [requests, ofImages]: [readonly NoiseRequest[], number] = [[], 0];
  const rehearsal = (): Record<string, tf.Tensor> => {
    const memory = Object.fromEntries(
      Object.entries(parts.memory).map(([name, { shape }]) => [name, tf.zeros([1, ...shape.slice(1)])]),
    );
    requests = rehearse(1, (noise) => {
      const counted: Noise = (...asked) => {
        ofImages += 1;
        return noise(...asked);
      };
      const ofOne = {
        ...parts,
        ...{ logits, perturb, memory },
        augment: (x: tf.Tensor4D) => parts.augment(x, counted),
      };
      const x: tf.Tensor4D = tf.zeros([1, ...classifier.input]);
      const { lossOf } = preparedLoss(ofOne, { x, y: tf.zeros([1], 'int32'), noise });
      lossOf((images) => parts.model(images, noise).logits);
    });
    return {};
  };
  recordFunction(rehearsal, {}, 'live');
  return { requests, ofImages };
}
