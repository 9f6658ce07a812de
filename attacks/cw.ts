/**
 * Carlini and Wagner's L2 attack: minimise ‖x - x₀‖₂² + c·f(x) by Adam, over w with x = ½(tanh w + 1), which is always in the
 * box, for the smallest c that leads to the goal, where
 *
 *   f(x) = max(z_y - max_{j≠y} z_j + κ, 0),   towards a target t: max(max_{j≠t} z_j - z_t + κ, 0).
 *
 * Carlini, Wagner, "Towards Evaluating the Robustness of Neural Networks", IEEE Symposium on Security and Privacy 2017,
 * sections V and VI-A. As in the authors' program, c is sought in nine runs from .001 on, the clean image is drawn in by a
 * share of 10⁻⁶ so that its w is finite, and a run ends once a tenth of its steps no longer lowers the loss. That happens
 * here image by image, there to the batch. Runs are of 1,000 steps: of half as many, some pixels that begin at a wall, where
 * tanh is flat, do not return in time; the authors' program allows 10,000.
 */
import { defineAttack, type Loss } from '../src/core/attack.ts';
import { sumOf } from '../src/core/ball.ts';
import { column, none } from '../src/core/column.ts';
import { p } from '../src/core/params.ts';
import { firstTradeOff, stepsOfRuns, weigh } from '../src/core/trade-off.ts';
import { tf } from '../src/tf.ts';

/** What is left of an image's contrast, so that no pixel is at a wall. */
const CONTRAST = 1 - 1e-6;

/** Adam's (Kingma and Ba 2015). */
const [DECAY, SQUARES_DECAY, EPSILON] = [0.9, 0.999, 1e-8];

const one = (): tf.Scalar => tf.scalar(1);

/** artanh(2x - 1) = ½ log(x / (1 - x)). */
function toW(x: tf.Tensor4D): tf.Tensor4D {
  const inner = x.mul(CONTRAST).add((1 - CONTRAST) / 2);
  return inner.div(one().sub(inner)).log().mul(0.5);
}

/** ½(tanh w + 1) = 1 / (1 + e⁻²ʷ), which keeps the digits of pixels next to black. */
const toImage = (w: tf.Tensor4D) => one().div(w.mul(-2).exp().add(1)) as tf.Tensor4D;

/** 1 - decayᵗ, by which a running average that began at 0 is too small. */
const weightOf = (decay: number, t: tf.Tensor4D) => t.mul(Math.log(decay)).expm1().neg() as tf.Tensor4D;

export default defineAttack({
  name: 'cw',
  title: 'Carlini and Wagner',
  paper: 'https://arxiv.org/abs/1608.04644',
  norms: ['L2'],
  access: 'gradient',
  minimumNorm: true,
  params: {
    runs: p.integer(9, 'values of c that are tried', { min: 1 }),
    steps: p.integer(1000, 'gradient steps with each c', { min: 1 }),
    step: p.number(0.01, 'step size of Adam in w', { above: 0 }),
    c: p.number(0.001, 'the first c', { above: 0 }),
    confidence: p.number(0, 'margin of the logits that is asked for (κ)', { min: 0 }),
  },
  steps: stepsOfRuns,

  init: (x, { params }) => {
    const still = tf.zerosLike(x);
    const tradeOff = firstTradeOff(x.shape[0], params.c);
    return { x, w: toW(x), mean: still, squares: still.clone(), ...tradeOff, isFinished: none(x) };
  },

  step: ({ x, w, mean, squares, ...tradeOff }, { clean, margin, params, valueAndGradient }) => {
    const missing: Loss = (z) => margin(z).sub(params.confidence).minimum(0);
    const { value, gradient, logits } = valueAndGradient(x, missing);
    const δ = x.sub(clean);
    const loss = sumOf(δ.square() as tf.Tensor4D).sub(column(value).mul(tradeOff.c)) as tf.Tensor4D;
    const reaches = column(margin(logits)).greater(params.confidence) as tf.Tensor4D;
    const { next, renews, isFinished } = weigh(tradeOff, { reaches, loss }, params);

    // ∂x/∂w = ½(1 - tanh² w) = 2x(1 - x).
    const slope = x.mul(one().sub(x)).mul(2);
    const g = δ.mul(2).sub(gradient.mul(tradeOff.c)).mul(slope);
    const [m, v] = [
      mean.mul(DECAY).add(g.mul(1 - DECAY)),
      squares.mul(SQUARES_DECAY).add(g.square().mul(1 - SQUARES_DECAY)),
    ];
    const t: tf.Tensor4D = tradeOff.step.add(1);
    const scale = v.div(weightOf(SQUARES_DECAY, t)).sqrt().add(EPSILON);
    const moved = w.sub(m.div(weightOf(DECAY, t)).div(scale).mul(params.step));

    const afresh = <T extends tf.Tensor>(start: T, on: tf.Tensor): T => tf.where(renews, start, on) as T;
    const still = tf.zerosLike(x);
    const after = afresh(toW(clean), moved);
    return {
      x: afresh(clean, toImage(after)),
      w: after,
      mean: afresh(still, m),
      squares: afresh(still, v),
      ...next,
      isFinished,
    };
  },
});
