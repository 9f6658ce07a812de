/** Whole random graphs, with the gradients of all that goes in, against TensorFlow.js. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import type { HostTensor, Weights } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';
import { compare } from './agree.ts';
import { array, seed, stream } from './arbitrary.ts';
import { check } from './check.ts';

const [BATCH, SIDE, CHANNELS] = [2, 6, 4];

/** A tensor of the graph under construction: images, or rows of features. */
type Images = tf.Tensor4D;
type Rows = tf.Tensor2D;

/** Where an operation gets its weights: a fresh variable of that shape, or in later passes the same one again. */
type Weight = <R extends tf.Tensor>(shape: number[]) => R;

type ImageOp = (x: Images, other: Images, weight: Weight) => Images;
type RowOp = (x: Rows, other: Rows, weight: Weight) => Rows;

const channels = (x: tf.Tensor): number => x.shape.at(-1) as number;

/** Everything keeps or halves the side, so that shapes stay few; channels follow those of x. */
const IMAGE_OPS: Readonly<Record<string, ImageOp>> = {
  conv: (x, _, w) => tf.conv2d(x, w<tf.Tensor4D>([3, 3, channels(x), CHANNELS]), 1, 'same'),
  'conv of blocks': (x, _, w) =>
    tf
      .conv2d(
        tf.conv2d(x, w<tf.Tensor4D>([1, 1, channels(x), 16]), 1, 'same'),
        w<tf.Tensor4D>([3, 3, 16, 16]),
        1,
        'same',
      )
      .slice([0, 0, 0, 0], [-1, -1, -1, CHANNELS]),
  'blocks, rectified': (x, _, w) => {
    const wide = tf.conv2d(x, w<tf.Tensor4D>([1, 1, channels(x), 16]), 1, 'same').mul<Images>(9);
    const mixed = tf.relu6(tf.conv2d(wide, w<tf.Tensor4D>([1, 1, 16, 16]), 1, 'same').add<Images>(w([16])));
    return tf
      .relu(tf.conv2d(mixed, w<tf.Tensor4D>([3, 3, 16, 16]), 1, 'same'))
      .slice([0, 0, 0, 0], [-1, -1, -1, CHANNELS])
      .div(9);
  },
  'strided conv and back': (x, _, w) => {
    const small = tf.conv2d(x, w<tf.Tensor4D>([3, 3, channels(x), CHANNELS]), 2, 'same');
    return tf.conv2dTranspose(
      small,
      w<tf.Tensor4D>([2, 2, CHANNELS, CHANNELS]),
      [BATCH, SIDE, SIDE, CHANNELS],
      2,
      'same',
    );
  },
  pointwise: (x, _, w) => tf.conv2d(x, w<tf.Tensor4D>([1, 1, channels(x), CHANNELS]), 1, 'valid'),
  depthwise: (x, _, w) => tf.depthwiseConv2d(x, w<tf.Tensor4D>([3, 3, channels(x), 1]), 1, 'same'),
  bias: (x, _, w) => x.add(w([channels(x)])),
  scale: (x, _, w) => x.mul(w([channels(x)])),
  'per image': (x) => x.mul(tf.mean(x, [1, 2, 3], true)),
  'per pixel': (x) => x.add(tf.mean(x, -1, true)),
  squeeze: (x, _, w) =>
    x.mul(
      tf.sigmoid(
        tf.conv2d(tf.mean<Images>(x, [1, 2], true), w<tf.Tensor4D>([1, 1, channels(x), channels(x)]), 1, 'same'),
      ),
    ),
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x.mul(4)).div(4),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  elu: (x) => tf.elu(x),
  sigmoid: (x) => tf.sigmoid(x),
  swish: (x) => x.mul(tf.sigmoid(x)),
  tanh: (x) => tf.tanh(x),
  maxPool: (x) => tf.maxPool(x, 3, 1, 'same'),
  avgPool: (x) => tf.avgPool(x, 3, 1, 'same'),
  'weighed, an axis up': (x, _, w) =>
    x.add(
      x
        .sub(tf.mean(x, 1, true))
        .mul(w([1, 1, 1, 1, 1]))
        .sum<Images>(1),
    ),
  'max apart': (x) =>
    tf.pad(tf.maxPool(x, 2, 2, 'same'), [
      [0, 0],
      [3, 0],
      [0, 3],
      [0, 0],
    ]),
  batchNorm: (x, _, w) =>
    tf.batchNorm(
      x,
      w<tf.Tensor1D>([channels(x)]),
      w<tf.Tensor1D>([channels(x)])
        .square()
        .add(0.5),
      w<tf.Tensor1D>([channels(x)]),
      w<tf.Tensor1D>([channels(x)]),
      1e-3,
    ) as Images,
  'batchNorm in training': (x, _, w) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(
      x as tf.Tensor,
      mean as tf.Tensor1D,
      variance.add(0.1) as tf.Tensor1D,
      w<tf.Tensor1D>([channels(x)]),
      w<tf.Tensor1D>([channels(x)]),
      1e-3,
    ) as Images;
  },
  lrn: (x) => tf.localResponseNormalization(x, 1, 1, 0.1, 0.75),
  add: (x, other) => (channels(x) === channels(other) ? x.add(other) : x),
  mul: (x, other) => (channels(x) === channels(other) ? x.mul(other) : x),
  max: (x, other) => (channels(x) === channels(other) ? tf.maximum(x, other) : x),
  concat: (x, other) => (channels(x) + channels(other) > 12 ? x : tf.concat([x, other], 3)),
  shuffle: (x) => tf.concat<Images>(tf.split<Images>(x, 2, 3).reverse(), 3),
  flip: (x) => tf.reverse(x, 2),
  transpose: (x) => tf.transpose(x, [0, 2, 1, 3]),
  shift: (x) =>
    tf
      .pad(x, [
        [0, 0],
        [1, 0],
        [0, 1],
        [0, 0],
      ])
      .slice([0, 0, 1, 0], [-1, SIDE, SIDE, -1]),
  mirror: (x) =>
    tf
      .mirrorPad(
        x,
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        'reflect',
      )
      .slice([0, 1, 1, 0], [-1, SIDE, SIDE, -1]),
};

