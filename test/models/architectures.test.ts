import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import { UserError } from '../../src/core/errors.ts';
import { assembleNetwork, buildNetwork, type NetworkSpec, smallSpec } from '../../src/models/network.ts';
import { architectures, findArchitecture } from '../../src/models/registry.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { relativeError } from './close.ts';
import { oracleImages } from './oracle-weights.ts';

beforeAll(() => tf.setBackend('cpu'));

/**
 * As torchvision counts its networks of 224x224 images and 1,000 classes; MobileNet V1 as Keras does. Of the forms called
 * `paper`: 60 million (Krizhevsky et al. 2012), and the 6,998,552 of the published Caffe GoogLeNet.
 */
const PARAMETERS: Readonly<Record<string, number>> = {
  alexnet: 61_100_840,
  'alexnet/paper': 60_965_224,
  googlenet: 6_624_904,
  'googlenet/paper': 6_998_552,
  resnet18: 11_689_512,
  resnet34: 21_797_672,
  resnet50: 25_557_032,
  densenet121: 7_978_856,
  densenet169: 14_149_480,
  mobilenet_v1: 4_231_976,
  mobilenet_v2: 3_504_872,
  vgg11: 132_863_336,
  vgg13: 133_047_848,
  vgg16: 138_357_544,
  vgg19: 143_667_240,
};

const imagenet = (arch: string): NetworkSpec => ({
  arch,
  variant: 'imagenet',
  width: 1,
  input: [224, 224, 3],
  classes: 1000,
  normalisation: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
});

/** The small form, thinner than usual so that the plain backend is quick. */
const thin = (arch: string, input: NetworkSpec['input'] = [28, 28, 1]): NetworkSpec => ({
  ...smallSpec(arch, { input, classes: Array<string>(10).fill('') }),
  width: 1 / 32,
});

describe.each(architectures)('$name', ({ name, title, paper, year, idea, variants }) => {
  it('is found by its name and says what it is', () => {
    expect(findArchitecture(name).title).toBe(title);
    expect(new URL(paper).protocol).toBe('https:');
    expect(year).toBeGreaterThan(1980);
    expect(idea).toMatch(/^[A-Z].*[^.]$/);
  });

  it('has exactly the parameters of the published network, without taking their memory', () => {
    const before = process.memoryUsage().rss;
    const network = assembleNetwork(imagenet(name));
    expect(network.parameters).toBe(PARAMETERS[name]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    network.dispose();
  });

  const others = Object.keys(variants).filter((variant) => variant !== 'imagenet' && variant !== 'small');
  it.each(others)('has exactly the parameters of the paper in its form called %s', (variant) => {
    const network = assembleNetwork({ ...imagenet(name), variant });
    expect(network.parameters).toBe(PARAMETERS[`${name}/${variant}`]);
    network.dispose();
  });

  it.each(Object.keys(variants))('names every layer and weight of its %s form once', (variant) => {
    const network = assembleNetwork({ ...imagenet(name), variant, width: 1 / 32 });
    const layers = network.model.layers.map((layer) => layer.name);
    expect(new Set(layers).size).toBe(layers.length);
    const weights = weightsOf(network.model).map((weight) => weight.name);
    expect(new Set(weights).size).toBe(weights.length);
    for (const weight of weights) expect(weight).toMatch(/^[\w./]+\.(weight|bias|running_mean|running_var)$/);
    network.dispose();
  });

  it.each<NetworkSpec['input']>([
    [28, 28, 1],
    [32, 32, 3],
    [64, 48, 3],
  ])('takes images of %ix%ix%i in its small form', (...input) => {
    const network = buildNetwork(thin(name, input), 0);
    const logits = network.classifier.logits(tf.fill([1, ...input], 0.5) as tf.Tensor4D);
    expect(logits.shape).toEqual([1, 10]);
    expect(logits.dataSync().every(Number.isFinite)).toBe(true);
    expect(network.classifier).toMatchObject({ name, classes: 10, input });
    network.dispose();
  });

  it('treats each image on its own: the logits of a batch are those of its images one by one', () => {
    const network = buildNetwork(thin(name), 0);
    const batch = tf.tensor4d(oracleImages(3, [28, 28, 1]), [3, 28, 28, 1]);
    const together = network.classifier.logits(batch).dataSync();
    const alone = batch.split(3).flatMap((image) => [...network.classifier.logits(image as tf.Tensor4D).dataSync()]);
    expect(relativeError(together, alone)).toBeLessThan(1e-6);
    network.dispose();
  });

  it('compiles to what TensorFlow.js computes step by step, input gradient included', async () => {
    const network = buildNetwork(thin(name), 0);
    const gradient = (x: tf.Tensor): { logits: tf.Tensor; gradient: tf.Tensor } => ({
      logits: network.classifier.logits(x as tf.Tensor4D),
      gradient: tf.grad((image: tf.Tensor) =>
        network.classifier
          .logits(image as tf.Tensor4D)
          .square()
          .sum(),
      )(x),
    });
    const images = oracleImages(2, [28, 28, 1]);
    const results = await Promise.all(
      [compile, eager].map(async (prepare: Prepare) => {
        const run = await prepare(gradient, [{ shape: [2, 28, 28, 1] }]);
        const { logits, gradient: towardsImage } = await run(images);
        await run.release();
        return { logits: logits.data, gradient: towardsImage.data };
      }),
    );
    const [compiled, reference] = results as [(typeof results)[number], (typeof results)[number]];
    expect(relativeError(compiled.logits, reference.logits)).toBeLessThan(1e-5);
    expect(relativeError(compiled.gradient, reference.gradient)).toBeLessThan(1e-4);
    network.dispose();
  });

  it.each(['huge', 'toString', ''])('has no variant "%s"', (variant) => {
    expect(() => assembleNetwork({ ...thin(name), variant })).toThrow(UserError);
    expect(() => assembleNetwork({ ...thin(name), variant })).toThrow(/Known: imagenet,.* small/);
  });

  it('refuses images too small for its imagenet form, naming the form that takes them', () => {
    expect(() => assembleNetwork({ ...imagenet(name), input: [28, 28, 3] })).toThrow(/use small/);
  });
});

describe('an architecture that is not there', () => {
  it.each([
    ['vgg166', /unknown architecture "vgg166". Did you mean "vgg16"\?/],
    ['resnet152', /unknown architecture "resnet152"/],
  ])('%s is refused in one line', (name, message) => {
    expect(() => findArchitecture(name)).toThrow(message);
    expect(() => findArchitecture(name)).toThrow(UserError);
  });
});
