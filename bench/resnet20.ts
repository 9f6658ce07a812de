/**
 * The 20-layer residual network for 32x32 images of He et al. 2016, section 4.2, with projection shortcuts, in plain
 * TensorFlow.js operations: what a user's own network looks like to the compiler.
 */
import { fillNoise, stringHash } from '../src/core/rng.ts';
import { tf } from '../src/tf.ts';

type Layer = (x: tf.Tensor4D) => tf.Tensor4D;

export interface PlainNetwork {
  readonly weights: readonly tf.Variable[];
  logits(x: tf.Tensor4D): tf.Tensor2D;
}

const STAGES = [
  { channels: 16, stride: 1 },
  { channels: 32, stride: 2 },
  { channels: 64, stride: 2 },
];
const BLOCKS_PER_STAGE = 3;

export function resnet20(classes: number): PlainNetwork {
  const weights: tf.Variable[] = [];
  const make = (shape: number[], deviation: number, mean = 0): tf.Variable => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    fillNoise(values, { seed: 0, image: stringHash('resnet20'), restart: 0, step: weights.length, draw: 0 }, 'normal');
    const variable = tf.variable(
      tf.tensor(
        values.map((v) => mean + deviation * v),
        shape,
      ),
    );
    weights.push(variable);
    return variable;
  };
  /** Convolution, then batch normalisation by the batch's own statistics. */
  const convolution = (from: number, to: number, size: number, stride: number): Layer => {
    const filter = make([size, size, from, to], Math.sqrt(2 / (size * size * from)));
    const [scale, offset] = [make([to], 0, 1), make([to], 0)];
    const pad = (size - 1) / 2;
    return (x) => {
      const y = tf.conv2d(x, filter as tf.Tensor4D, stride, pad);
      const { mean, variance } = tf.moments(y, [0, 1, 2]);
      return tf.batchNorm(
        y,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-5,
      );
    };
  };
  const layers: Layer[] = [];
  const stem = convolution(3, 16, 3, 1);
  layers.push((x) => tf.relu(stem(x)));
  let from = 16;
  for (const { channels, stride } of STAGES) {
    for (let block = 0; block < BLOCKS_PER_STAGE; block++) {
      const step = block === 0 ? stride : 1;
      const [first, second] = [convolution(from, channels, 3, step), convolution(channels, channels, 3, 1)];
      const shortcut = from === channels ? undefined : convolution(from, channels, 1, step);
      layers.push((x) => tf.relu(second(tf.relu(first(x))).add(shortcut?.(x) ?? x)));
      from = channels;
    }
  }
  const [dense, bias] = [make([from, classes], Math.sqrt(1 / from)), make([classes], 0)];
  const logits = (x: tf.Tensor4D): tf.Tensor2D => {
    const features = layers.reduce((y, layer) => layer(y), x);
    return features
      .mean<tf.Tensor2D>([1, 2])
      .matMul(dense as tf.Tensor2D)
      .add(bias);
  };
  return { weights, logits };
}