const ROW_OPS: Readonly<Record<string, RowOp>> = {
  dense: (x, _, w) => tf.matMul(x, w<Rows>([channels(x), 5])).add(w([5])),
  'dense turned': (x, _, w) => tf.matMul(x, w<Rows>([5, channels(x)]), false, true),
  'bilinear form': (x) => tf.matMul(tf.matMul(x, x, false, true), x).mul(0.1),
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  normalise: (x) => x.div(tf.sqrt(tf.sum(tf.square(x), -1, true).add(0.1))),
  centre: (x) => x.sub(tf.mean(x, 0, true)),
  'weighed, an axis up': (x, _, w) =>
    x.add(
      x
        .sub(tf.mean(x, 1, true))
        .mul(w([1, 1, 1]))
        .sum(1),
    ),
  clip: (x) => tf.clipByValue(x, -0.5, 0.5),
  'log of exp': (x) => tf.log(tf.exp(x).add(0.5)),
  add: (x, other) => (channels(x) === channels(other) ? x.add(other) : x),
  concat: (x, other) => tf.concat([x, other], 1),
  pick: (x) => tf.gather(x, tf.tensor1d([0, 0, channels(x) - 1], 'int32'), 1),
  abs: (x) => tf.abs(x),
  'soft margin': (x) => tf.softplus(x.neg()),
};

interface Plan {
  readonly images: readonly { readonly op: string; readonly from: number; readonly other: number }[];
  readonly rows: readonly { readonly op: string; readonly from: number; readonly other: number }[];
  readonly flat: boolean;
  readonly seed: number;
}

const steps = (ops: object, min: number, max: number) =>
  fc.array(
    fc.record({ op: fc.constantFrom(...Object.keys(ops)), from: fc.nat({ max: 2 }), other: fc.nat({ max: 9 }) }),
    { minLength: min, maxLength: max },
  );

