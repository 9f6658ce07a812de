/** The contract that every attack obeys: two pure functions of batched tensors, and two more where it is fitted first. */
import type { tf } from '../tf.ts';
import type { Ball, Noise } from './ball.ts';
import { usageError } from './errors.ts';
import type { Params, Values } from './params.ts';
import type { Threat } from './threat-model.ts';

/**
 * What an attack carries from step to step: a record of tensors whose first axis is the image. `x` [B, H, W, C] is the
 * candidate; every candidate that was ever in `x` counts.
 */
export interface AttackState {
  readonly x: tf.Tensor4D;
  /** Where the threat is `spatial`: the pose that `x` was rendered in, float32 [B, 3]. */
  readonly pose?: tf.Tensor2D;
  /** False, bool [B], while `x` is only a place to look at the network from, which may lie outside the ball, and does not count. */
  readonly isCandidate?: tf.Tensor1D;
  /** True, bool [B], once further steps are of no use to an image: the first step to say so is its last. */
  readonly isFinished?: tf.Tensor1D;
  readonly [name: string]: tf.Tensor;
}

/**
 * How much of the classifier an attack looks at: nothing, its class, its logits, or its gradient. The context gives no more
 * than is declared.
 */
export const ACCESS = ['none', 'decision', 'score', 'gradient'] as const;
export type Access = (typeof ACCESS)[number];

/**
 * A loss the adversary raises: logits [B, K] to [B], larger is better for the adversary, goal and labels built in. Where n
 * queries of each image are stacked, image by image, it takes logits [B·n, K] to [B·n].
 */
export type Loss = (logits: tf.Tensor2D) => tf.Tensor1D;

/** What an attack has learnt for all images at once: a record of tensors whose first axis is 1. */
export interface Fitted {
  /** True, bool [1], once further steps on the batch at hand are of no use. */
  readonly isFinished?: tf.Tensor1D;
  readonly [name: string]: tf.Tensor;
}

/** What an attack is given at every call: the batch, its threat model, the geometry, the network, losses and noise. */
export interface AttackContext<P extends Params = Params, F extends Fitted = Fitted> {
  /** The clean images, [B, H, W, C] in [0,1]. */
  readonly clean: tf.Tensor4D;
  /** The true class, int32 [B]. */
  readonly label: tf.Tensor1D;
  /** The class aimed at, int32 [B]; equal to `label` when untargeted. */
  readonly target: tf.Tensor1D;
  /** Whether there is a class to aim at: the adversary's goal, or one of the attack's own `targets`, where any wrong class will do. */
  readonly targeted: boolean;
  /** The ball's radius in pixel units, one per image, [B, 1, 1, 1]. */
  readonly epsilon: tf.Tensor4D;
  /** The number of the step about to be taken, from 0, one per image, float32 [B, 1, 1, 1]. */
  readonly iteration: tf.Tensor4D;
  /** Steepest direction, projection, random point; of no use where the threat is `spatial`. */
  readonly ball: Ball;
  /** The clean images shifted and turned, [B, H, W, C]: see `pose.ts`. What `spatial` allows, and it alone. */
  render(pose: tf.Tensor2D): tf.Tensor4D;
  /** Seeded noise, one draw per image: [B, ...shape]. */
  readonly noise: Noise;
  readonly params: Values<P>;
  /** What `fit` came to at each image's radius, the first axis now the image; without `fit`, nothing. */
  readonly fitted: F;
  /** The class that the classifier predicts, int32 [B]. Needs access `decision`. */
  predict(x: tf.Tensor4D): tf.Tensor1D;
  /** Whether the adversary's goal is reached, bool [B]: any wrong class, or the one of the goal. Needs access `decision`. */
  reached(x: tf.Tensor4D): tf.Tensor1D;
  /** Logits of the classifier, [B, K]. Needs access `score`; only with access `gradient` do they have one. */
  logits(x: tf.Tensor4D): tf.Tensor2D;
  /** ∇ₓ of the summed loss (cross-entropy by default), an ascent direction for the adversary: [B, H, W, C]. Needs access `gradient`. */
  gradient(x: tf.Tensor4D, loss?: Loss): tf.Tensor4D;
  /** The loss per image [B], its gradient [B, H, W, C] and the logits [B, K], from one forward pass. */
  valueAndGradient(
    x: tf.Tensor4D,
    loss?: Loss,
  ): { readonly value: tf.Tensor1D; readonly gradient: tf.Tensor4D; readonly logits: tf.Tensor2D };
  /** Cross-entropy towards the goal: of the true class, or minus that of the target. */
  readonly crossEntropy: Loss;
  /** Best wrong logit minus the true one; or the target's minus the best other. */
  readonly margin: Loss;
  /** What the goal takes, of the class aimed at: its logit minus the true one's where any wrong class will do, else the margin. */
  readonly lead: Loss;
  /** Difference of logits ratio, targeted where the goal is. */
  readonly dlr: Loss;
}

