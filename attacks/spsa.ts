/**
 * SPSA: gradient ascent without gradients. With random signs vᵢ ∈ {-1, +1}^D the slope along each,
 *
 *     ĝ = 1/n Σᵢ (J(x + δ vᵢ) - J(x - δ vᵢ)) / 2δ · vᵢ,
 *
 * estimates ∇J (for signs, 1/vᵢ is vᵢ); Adam steps along ĝ, and the ball and the box are projected on. J is the margin.
 *
 * Uesato, O'Donoghue, van den Oord, Kohli, "Adversarial Risk and the Dangers of Evaluating Against Weak Attacks", ICML 2018,
 * section 4.1 and algorithm 1; after Spall, "Multivariate stochastic approximation using a simultaneous perturbation gradient
 * approximation", IEEE Transactions on Automatic Control 37, 1992. Adam: Kingma and Ba, ICLR 2015, algorithm 1.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'spsa',
  title: 'Simultaneous perturbation stochastic approximation',
  paper: 'https://arxiv.org/abs/1802.05666',
  norms: ['Linf'],
  access: 'score',
  params: {
    steps: p.integer(100, 'steps', { min: 1 }),
    samples: p.integer(64, 'directions a step, of two queries each', { min: 1 }),
    delta: p.number(0.01, 'length δ of a query’s way, in pixel units', { min: 1e-6 }),
    rate: p.number(0.01, 'Adam’s learning rate in pixel units', { min: 0 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, mean: tf.zerosLike(x), square: tf.zerosLike(x) }),
  step: (state, { ball, iteration, logits, margin, noise, params: { samples, delta, rate } }) => {
    const [images, ...shape] = state.x.shape;
    const v = noise([samples, ...shape], 'uniform')
      .sub(0.5)
      .sign();
    const x = state.x.expandDims(1);
    const ways = v.mul(delta);
    const queries = tf.concat([x.add(ways), x.sub(ways)], 1).reshape([-1, ...shape]) as tf.Tensor4D;
    const [up, down] = tf.split(margin(logits(queries)).reshape([images, 2 * samples]), 2, 1) as [tf.Tensor, tf.Tensor];
    const slopes = up.sub(down).div(2 * delta * samples) as tf.Tensor2D;
    const gradient: tf.Tensor4D = slopes
      .expandDims(1)
      .matMul(v.reshape([images, samples, -1]))
      .reshape(state.x.shape);

    const mean = decayed(state.mean, gradient, FIRST);
    const square = decayed(state.square, gradient.square(), SECOND);
    const t = iteration.add(1);
    const unbiased = (moment: tf.Tensor4D, decay: number): tf.Tensor4D =>
      moment.div(tf.scalar(1).sub(tf.pow(tf.scalar(decay), t)));
    const step = unbiased(mean, FIRST).div(unbiased(square, SECOND).sqrt().add(TINY)).mul(rate);
    return { x: ball.project(state.x.add(step)), mean, square };
  },
});

/** Adam's decay of the first and of the second moment, and what keeps it from dividing by zero. */
const [FIRST, SECOND, TINY] = [0.9, 0.999, 1e-8];

const decayed = (moment: tf.Tensor4D, next: tf.Tensor4D, decay: number): tf.Tensor4D =>
  moment.mul(decay).add(next.mul(1 - decay));
