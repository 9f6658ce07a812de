/** The same image gives the same bits wherever it stands, in whatever batch, at every run. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { sizeOf } from '../../src/compile/graph.ts';
import type { HostTensor } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';
import { array, stream, type Values } from './arbitrary.ts';

type PerImage = (x: tf.Tensor, label: tf.Tensor1D) => tf.Tensor;

const gradientOf =
  (fn: PerImage): PerImage =>
  (x, label) =>
    tf.grad((t) => fn(t, label))(x);

const IMAGES = 64;
const BATCHES = [IMAGES, 7, 1];

interface Images {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  readonly labels: Int32Array;
}

const CLASSES = 5;

const images = (shape: readonly number[], values: Values = 'smooth'): Images => ({
  shape,
  data: array(IMAGES * sizeOf(shape), 'float32', 7, values) as Float32Array,
  labels: array(IMAGES, 'int32', 8, { from: 0, to: CLASSES - 1 }) as Int32Array,
});

/** The bits of what every image gives, image by image, in the order in which they were given. */
async function bits(
  fns: Readonly<Record<string, PerImage>>,
  { shape, data, labels }: Images,
  order: readonly number[],
  batch: number,
) {
  const size = sizeOf(shape);
  const run = await compile(
    (x, label) => Object.fromEntries(Object.entries(fns).map(([name, fn]) => [name, fn(x, label as tf.Tensor1D)])),
    [{ shape: [batch, ...shape] }, { shape: [batch], dtype: 'int32' }],
  );
  const found: Record<string, string>[] = [];
  try {
    for (let start = 0; start < order.length; start += batch) {
      // The last batch is filled up with images from the front.
      const places = Array.from({ length: batch }, (_, i) => order[(start + i) % order.length] as number);
      const x = new Float32Array(batch * size);
      places.forEach((place, i) => {
        x.set(data.subarray(place * size, (place + 1) * size), i * size);
      });
      const results: Readonly<Record<string, HostTensor>> = await run(
        x,
        Int32Array.from(places, (place) => labels[place] as number),
      );
      const own = Math.min(batch, order.length - start);
      for (let i = 0; i < own; i++)
        found.push(Object.fromEntries(Object.entries(results).map(([name, result]) => [name, rowBits(result, i)])));
    }
  } finally {
    await run.release();
  }
  return found;
}

function rowBits({ data, shape }: HostTensor, row: number): string {
  const length = data.length / (shape[0] as number);
  const own = data.slice(row * length, (row + 1) * length);
  return Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64');
}

