/**
 * Elastic-net attack: minimise c·f(x) + ‖x - x₀‖₂² + β‖x - x₀‖₁ in the box by iterative shrinkage and thresholding, sped up
 * by momentum, for the smallest c that leads to the goal. With g(y) = c·f(y) + ‖y - x₀‖₂² and Carlini and Wagner's f:
 *
 *   xₖ₊₁ = S_β(yₖ - αₖ ∇g(yₖ)),   yₖ₊₁ = xₖ₊₁ + k/(k + 3)·(xₖ₊₁ - xₖ),   αₖ = α₀·√(1 - k/steps),
 *
 * where S_β takes β off every pixel's distance from x₀, down to none, and clips to [0,1].
 *
 * Chen, Sharma, Zhang, Yi, Hsieh, "EAD: Elastic-Net Attacks to Deep Neural Networks via Adversarial Examples", AAAI 2018,
 * section 4, algorithm 1, equations 5 to 8. Of all candidates that reach the goal the nearest in L1 counts: the paper's L1
 * decision rule. As in the authors' program, a run ends once a tenth of its steps no longer lowers what it minimises. The
 * paper's β is the default; ten times as much often comes nearer in L1, since there the L2 norm counts less.
 */
import { defineAttack, type Loss } from '../src/core/attack.ts';
import { sizeOf, sumOf } from '../src/core/ball.ts';
import { column, none } from '../src/core/column.ts';
import { p } from '../src/core/params.ts';
import { firstTradeOff, stepsOfRuns, weigh } from '../src/core/trade-off.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'ead',
  title: 'Elastic-net attack',
  paper: 'https://arxiv.org/abs/1709.04114',
  norms: ['L1'],
  access: 'gradient',
  minimumNorm: true,
  params: {
    runs: p.integer(9, 'values of c that are tried', { min: 1 }),
    steps: p.integer(1000, 'gradient steps with each c', { min: 1 }),
    step: p.number(0.01, 'first step size, α₀', { above: 0 }),
    beta: p.number(0.001, 'weight of the L1 norm, in pixel units a step (β)', { min: 0 }),
    c: p.number(0.001, 'the first c', { above: 0 }),
    confidence: p.number(0, 'margin of the logits that is asked for (κ)', { min: 0 }),
  },
  steps: stepsOfRuns,
  init: (x, { params }) => ({ x, y: x.clone(), ...firstTradeOff(x.shape[0], params.c), isFinished: none(x) }),

  step: ({ x, y, ...tradeOff }, { clean, logits, margin, params, valueAndGradient }) => {
    const { beta, confidence, steps } = params;
    const missing: Loss = (z) => margin(z).sub(confidence).minimum(0);
    const z = logits(x);
    const δ = x.sub(clean) as tf.Tensor4D;
    const elastic = sumOf(δ.square() as tf.Tensor4D).add(sizeOf('L1', δ).mul(beta));
    const loss = elastic.sub(column(missing(z)).mul(tradeOff.c)) as tf.Tensor4D;
    const reaches = column(margin(z)).greater(confidence) as tf.Tensor4D;
    const { next, renews, isFinished } = weigh(tradeOff, { reaches, loss }, params);

    const k = tradeOff.step;
    const stepSize = tf.scalar(1).sub(k.div(steps)).sqrt().mul(params.step);
    const { gradient } = valueAndGradient(y, missing);
    const descent = y.sub(clean).mul(2).sub(gradient.mul(tradeOff.c));
    const away = y.sub(descent.mul(stepSize)).sub(clean);
    const shrunk = away.sign().mul(away.abs().sub(beta).relu());
    const moved = tf.clipByValue(clean.add(shrunk), 0, 1) as tf.Tensor4D;
    const ahead = moved.add(moved.sub(x).mul(k.div(k.add(3)))) as tf.Tensor4D;

    const afresh = (on: tf.Tensor4D): tf.Tensor4D => tf.where(renews, clean, on);
    return { x: afresh(moved), y: afresh(ahead), ...next, isFinished };
  },
});