/** What an attack says of itself. */
export interface AttackDescription<P extends Params = Params> {
  /** Its file's name. */
  readonly name: string;
  readonly title: string;
  /** https URL of the paper that defines it. */
  readonly paper: string;
  readonly norms: readonly Threat[];
  readonly access: Access;
  readonly params: P;
}

/** What `fit` is given: the batch at hand, every image of which has the same radius and iteration. */
export type FitContext<P extends Params = Params> = Omit<AttackContext<P>, 'fitted'>;

/**
 * How an attack learns what is the same for all images, such as a universal perturbation: once for each network and radius,
 * on images of the training split where there is one. Only those count that the network classifies correctly. They come in
 * the same order, in the same batches, at every pass; the last batch is filled up with the first images.
 */
export interface Fit<P extends Params = Params, F extends Fitted = Fitted> {
  /** On how many images. */
  images(params: Values<P>): number;
  /** How many of them come at once. */
  batch(params: Values<P>): number;
  /** How often all of them come, at most. */
  passes(params: Values<P>): number;
  /** How many times `step` is applied to a batch, at most: `iteration` counts them. */
  steps(params: Values<P>): number;
  /** The share of these images that the attack has to fool for the passes to end; undefined if they never end early. */
  enough?(params: Values<P>): number | undefined;
  /** What is known before the first step, with the first batch as the context. Pure. */
  init(context: FitContext<P>): F;
  /** What is known after one more step. Pure. */
  step(fitted: F, context: FitContext<P>): F;
}

/** An attack: how its state begins and how it goes on. The harness does the rest. */
export interface Attack<P extends Params = Params, S extends AttackState = AttackState, F extends Fitted = Fitted>
  extends AttackDescription<P> {
  /**
   * It looks for the nearest adversarial image, not for one in a ball: it is given the radius of a ball that holds all
   * images, and every candidate of it that reaches the goal counts by its distance.
   */
  readonly minimumNorm?: boolean;
  /**
   * At how many classes it is aimed in turn where any wrong class will do, most likely first: each is a try of its own, whose
   * context is `targeted`. By default it is not aimed.
   */
  targets?(params: Values<P>): number;
  /** What it learns first, for all images: nothing else may cross from one to another. */
  readonly fit?: Fit<P, F>;
  /** How many times `step` is applied. */
  steps(params: Values<P>): number;
  /** The state before the first step. Pure; `x` [B, H, W, C] is the clean images. */
  init(x: tf.Tensor4D, context: AttackContext<P, F>): S;
  /** The state after one more step. Pure. */
  step(state: S, context: AttackContext<P, F>): S;
}

/** An attack made of others, each of which meets only the images that those before it have left standing. */
export interface Ensemble<P extends Params = Params> extends AttackDescription<P> {
  stages(params: Values<P>, norm: Threat): readonly Stage[];
}

/** A stage of an ensemble: another attack, by name. */
export interface Stage {
  readonly attack: string;
  /** Laid over the attack's defaults. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** How many random starts of it count for one of the ensemble: 1 by default. */
  readonly restarts?: number;
}

/** Whether its tries are aimed at classes of its own choice where the goal is not. */
export const aimsItself = ({ targets }: Pick<Attack, 'targets'>): boolean => targets !== undefined;

/** Whether it is made of other attacks. */
export const isEnsemble = (attack: Attack | Ensemble): attack is Ensemble => 'stages' in attack;

/** @throws UserError (usage) if the attack cannot measure in the norm */
export function requireNorm({ name, norms }: Pick<Attack, 'name' | 'norms'>, norm: Threat): void {
  if (norms.includes(norm)) return;
  throw usageError(`${name} does not attack in ${norm}: it knows ${norms.join(', ')}; choose another norm or attack`);
}

/** The text of an attack's functions: what can be seen of its code, and not what they close over or import. */
export const codeOf = (attack: Attack | Ensemble): readonly string[] =>
  (isEnsemble(attack)
    ? [attack.stages]
    : [attack.steps, attack.targets, attack.init, attack.step, ...Object.values(attack.fit ?? {})]
  ).map(String);

/** Declares an attack; the types of parameters, state and what is fitted follow from their declaration and from `init`. */
export const defineAttack = <P extends Params, S extends AttackState, F extends Fitted = Fitted>(
  attack: Attack<P, S, F>,
): Attack<P, S, F> => attack;

/** Declares an ensemble. */
export const defineEnsemble = <P extends Params>(ensemble: Ensemble<P>): Ensemble<P> => ensemble;
