/**
 * Auto-PGD, which chooses its step size itself: z = Π(x + η · steepest ∇f(x)), x⁺ = Π(x + α·(z - x) + (1 - α)·(x - x⁻)),
 * α = 1 at first and .75 then. From η = 2ε on, η is halved at a checkpoint w_j, and the walk goes on from the best point,
 * if (1) the loss rose in fewer than ρ·(w_j - w_{j-1}) steps since the last one, or (2) η was not halved there and the
 * best loss has not changed since.
 *
 * Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, algorithm 1 and section 3. Checkpoints and start are those of the authors' program; as there, the walk also
 * goes on with the best point's gradient, which costs no other, and a loss is compared with the one computed before it.
 */
import { defineAttack } from '../src/core/attack.ts';
import { sizeOf } from '../src/core/ball.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

const MOMENTUM = 0.75;
const NEVER = Number.NEGATIVE_INFINITY;

/** The steps w_1 … w_n before which the step size may be halved: intervals of .22 N, each .03 N shorter, down to .06 N. */
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

export default defineAttack({
  name: 'apgd',
  title: 'Auto-PGD',
  paper: 'https://arxiv.org/abs/2003.01690',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(100, 'gradient steps', { min: 1 }),
    loss: p.choice('cross-entropy', ['cross-entropy', 'dlr'], 'the loss that is raised'),
    rho: p.number(0.75, 'share ρ of the steps that must raise the loss', { min: 0, max: 1 }),
    random: p.boolean(true, 'start at a random point of the ball’s edge'),
  },
  steps: ({ steps }) => steps,
  init: (x, { ball, epsilon, noise, params }) => {
    // Linf: some pixel is on the edge; L2: the point is.
    const u = (): tf.Tensor4D =>
      ball.norm === 'Linf'
        ? (noise(x.shape.slice(1), 'uniform').mul(2).sub(1) as tf.Tensor4D)
        : (noise(x.shape.slice(1), 'normal') as tf.Tensor4D);
    const direction = params.random ? u() : tf.zerosLike(x);
    const edge = direction.div(sizeOf(ball.norm, direction).maximum(1e-12));
    const start = ball.project(x.add(edge.mul(epsilon)));
    const never = tf.fill(epsilon.shape, NEVER);
    return {
      ...{ x: start, previous: start, stepSize: epsilon.mul<tf.Tensor4D>(2) },
      ...{ best: start, bestGradient: tf.zerosLike(x), bestLoss: never },
      ...{ lastLoss: never, rises: tf.zerosLike(epsilon) },
      ...{ bestAtCheckpoint: never, halvedAtCheckpoint: tf.zerosLike(epsilon) },
    };
  },
  step: (state, { ball, iteration, valueAndGradient, crossEntropy, dlr, params }) => {
    const { x } = state;
    const { value, gradient } = valueAndGradient(x, params.loss === 'dlr' ? dlr : crossEntropy);
    const loss = value.reshape<tf.Tensor4D>(iteration.shape);
    const better = loss.greater(state.bestLoss);
    const best = tf.where(better, x, state.best);
    const bestGradient = tf.where(better, gradient, state.bestGradient);
    const bestLoss = loss.maximum<tf.Tensor4D>(state.bestLoss);
    const rises = state.rises.add<tf.Tensor4D>(loss.greater(state.lastLoss).toFloat());

    // w_0 = 0 is a checkpoint too, from which the first interval is counted and nothing is halved.
    const checkpoints = [0, ...checkpointsOf(params.steps)];
    const intervals = checkpoints.map((step, j) => step - (checkpoints[j - 1] ?? 0));
    const isAt = iteration.equal(tf.tensor1d(checkpoints)).toFloat();
    const reached = isAt.sum(3, true).greater(0);
    const fewRises = rises.less(isAt.mul(tf.tensor1d(intervals)).sum(3, true).mul(params.rho));
    const stuck = state.halvedAtCheckpoint.equal(0).logicalAnd(bestLoss.equal(state.bestAtCheckpoint));
    const halve = reached.logicalAnd(fewRises.logicalOr(stuck));

    const stepSize = tf.where(halve, state.stepSize.mul(0.5), state.stepSize) as tf.Tensor4D;
    const from = tf.where(halve, best, x);
    const direction = ball.steepest(tf.where(halve, bestGradient, gradient));
    const z = ball.project(from.add(direction.mul(stepSize)));
    const alpha = tf.where(iteration.equal(0), 1, MOMENTUM);
    const inertia = from.sub(state.previous).mul(tf.scalar(1).sub(alpha));
    return {
      ...{ x: ball.project(from.add(z.sub(from).mul(alpha)).add(inertia)), previous: from, stepSize },
      ...{ best, bestGradient, bestLoss },
      ...{ lastLoss: loss, rises: tf.where(reached, tf.zerosLike(rises), rises) },
      bestAtCheckpoint: tf.where(reached, bestLoss, state.bestAtCheckpoint),
      halvedAtCheckpoint: tf.where(reached, halve.toFloat(), state.halvedAtCheckpoint) as tf.Tensor4D,
    };
  },
});
