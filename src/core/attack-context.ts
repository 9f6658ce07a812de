/** What an attack sees while it runs or is traced: see `AttackContext`. */
import { tf } from '../tf.ts';
import { ACCESS, type Access, type AttackContext, type Fitted, type Loss } from './attack.ts';
import { type Ball, ball, type Noise } from './ball.ts';
import { carried } from './carried.ts';
import type { Classifier } from './classifier.ts';
import { usageError } from './errors.ts';
import * as losses from './losses.ts';
import type { Params, Values } from './params.ts';
import { render } from './pose.ts';
import type { Threat } from './threat-model.ts';

export interface ContextSpec<P extends Params = Params> {
  /** Images [B, H, W, C] in [0,1] to logits [B, K], in inference mode. */
  readonly logits: Classifier['logits'];
  /** What the attack declares to look at. */
  readonly access: Access;
  readonly norm: Threat;
  /** Whether the adversary's goal is a class. */
  readonly targeted: boolean;
  /** Whether the attack aims at classes of its own choice where the goal is none. */
  readonly aimsItself?: boolean;
  readonly params: Values<P>;
  readonly noise: Noise;
  /** What the adversary raises in place of cross-entropy, one query per image; the other losses then refuse. */
  readonly objective?: Loss | undefined;
  /** [B, H, W, C] in [0,1]. */
  readonly clean: tf.Tensor4D;
  /** int32 [B]. */
  readonly label: tf.Tensor1D;
  /** int32 [B]; equal to `label` when untargeted. */
  readonly target: tf.Tensor1D;
  /** [B, 1, 1, 1]. */
  readonly epsilon: tf.Tensor4D;
  /** float32 [B, 1, 1, 1]. */
  readonly iteration: tf.Tensor4D;
  /** [B, ...]; nothing by default. */
  readonly fitted?: Fitted;
}

/**
 * The context of a batch: the ball around the clean images, and the losses with goal and labels bound. It gives what the
 * attack declares to look at, and no more.
 */
export function attackContext<P extends Params>(spec: ContextSpec<P>): AttackContext<P> {
  const { access, params, noise, clean, label, target, epsilon, iteration, fitted = {} } = spec;
  const bound = boundLosses(spec);
  const granting = <A extends unknown[], R>(
    needed: Access,
    what: string,
    give: (...args: A) => R,
  ): ((...args: A) => R) =>
    ACCESS.indexOf(access) >= ACCESS.indexOf(needed) ? give : () => refuse(access, needed, what);
  const logits = access === 'gradient' ? spec.logits : withoutGradient(spec.logits, access);
  const predict = (x: tf.Tensor4D): tf.Tensor1D => spec.logits(x).argMax(1);
  const valueAndGradient = granting('gradient', 'a gradient', (x: tf.Tensor4D, loss: Loss = bound.crossEntropy) =>
    ascend(spec.logits, x, loss),
  );
  return {
    clean,
    label,
    target,
    targeted: isAimed(spec),
    epsilon,
    iteration,
    ...geometryOf(spec),
    noise,
    params,
    fitted,
    predict: granting('decision', 'a class', predict),
    reached: granting('decision', 'a class', (x) =>
      spec.targeted ? predict(x).equal(target) : predict(x).notEqual(label),
    ),
    logits: granting('score', 'logits', logits),
    gradient: (x, loss) => valueAndGradient(x, loss).gradient,
    valueAndGradient,
    ...bound,
  };
}

/** The ball of a norm, or the poses of `spatial`; what is of the other refuses. */
function geometryOf({ norm, clean, epsilon, noise }: ContextSpec): Pick<AttackContext, 'ball' | 'render'> {
  if (norm !== 'spatial') {
    return {
      ball: ball(norm, { clean, epsilon, noise }),
      render: () => lacks(`${norm} knows no poses; use context.ball`),
    };
  }
  return { ball: NO_BALL, render: (pose) => render(clean, pose, epsilon) };
}

const noBall = (): never => lacks('spatial has no ball; use context.render');