/** A fixed order that is none in particular. */
function shuffled(): number[] {
  const next = stream(3);
  return Array.from({ length: IMAGES }, (_, i) => ({ i, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
}

/** Which functions give an image other bits when it is run again, elsewhere in the batch, or in a batch of another size. */
async function unstable(fns: Readonly<Record<string, PerImage>>, some: Images): Promise<string[]> {
  const inOrder = Array.from({ length: IMAGES }, (_, i) => i);
  const expected = await bits(fns, some, inOrder, IMAGES);
  const found = new Set<string>();
  const check = (order: readonly number[], rows: readonly Record<string, string>[], how: string): void => {
    rows.forEach((row, i) => {
      for (const name of Object.keys(fns))
        if (row[name] !== expected[order[i] as number]?.[name]) found.add(`${name} ${how}`);
    });
  };
  check(inOrder, await bits(fns, some, inOrder, IMAGES), 'run again');
  const permuted = shuffled();
  for (const batch of BATCHES) check(permuted, await bits(fns, some, permuted, batch), `permuted, by ${batch}`);
  return [...found].sort();
}

const POSITIVE = { from: 0.01, to: 4 };

/** An odd number of elements, so that no image but the first begins where a vector does. */
const ODD = [5, 3, 3];

describe('an image gives the same bits wherever it is', () => {
  it('in smooth functions', async () => {
    const fns: Readonly<Record<string, PerImage>> = {
      exp: tf.exp,
      expm1: tf.expm1,
      log: tf.log,
      log1p: tf.log1p,
      sqrt: tf.sqrt,
      rsqrt: tf.rsqrt,
      reciprocal: tf.reciprocal,
      sigmoid: tf.sigmoid,
      tanh: tf.tanh,
      erf: tf.erf,
      softplus: tf.softplus,
      elu: tf.elu,
      selu: tf.selu,
      sin: tf.sin,
      cos: tf.cos,
      tan: tf.tan,
      sinh: tf.sinh,
      cosh: tf.cosh,
      asin: (x) => tf.asin(x.div(5)),
      acos: (x) => tf.acos(x.div(5)),
      atan: tf.atan,
      asinh: tf.asinh,
      acosh: (x) => tf.acosh(x.add(1)),
      atanh: (x) => tf.atanh(x.div(5)),
      pow: (x) => tf.pow(x, 1.7),
      squares: (x) => tf.pow(x, 2),
      atan2: (x) => tf.atan2(x, tf.scalar(0.7)),
      mod: (x) => tf.mod(x, 0.7),
      div: (x) => tf.div(1, x),
      swish: (x) => x.mul(tf.sigmoid(x)),
      gelu: (x) => x.mul(tf.erf(x.div(Math.SQRT2)).add(1)).mul(0.5),
      slopes: gradientOf((x) => tf.addN([tf.tanh(x), tf.softplus(x), tf.elu(x.neg()), tf.log(x.abs()), tf.sigmoid(x)])),
    };
    expect(await unstable(fns, images(ODD, POSITIVE))).toEqual([]);
    const { log, rsqrt, sqrt, acosh, pow, mod, ...anywhere } = fns;
    expect(await unstable(anywhere, images(ODD))).toEqual([]);
  });

  it('in reductions over an image, or a part of it', async () => {
    const perImage = [1, 2, 3];
    const fns: Readonly<Record<string, PerImage>> = {
      sum: (x) => tf.sum(x, perImage),
      'sum, kept': (x) => tf.sum(x, perImage, true),
      'sum of rows': (x) => tf.sum(x, [2, 3]),
      'sum of columns': (x) => tf.sum(x, [1]),
      'sum of channels': (x) => tf.sum(x, -1),
      'sum of pixels': (x) => tf.sum(x, [1, 2]),
      mean: (x) => tf.mean(x, perImage),
      'mean of pixels': (x) => tf.mean(x, [1, 2]),
      prod: (x) => tf.prod(x, perImage),
      max: (x) => tf.max(x, perImage),
      norm: (x) => tf.sqrt(tf.sum(tf.square(x), perImage, true)),
      'sum of magnitudes': (x) => tf.sum(tf.abs(x), perImage),
      variance: (x) => tf.moments(x, perImage, true).variance,
      logSumExp: (x) => tf.logSumExp(x.reshape([x.shape[0], -1]), -1),
      cumsum: (x) => tf.cumsum(x.reshape([x.shape[0], -1]), 1),
      softmax: (x) => tf.softmax(x.reshape([x.shape[0], -1])),
      logSoftmax: (x) => tf.logSoftmax(x.reshape([x.shape[0], -1])),
      'softmax of channels': (x) => tf.softmax(x),
      slopes: (x) => tf.grad((t) => tf.softmax(t.reshape([x.shape[0] as number, -1])).square())(x),
      normalised: (x) => tf.grad((t) => t.div(tf.sqrt(tf.sum(tf.square(t), perImage, true))))(x),
    };
    expect(await unstable(fns, images(ODD))).toEqual([]);
    expect(await unstable(fns, images([4, 4, 8]))).toEqual([]);
    expect(await unstable(fns, images([9, 7, 1]))).toEqual([]);
  });

  it('wherever in memory the caller keeps it', async () => {
    const shape = [2, 8, 8, 4];
    const size = sizeOf(shape);
    const run = await compile(
      (x) => ({
        sum: tf.sum(x, [1, 2, 3]),
        rows: tf.sum(x, [2, 3]),
        channels: tf.sum(x, -1),
        products: tf.prod(x, [1, 2, 3]),
        flat: tf.sum(x.reshape([2, -1]), 1),
      }),
      [{ shape }],
    );
    const found = new Set<string>();
    for (let offset = 0; offset < 16; offset++) {
      const own = new Float32Array(size + offset).subarray(offset);
      own.set(array(size, 'float32', 1, { from: -1.5, to: 1.5 }));
      found.add(
        Object.values(await run(own))
          .map((result) => rowBits(result, 0))
          .join(),
      );
    }
    await run.release();
    expect(found.size).toBe(1);
  });

  it('in matrix products with weights, and their gradients', async () => {
    void tf.setBackend('cpu');
    const weights = (from: number, to: number): tf.Tensor2D =>
      tf.tensor2d(array(from * to, 'float32', from * to) as Float32Array, [from, to]);
    const [wide, narrow, column, small] = [weights(45, 130), weights(45, CLASSES), weights(45, 1), weights(3, 4)];
    const flat = (x: tf.Tensor): tf.Tensor2D => x.reshape([x.shape[0] as number, 45]);
    const fns: Readonly<Record<string, PerImage>> = {
      wide: (x) => tf.matMul(flat(x), wide),
      narrow: (x) => tf.matMul(flat(x), narrow),
      column: (x) => tf.matMul(flat(x), column),
      'gradient of wide': gradientOf((x) => tf.matMul(flat(x), wide).square()),
      'gradient of narrow': gradientOf((x) => tf.matMul(flat(x), narrow).square()),
      'gradient of column': gradientOf((x) => tf.matMul(flat(x), column).square()),
      'of every pixel': (x) =>
        tf.matMul(
          x.reshape([x.shape[0] as number, 15, 3]),
          tf.tile(small.reshape([1, 3, 4]), [x.shape[0] as number, 1, 1]),
        ),
      'of every image with itself': (x) =>
        tf.matMul(x.reshape([x.shape[0] as number, 15, 3]), x.reshape([x.shape[0] as number, 15, 3]), true, false),
      resized: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [7, 8]),
    };
    expect(await unstable(fns, images(ODD))).toEqual([]);
  });

  it('in losses by label', async () => {
    const classes = (x: tf.Tensor): tf.Tensor2D => tf.sum(x, [2, 3]) as tf.Tensor2D;
    const hot = (label: tf.Tensor1D): tf.Tensor => tf.oneHot(label, CLASSES).toFloat();
    const crossEntropy: PerImage = (x, label) => tf.logSoftmax(classes(x)).mul(hot(label)).sum(-1).neg();
    const margin: PerImage = (x, label) => {
      const logits = classes(x);
      const own = logits.mul(hot(label)).sum(-1);
      return logits.sub(hot(label).mul(1e9)).max(-1).sub(own);
    };
    const fns: Readonly<Record<string, PerImage>> = {
      crossEntropy,
      margin,
      'gradient of crossEntropy': (x, label) => tf.grad((t) => crossEntropy(t, label))(x),
      'gradient of margin': (x, label) => tf.grad((t) => margin(t, label))(x),
      top: (x) => tf.topk(classes(x), 3).values,
      predicted: (x) => tf.argMax(classes(x), -1),
    };
    expect(await unstable(fns, images([CLASSES, 3, 3]))).toEqual([]);
  });

  const filter = (...shape: [number, number, number, number]): tf.Tensor4D =>
    tf.tensor4d(array(sizeOf(shape), 'float32', sizeOf(shape), { from: -0.3, to: 0.3 }) as Float32Array, shape);

  const layers: Readonly<Record<string, (channels: number) => PerImage>> = {
    conv: (c) => (x) => tf.conv2d(x as tf.Tensor4D, filter(3, 3, c, 16), 1, 'same'),
    'strided conv': (c) => (x) => tf.conv2d(x as tf.Tensor4D, filter(3, 3, c, 8), 2, 'same'),
    'conv of few channels': (c) => (x) => tf.conv2d(x as tf.Tensor4D, filter(5, 5, c, 3), 1, 'valid'),
    pointwise: (c) => (x) => tf.conv2d(x as tf.Tensor4D, filter(1, 1, c, 24), 1, 'same'),
    'strided pointwise': (c) => (x) => tf.conv2d(x as tf.Tensor4D, filter(1, 1, c, 16), 2, 'same'),
    depthwise: (c) => (x) => tf.depthwiseConv2d(x as tf.Tensor4D, filter(3, 3, c, 1), 1, 'same'),
    'strided depthwise': (c) => (x) => tf.depthwiseConv2d(x as tf.Tensor4D, filter(3, 3, c, 1), 2, 'same'),
    maxPool: () => (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'),
    'overlapping maxPool': () => (x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'same'),
    'gliding maxPool': () => (x) => tf.maxPool(x as tf.Tensor4D, 3, 1, 'same'),
    avgPool: () => (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid'),
    'overlapping avgPool': () => (x) => tf.avgPool(x as tf.Tensor4D, 3, 1, 'same'),
    'global average': () => (x) => tf.mean(x, [1, 2]),
    LRN: () => (x) => tf.localResponseNormalization(x as tf.Tensor4D, 2, 1, 0.01, 0.75),
    batchNorm: (c) => (x) =>
      tf.batchNorm(
        x,
        tf.linspace(-1, 1, c),
        tf.linspace(1, 2, c),
        tf.linspace(-1, 0, c),
        tf.linspace(0.5, 1.5, c),
        1e-3,
      ),
  };

  it.each([3, 16])('in every layer of %i channels, and its gradient', async (channels) => {
    const both = Object.entries(layers).flatMap(([name, make]): [string, PerImage][] => {
      const layer = make(channels);
      return [
        [name, layer],
        [`gradient of ${name}`, (x) => tf.grad((t) => layer(t, tf.tensor1d([])).square())(x)],
      ];
    });
    expect(await unstable(Object.fromEntries(both), images([9, 9, channels]))).toEqual([]);
  });
});

describe('a network gives an image the same bits wherever it is', () => {
  const conv = (filters: number, more: object = {}): tf.layers.Layer =>
    tf.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({ seed: filters }),
      ...more,
    });
  const norm = (): tf.layers.Layer => tf.layers.batchNormalization({ gammaInitializer: 'ones' });
  const relu = (): tf.layers.Layer => tf.layers.reLU();
  const dense = (): tf.layers.Layer =>
    tf.layers.dense({ units: CLASSES, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) });
  const depthwise = (strides: number): tf.layers.Layer =>
    tf.layers.depthwiseConv2d({
      kernelSize: 3,
      padding: 'same',
      strides,
      depthwiseInitializer: tf.initializers.heNormal({ seed: strides }),
    });

  const NETWORKS: Readonly<Record<string, () => tf.layers.Layer[]>> = {
    plain: () => [
      conv(16),
      norm(),
      relu(),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      conv(32),
      norm(),
      relu(),
      tf.layers.maxPooling2d({ poolSize: 3, strides: 2 }),
      tf.layers.flatten(),
      dense(),
    ],
    strided: () => [
      conv(8),
      relu(),
      conv(16, { strides: 2 }),
      norm(),
      relu(),
      conv(24, { strides: 2, kernelSize: 1 }),
      relu(),
      tf.layers.globalAveragePooling2d({}),
      dense(),
    ],
    'depthwise separable': () => [
      conv(8),
      norm(),
      tf.layers.reLU({ maxValue: 6 }),
      depthwise(1),
      norm(),
      tf.layers.reLU({ maxValue: 6 }),
      conv(16, { kernelSize: 1 }),
      depthwise(2),
      norm(),
      relu(),
      tf.layers.averagePooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      dense(),
    ],
  };

  it.each(Object.keys(NETWORKS))('%s', async (name) => {
    void tf.setBackend('cpu');
    const [first, ...rest] = (NETWORKS[name] as () => tf.layers.Layer[])();
    const input = tf.input({ shape: [13, 13, 3] });
    const output = rest.reduce(
      (x, layer) => layer.apply(x) as tf.SymbolicTensor,
      (first as tf.layers.Layer).apply(input) as tf.SymbolicTensor,
    );
    const model = tf.model({ inputs: input, outputs: output });
    const loss = (x: tf.Tensor, label: tf.Tensor1D): tf.Tensor =>
      tf
        .logSoftmax(model.apply(x) as tf.Tensor)
        .mul(tf.oneHot(label, CLASSES).toFloat())
        .sum()
        .neg();
    const fns: Readonly<Record<string, PerImage>> = {
      logits: (x) => model.apply(x) as tf.Tensor,
      gradient: (x, label) => tf.grad((t) => loss(t, label))(x),
      step: (x, label) =>
        x
          .add(
            tf
              .grad((t) => loss(t, label))(x)
              .sign()
              .mul(0.03),
          )
          .clipByValue(0, 1),
    };
    expect(await unstable(fns, images([13, 13, 3], { from: 0, to: 1 }))).toEqual([]);
    model.dispose();
  });
});
