import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { adaptiveAveragePool, chain, conv, dense, flatten, maxPool, relu } from '../../src/models/blocks.ts';
import { assembleNetwork, buildNetwork, type NetworkSpec, trainingLogits } from '../../src/models/network.ts';
import { permute } from '../../src/models/permute.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { relativeError } from './close.ts';
import { fillWithOracleWeights, oracleImages } from './oracle-weights.ts';

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../oracles/models/${name}`, import.meta.url), 'utf8'));

/** PyTorch's layout of images or gradients. */
const nchw = (x: tf.Tensor): Float32Array => permute(x.dataSync() as Float32Array, x.shape, [0, 3, 1, 2]);

const softmaxCrossEntropy = (logits: tf.Tensor2D, labels: readonly number[]): tf.Tensor1D => {
  const oneHot = tf.oneHot(tf.tensor1d([...labels], 'int32'), logits.shape[1]);
  return oneHot.mul(tf.logSoftmax(logits)).sum(1).neg() as tf.Tensor1D;
};

/** What PyTorch is asked for too: logits, summed loss, its gradient towards the images. */
function inferenceOf(logitsOf: (x: tf.Tensor4D) => tf.Tensor2D, x: tf.Tensor4D, labels: readonly number[]) {
  const loss = (images: tf.Tensor4D): tf.Scalar => softmaxCrossEntropy(logitsOf(images), labels).sum();
  return {
    logits: logitsOf(x).dataSync(),
    loss: loss(x).dataSync(),
    gradient: nchw(tf.grad((images) => loss(images as tf.Tensor4D))(x)),
  };
}

const SPEC: NetworkSpec = {
  arch: 'vgg16',
  variant: 'small',
  width: 1 / 8,
  input: [28, 28, 1],
  classes: 10,
  normalisation: { mean: [0], std: [1] },
};

beforeAll(() => tf.setBackend('cpu'));

describe('the blocks', () => {
  const { labels, logits, loss, gradient } = golden('blocks.json');

  it('compute what PyTorch computes: strides, padding, pooling, the order of features', () => {
    const image = tf.input({ shape: [11, 9, 2] });
    const net = chain(
      conv(4, 5, { stride: 2, padding: 2 })('conv'),
      relu()('relu'),
      adaptiveAveragePool(4)('down'),
      adaptiveAveragePool(7)('up'),
      maxPool(2)('pool'),
      flatten()('flatten'),
      dense(3)('fc'),
    );
    const model = tf.model({ inputs: image, outputs: net(image) });
    fillWithOracleWeights(model);
    const ours = inferenceOf(
      (x) => model.apply(x) as tf.Tensor2D,
      tf.tensor4d(oracleImages(2, [11, 9, 2]), [2, 11, 9, 2]),
      labels,
    );
    expect(relativeError(ours.logits, logits)).toBeLessThan(1e-6);
    expect(relativeError(ours.loss, [loss])).toBeLessThan(1e-6);
    expect(relativeError(ours.gradient, gradient)).toBeLessThan(1e-6);
    model.dispose();
  });
});

describe('the paper’s AlexNet', () => {
  const { labels, logits, loss, gradient, parameters } = golden('alexnet-paper.json');

  it('computes what PyTorch computes: groups of filters and local response normalisation, gradient included', () => {
    const network = assembleNetwork({
      arch: 'alexnet',
      variant: 'paper',
      width: 1 / 16,
      input: [99, 99, 3],
      classes: 10,
      normalisation: { mean: [0, 0, 0], std: [1, 1, 1] },
    });
    fillWithOracleWeights(network.model);
    const images = tf.tensor4d(oracleImages(2, [99, 99, 3]), [2, 99, 99, 3]);
    const ours = inferenceOf((x) => network.classifier.logits(x), images, labels);
    expect(network.parameters).toBe(parameters);
    expect(relativeError(ours.logits, logits)).toBeLessThan(1e-5);
    expect(relativeError(ours.loss, [loss])).toBeLessThan(1e-5);
    const samples = ours.gradient.filter((_, i) => i % 97 === 0);
    expect(relativeError(samples, gradient)).toBeLessThan(1e-4);
    network.dispose();
  });
});

describe('the small VGG-16', () => {
  const { labels, parameters, inference, training } = golden('vgg16-small.json');
  const images = () => tf.tensor4d(oracleImages(2, [28, 28, 1]), [2, 28, 28, 1]);

  it('computes in inference what PyTorch computes, gradient included', () => {
    const network = buildNetwork(SPEC, 0);
    fillWithOracleWeights(network.model);
    const ours = inferenceOf((x) => network.classifier.logits(x), images(), labels);
    expect(network.parameters).toBe(parameters);
    expect(relativeError(ours.logits, inference.logits)).toBeLessThan(1e-5);
    expect(relativeError(ours.loss, [inference.loss])).toBeLessThan(1e-5);
    expect(relativeError(ours.gradient, inference.gradient)).toBeLessThan(1e-4);
    network.dispose();
  });

  it('computes in training mode what PyTorch computes: weights’ gradients and running statistics included', async () => {
    const network = buildNetwork(SPEC, 0);
    fillWithOracleWeights(network.model);
    const x = images();
    let logits = tf.tensor2d([[0]]);
    const { value, grads } = tf.variableGrads(() => {
      logits = tf.keep(trainingLogits(network, x));
      return softmaxCrossEntropy(logits, labels).mean();
    });
    expect(relativeError(logits.dataSync(), training.logits)).toBeLessThan(1e-4);
    expect(relativeError(value.dataSync(), [training.loss])).toBeLessThan(1e-5);

    // The gradients, read through the same door as weights: under PyTorch's names and in its layout.
    const running = new Map(
      await Promise.all(weightsOf(network.model).map(async (w) => [w.name, await w.read()] as const)),
    );
    for (const variable of network.model.trainableWeights) variable.write(grads[variable.name] as tf.Tensor);
    const gradients = new Map(
      await Promise.all(weightsOf(network.model).map(async (w) => [w.name, await w.read()] as const)),
    );
    for (const [name, expected] of Object.entries<number[]>(training.gradients)) {
      expect(relativeError(gradients.get(name) ?? [], expected), name).toBeLessThan(1e-3);
    }
    for (const [name, expected] of Object.entries<number[]>(training.running)) {
      expect(relativeError(running.get(name) ?? [], expected), name).toBeLessThan(1e-5);
    }
    network.dispose();
  });
});