const NO_BALL: Ball = {
  get norm(): never {
    return noBall();
  },
  ...{ steepest: noBall, spread: noBall, project: noBall, randomPoint: noBall, randomEdgePoint: noBall },
};

/** @throws Error saying what there is none of */
function lacks(what: string): never {
  throw new Error(`the threat ${what}`);
}

/** @throws Error saying what was asked for, and what would have to be declared */
function refuse(access: Access, needed: Access, what: string): never {
  throw new Error(`it asks for ${what} and declares access: '${access}'; declare access: '${needed}'`);
}

/** The same logits, through which no gradient flows: what is asked by way of TensorFlow.js is refused too. */
const withoutGradient =
  (logits: ContextSpec['logits'], access: Access): ContextSpec['logits'] =>
  (x) =>
    tf.customGrad((point: tf.Tensor | tf.GradSaveFunc) => ({
      value: logits(point as tf.Tensor4D),
      gradFunc: () => refuse(access, 'gradient', 'a gradient'),
    }))(x) as tf.Tensor2D;

const isAimed = ({ targeted, aimsItself = false }: ContextSpec): boolean => targeted || aimsItself;

/** The losses as the adversary raises them: away from the label, or towards the target. */
function boundLosses(spec: ContextSpec) {
  if (spec.objective !== undefined) return objectiveAlone(spec.objective, spec.label.shape[0]);
  const of = (classes: tf.Tensor1D, logits: tf.Tensor2D): tf.Tensor1D => perQuery(classes, logits.shape[0]);
  const away = {
    crossEntropy: (logits) => losses.crossEntropy(logits, of(spec.label, logits)),
    margin: (logits) => losses.margin(logits, of(spec.label, logits)),
    dlr: (logits) => losses.dlr(logits, of(spec.label, logits)),
  } satisfies Record<string, Loss>;
  if (!isAimed(spec)) return { ...away, lead: away.margin };
  const towards = {
    crossEntropy: (logits) => losses.crossEntropy(logits, of(spec.target, logits)).neg(),
    margin: (logits) => losses.margin(logits, of(spec.target, logits)).neg(),
    dlr: (logits) => losses.targetedDlr(logits, of(spec.label, logits), of(spec.target, logits)),
  } satisfies Record<string, Loss>;
  const overLabel: Loss = (logits) => losses.lead(logits, of(spec.target, logits), of(spec.label, logits));
  return { ...towards, lead: spec.targeted ? towards.margin : overLabel };
}

/** The objective of whoever employs the attack. It speaks of the batch's images, so it knows one query of each. */
function objectiveAlone(objective: Loss, images: number) {
  const refuseLoss = (does: string) => (): never => {
    throw usageError(
      `the inner attack ${does}, and this training tells it what to raise: choose one that raises the cross-entropy, such as pgd`,
    );
  };
  const crossEntropy: Loss = (logits) =>
    logits.shape[0] === images ? objective(logits) : refuseLoss('asks several questions of each image')();
  return {
    crossEntropy,
    margin: refuseLoss('raises the margin'),
    dlr: refuseLoss('raises the DLR loss'),
    lead: refuseLoss('raises a lead of one class'),
  } satisfies Record<string, Loss>;
}

/** The class of every query, where an image has as many as its share of them, one image after another: [queries]. */
const perQuery = (classes: tf.Tensor1D, queries: number): tf.Tensor1D =>
  queries === classes.shape[0] ? classes : tf.tile(classes.expandDims(1), [1, queries / classes.shape[0]]).flatten();

/**
 * Loss per image, ∇ₓ of its sum, and the logits, from one forward pass. Images do not touch each other, so the gradient of
 * the sum is every image's own gradient.
 */
function ascend(logitsOf: ContextSpec['logits'], x: tf.Tensor4D, loss: Loss) {
  const value = carried<tf.Tensor1D>();
  const logits = carried<tf.Tensor2D>();
  const gradient = tf.grad((candidate) => value.keep(loss(logits.keep(logitsOf(candidate as tf.Tensor4D)))).sum())(x);
  return { value: value.release(), gradient: gradient as tf.Tensor4D, logits: logits.release() };
}
