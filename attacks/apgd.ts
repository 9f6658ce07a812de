/**
 * Auto-PGD, which finds its step size itself. z = Π(x + η · steepest ∇f(x)), x⁺ = Π(x + α·(z - x) + (1 - α)·(x - x⁻)),
 * where α is .75, at first 1, and η is 2ε. At a checkpoint w_j η is halved, and the walk goes on from the best point, if
 *   1. the loss f rose in fewer than ρ·(w_j - w_{j-1}) steps since the checkpoint before, or
 *   2. η was not halved there, and the best loss has not changed since.
 *
 * Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, algorithm 1 and section 3. Checkpoints and start are those of the authors' program; as there, the best point
 * is left along its own gradient, which is remembered, and a loss has risen if it is above the one computed before it.
 *
 * In L1 it is L1-APGD, which moves as many pixels a step as the sparsity of the best perturbation tells it to, projects on
 * ball and box at once, and comes from balls of 3ε and 2ε (`src/core/sparse-ascent.ts`): Croce, Hein, "Mind the Box:
 * l₁-APGD for Sparse Adversarial Attacks on Image Classifiers", ICML 2021.
 */
import { type AttackContext, type AttackState, defineAttack, type Loss } from '../src/core/attack.ts';
import { column } from '../src/core/column.ts';
import { p } from '../src/core/params.ts';
import { type SparseAscent, startSparse, stepSparse } from '../src/core/sparse-ascent.ts';
import { tf } from '../src/tf.ts';

const MOMENTUM = 0.75;

/** The steps w_1 … w_n before which η may be halved: .22 N apart at first, then by .03 N less each time, down to .06 N. */
export function checkpointsOf(steps: number): number[] {
  const share = (part: number): number => Math.max(1, Math.floor(part * steps));
  const found: number[] = [];
  let interval = share(0.22);
  for (let next = interval; next < steps; next += interval) {
    found.push(next);
    interval = Math.max(interval - share(0.03), share(0.06));
  }
  return found;
}

/** Whether every image is at a checkpoint, and how many steps after the one before: [B, 1, 1, 1] both. */
function checkpointAt(iteration: tf.Tensor4D, steps: number) {
  // w_0 = 0 is one too: what is counted up to w_1 is counted from there.
  const checkpoints = [0, ...checkpointsOf(steps)];
  const intervals = checkpoints.map((step, j) => step - (checkpoints[j - 1] ?? 0));
  const isAt = iteration.equal(tf.tensor1d(checkpoints)).toFloat();
  return { reached: isAt.max(3, true).cast('bool'), interval: isAt.mul(tf.tensor1d(intervals)).sum(3, true) };
}

const params = {
  steps: p.integer(100, 'gradient steps', { min: 1 }),
  loss: p.choice('cross-entropy', ['cross-entropy', 'dlr'], 'the loss that is raised'),
  rho: p.number(0.75, 'in Linf and L2, share ρ of the steps that must raise the loss', { min: 0, max: 1 }),
  random: p.boolean(true, 'start at a random point of the ball’s edge'),
};

type Context = AttackContext<typeof params>;

/** Of every image, as seen up to the last step: its best point and loss, and what the next checkpoint asks for. */
export interface Walk extends AttackState {
  readonly previous: tf.Tensor4D;
  /** η, and the columns below: [B, 1, 1, 1]. */
  readonly stepSize: tf.Tensor4D;
  readonly best: tf.Tensor4D;
  readonly bestGradient: tf.Tensor4D;
  readonly bestLoss: tf.Tensor4D;
  readonly lastLoss: tf.Tensor4D;
  readonly rises: tf.Tensor4D;
  readonly bestAtCheckpoint: tf.Tensor4D;
  readonly halvedAtCheckpoint: tf.Tensor4D;
}

function start(clean: tf.Tensor4D, { ball, epsilon, params }: Context): Walk {
  const x = params.random ? ball.randomEdgePoint() : clean;
  const none = tf.fill<tf.Rank.R4>(epsilon.shape, Number.NEGATIVE_INFINITY);
  return {
    ...{ x, previous: x, stepSize: epsilon.mul<tf.Tensor4D>(2) },
    ...{ best: x, bestGradient: tf.zerosLike(x), bestLoss: none },
    ...{ lastLoss: none, rises: tf.zerosLike(epsilon) },
    ...{ bestAtCheckpoint: none, halvedAtCheckpoint: tf.zeros<tf.Rank.R4>(epsilon.shape, 'bool') },
  };
}

function step(state: Walk, context: Context): Walk {
  const { ball, iteration, valueAndGradient, params } = context;
  const { x, previous } = state;
  const { value, gradient } = valueAndGradient(x, lossOf(context));
  const loss = column(value);
  const rises = state.rises.add<tf.Tensor4D>(loss.greater(state.lastLoss).toFloat());

  const isBest = loss.greater(state.bestLoss);
  const best = tf.where(isBest, x, state.best);
  const bestGradient = tf.where(isBest, gradient, state.bestGradient);
  const bestLoss = tf.where(isBest, loss, state.bestLoss);

  const { reached, interval } = checkpointAt(iteration, params.steps);
  const tooFew = rises.less(interval.mul(params.rho));
  const unchanged = state.halvedAtCheckpoint.logicalNot().logicalAnd(bestLoss.equal(state.bestAtCheckpoint));
  const halve = reached.logicalAnd(tooFew.logicalOr(unchanged));
  const stepSize = state.stepSize.mul<tf.Tensor4D>(tf.where(halve, 0.5, 1));
  const from = tf.where(halve, best, x);
  const g = tf.where(halve, bestGradient, gradient);

  const z = ball.project(from.add(ball.steepest(g).mul(stepSize)));
  const alpha = tf.where(iteration.equal(0), 1, MOMENTUM);
  const inertia = from.sub(previous).mul(tf.scalar(1).sub(alpha));
  return {
    ...{ x: ball.project(from.add(z.sub(from).mul(alpha)).add(inertia)), previous: from, stepSize },
    ...{ best, bestGradient, bestLoss },
    ...{ lastLoss: loss, rises: tf.where(reached, tf.zerosLike(rises), rises) },
    bestAtCheckpoint: tf.where(reached, bestLoss, state.bestAtCheckpoint),
    halvedAtCheckpoint: tf.where(reached, halve, state.halvedAtCheckpoint) as tf.Tensor4D,
  };
}

const lossOf = ({ params, dlr, crossEntropy }: Context): Loss => (params.loss === 'dlr' ? dlr : crossEntropy);

const isSparse = (state: Walk | SparseAscent): state is SparseAscent => 'pace' in state;

export default defineAttack<typeof params, Walk | SparseAscent>({
  name: 'apgd',
  title: 'Auto-PGD',
  paper: 'https://arxiv.org/abs/2003.01690',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  params,
  steps: ({ steps }) => steps,
  init: (clean, context) => {
    const { steps, random } = context.params;
    return context.ball.norm === 'L1' ? startSparse(context, steps, random) : start(clean, context);
  },
  step: (state, context) =>
    isSparse(state) ? stepSparse(state, context, context.params.steps, lossOf(context)) : step(state, context),
});