const plan: fc.Arbitrary<Plan> = fc.record({
  images: steps(IMAGE_OPS, 2, 8),
  rows: steps(ROW_OPS, 1, 4),
  flat: fc.boolean(),
  seed,
});

/** Most operations continue the last tensor; some reach back to an earlier one, so that branches arise. */
const reach = <T>(made: readonly T[], back: number): T => made[Math.max(0, made.length - 1 - back)] as T;

function build({ images, rows, flat }: Plan, x: tf.Tensor, weight: Weight): tf.Tensor {
  const maps: Images[] = [x.mul(weight([CHANNELS])) as Images];
  for (const { op, from, other } of images) {
    const apply = IMAGE_OPS[op] as ImageOp;
    maps.push(apply(reach(maps, from), reach(maps, other), weight));
  }
  const last = maps.at(-1) as Images;
  const features: Rows[] = [flat ? last.reshape([BATCH, -1]) : (tf.mean(last, [1, 2]) as Rows)];
  for (const { op, from, other } of rows) {
    const apply = ROW_OPS[op] as RowOp;
    features.push(apply(reach(features, from), reach(features, other), weight));
  }
  return features.at(-1) as Rows;
}

/** The value at the end, and the gradients of a sum of it towards the images and every weight. */
function withGradients(one: Plan, x: tf.Tensor, variables: tf.Variable[]): Record<string, tf.Tensor> {
  let used = 0;
  const next = stream(one.seed);
  const weight = (<R extends tf.Tensor>(shape: number[]): R => {
    const known = variables[used];
    const size = shape.reduce((a, b) => a * b, 1);
    const made =
      known ?? tf.variable(tf.tensor(array(size, 'float32', Math.floor(next() * 1e9), { from: -0.6, to: 0.6 }), shape));
    if (known === undefined) variables.push(made);
    used += 1;
    return made as tf.Tensor as R;
  }) as Weight;
  const loss = (t: tf.Tensor): tf.Scalar => {
    used = 0;
    const end = build(one, t, weight);
    return end.mul(tf.linspace(0.5, 1.5, channels(end))).sum();
  };
  const value = build(one, x, weight);
  const { grads } = tf.variableGrads(() => loss(x), variables);
  const towards = variables.map((variable, i): [string, tf.Tensor] => [
    `w${i}`,
    grads[variable.name] ?? tf.zerosLike(variable),
  ]);
  return { value, dx: tf.grad(loss)(x), ...Object.fromEntries(towards) };
}

async function follows(one: Plan, weights: Weights): Promise<void> {
  void tf.setBackend('cpu');
  const shape = [BATCH, SIDE, SIDE, CHANNELS];
  const x = array(BATCH * SIDE * SIDE * CHANNELS, 'float32', one.seed, { from: -1, to: 1 }) as Float32Array;
  const variables: tf.Variable[] = [];
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  try {
    const eager = tf.tidy(() => withGradients(one, tf.tensor(x, shape), variables));
    const run = await compile((t) => withGradients(one, t, variables), [{ shape }], { weights, threads: 1 });
    const results = await run(x);
    await run.release();
    const largest = (tensor: tf.Tensor): number => Math.max(...Array.from(tensor.dataSync(), Math.abs));
    // Some gradients are nothing but rounding: that of a bias before batch normalisation, say.
    const noise = Math.max(0.5, ...Object.values(eager).map(largest)) / 10;
    for (const [name, tensor] of Object.entries(eager)) {
      const expected = { data: tensor.dataSync() as Float32Array, shape: tensor.shape, dtype: 'float32' } as const;
      const scale = Math.max(noise, largest(tensor));
      const got = results[name] as HostTensor;
      compare(`${name} of ${JSON.stringify(one)}`, [got], [expected], { tolerance: 2e-4, scale });
    }
    tf.dispose(eager);
  } finally {
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables))
      if (!before.has(name)) variable.dispose();
  }
}

describe('random networks and their gradients agree with TensorFlow.js', () => {
  it('with frozen weights', () => check(plan, (one) => follows(one, 'frozen'), 40));

  it('with live weights', () => check(plan, (one) => follows(one, 'live'), 40));
});
