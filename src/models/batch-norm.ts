/**
 * Batch normalisation: y = γ · (x - μ) / √(σ² + ε) + β for each channel.
 *
 * Ioffe, Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
 * ICML 2015, algorithms 1 and 2; names, ε, momentum and the unbiased running variance are PyTorch's.
 *
 * TensorFlow.js has such a layer too, but it keeps a biased running variance, and its training gradient, derived step by
 * step through the moments, records ten maps of the size of x where the closed form needs two.
 */
import { tf } from '../tf.ts';

/** How far the running statistics move towards a batch's. */
const MOMENTUM = 0.1;

interface Weights {
  readonly weight: tf.LayerVariable;
  readonly bias: tf.LayerVariable;
  readonly runningMean: tf.LayerVariable;
  readonly runningVariance: tf.LayerVariable;
}

/**
 * A layer over the last axis: with the running statistics in inference, with the batch's in training. A training pass that is
 * `still` leaves the running ones as they are.
 */
export class BatchNorm extends tf.layers.Layer {
  static readonly className = 'GibbonBatchNorm';
  readonly #epsilon: number;
  #weights: Weights | undefined;

  constructor(name: string, epsilon: number) {
    super({ name });
    this.#epsilon = epsilon;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape).at(-1) as number;
    const add = (name: string, initial: 'zeros' | 'ones', trainable: boolean): tf.LayerVariable =>
      this.addWeight(name, [channels], 'float32', tf.initializers[initial](), undefined, trainable);
    this.#weights = {
      weight: add('weight', 'ones', true),
      bias: add('bias', 'zeros', true),
      runningMean: add('running_mean', 'zeros', false),
      runningVariance: add('running_var', 'ones', false),
    };
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { training, still }: { training?: boolean; still?: boolean },
  ): tf.Tensor {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    const weights = this.#weights;
    if (weights === undefined) throw new Error(`${this.name} is used before it is built`);
    return tf.tidy(() =>
      training === true
        ? normaliseByBatch(x, weights, this.#epsilon, still === true)
        : normaliseByRunning(x, weights, this.#epsilon),
    );
  }
}

/** With the running statistics, as one product and one sum: x·a + (β - μ·a), a = γ / √(σ² + ε). */
function normaliseByRunning(x: tf.Tensor, weights: Weights, epsilon: number): tf.Tensor {
  const a = weights.weight.read().mul(inverseDeviation(weights.runningVariance.read(), epsilon));
  return x.mul(a).add(weights.bias.read().sub(weights.runningMean.read().mul(a)));
}

/** With the batch's own statistics, towards which the running ones then move, unless all is to keep still. */
function normaliseByBatch(x: tf.Tensor, weights: Weights, epsilon: number, still: boolean): tf.Tensor {
  const { weight, bias, runningMean, runningVariance } = weights;
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const mean = x.mean(axes);
  const centred = x.sub(mean);
  const variance = centred.square().mean(axes);
  const values = x.size / mean.size;
  if (!still) {
    moveTowards(runningMean, mean);
    moveTowards(runningVariance, variance.mul(values / Math.max(1, values - 1)));
  }
  return scaleAndShift(x, centred, inverseDeviation(variance, epsilon), weight.read(), bias.read());
}

const inverseDeviation = (variance: tf.Tensor, epsilon: number): tf.Tensor => variance.add(epsilon).rsqrt();

function moveTowards(running: tf.LayerVariable, batch: tf.Tensor): void {
  running.write(
    running
      .read()
      .mul(1 - MOMENTUM)
      .add(batch.mul(MOMENTUM)),
  );
}

/**
 * γ·x̂ + β with x̂ = (x - μ) / √(σ² + ε), and its gradient in closed form, μ and σ² being functions of x: with n values a
 * channel,
 *
 *     ∂γ = Σ ∂y·x̂,   ∂β = Σ ∂y,   ∂x = γ / √(σ² + ε) · (∂y - ∂β / n - x̂ · ∂γ / n).
 */
function scaleAndShift(
  x: tf.Tensor,
  centred: tf.Tensor,
  inverse: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor,
): tf.Tensor {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const forward = (_x: tf.Tensor, γ: tf.Tensor, β: tf.Tensor, save: tf.GradSaveFunc) => {
    const a = γ.mul(inverse);
    save([centred, inverse, a]);
    return { value: centred.mul(a).add(β), gradFunc: backward };
  };
  const backward = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
    const [xc, r, a] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const n = xc.size / a.size;
    const dβ = dy.sum(axes);
    const dγ = dy.mul(xc).sum(axes).mul(r);
    const ofCentred = a.mul(r).mul(dγ).div(n);
    const dx = dy.mul(a).sub(xc.mul(ofCentred)).sub(a.mul(dβ).div(n));
    return [dx, dγ, dβ];
  };
  return tf.customGrad(forward as Parameters<typeof tf.customGrad>[0])(x, weight, bias);
}
