import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEMENTWISE } from '../../../src/compile/kernels/elementwise.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, missed, type Operand } from '../agree.ts';
import { any, array, bool, broadcastPair, float, int, operand, shape, shapeOfRank, type Values } from '../arbitrary.ts';
import { check, checkAll, checkMany } from '../check.ts';
import { PROVIDER } from '../provider.ts';

type Unary = (x: tf.Tensor) => tf.Tensor;
type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** One random case of a function of one float tensor. */
const unary = (title: string, fn: Unary, values?: Values, more: Partial<Case> = {}): fc.Arbitrary<Case> =>
  shape()
    .chain((s) => float(s, values))
    .map((x) => ({ title: `${title} of [${x.shape}]`, inputs: [x], fn: fn as Case['fn'], ...more }));

const POSITIVE = { from: 0.01, to: 5 };
const UNIT = { from: -0.99, to: 0.99 };

const SMOOTH: readonly fc.Arbitrary<Case>[] = [
  unary('acos', tf.acos, UNIT),
  unary('acosh', tf.acosh, { from: 1, to: 9 }, { scale: 1 }),
  unary('asin', tf.asin, UNIT),
  unary('asinh', tf.asinh),
  unary('atan', tf.atan),
  unary('atanh', tf.atanh, UNIT),
  unary('cos', tf.cos),
  unary('cosh', tf.cosh),
  unary('elu', tf.elu),
  unary('erf', tf.erf),
  unary('exp', tf.exp),
  unary('expm1', tf.expm1),
  unary('leakyRelu', (x) => tf.leakyRelu(x, 0.3)),
  unary('log', tf.log, POSITIVE),
  unary('log1p', tf.log1p, { from: -0.99, to: 9 }),
  unary('neg', tf.neg, undefined, { tolerance: 'exact' }),
  unary('reciprocal', tf.reciprocal),
  unary('rsqrt', tf.rsqrt, POSITIVE),
  unary('selu', tf.selu),
  // ONNX Runtime's sigmoid is good to about 1e-8, absolutely: far out, few digits are left.
  unary('sigmoid', tf.sigmoid, { from: -20, to: 20 }, { scale: 1 }),
  unary('sin', tf.sin),
  unary('sinh', tf.sinh),
  unary('softplus', tf.softplus, { from: -20, to: 40 }),
  unary('sqrt', tf.sqrt, POSITIVE),
  unary('square', tf.square),
  unary('tan', tf.tan, { from: -1.4, to: 1.4 }),
  unary('tanh', tf.tanh),
];

const EXACT: readonly fc.Arbitrary<Case>[] = [
  unary('abs', tf.abs),
  unary('ceil', tf.ceil),
  unary('clip', (x) => tf.clipByValue(x, -0.5, 1)),
  unary('floor', tf.floor),
  unary('identity', (x) => tf.clone(x)),
  unary('isFinite', tf.isFinite),
  unary('isInf', tf.isInf),
  unary('isNaN', tf.isNaN),
  unary('relu', tf.relu),
  unary('relu6', tf.relu6, { from: -9, to: 9 }),
  unary('round', tf.round),
  unary('sign', tf.sign),
  unary('step', (x) => tf.step(x)),
  unary('step with a slope', (x) => tf.step(x, -0.25)),
].map((one) => one.map((c) => ({ ...c, tolerance: 'exact' as const })));

/** One random case of a function of two tensors whose shapes broadcast. */
const binary = (title: string, fn: Binary, kind: (s: readonly number[]) => fc.Arbitrary<Operand>): fc.Arbitrary<Case> =>
  broadcastPair
    .chain(([a, b]) => fc.tuple(kind(a), kind(b)))
    .map(([a, b]) => ({ title: `${title} of [${a.shape}] and [${b.shape}]`, inputs: [a, b], fn: fn as Case['fn'] }));

const exactly = (kind: fc.Arbitrary<Case>): fc.Arbitrary<Case> =>
  kind.map((c) => ({ ...c, tolerance: 'exact' as const }));

const awayFromZero = (s: readonly number[]): fc.Arbitrary<Operand> =>
  float(s).map((x) => ({ ...x, data: x.data.map((v) => (Math.abs(v) < 0.1 ? 0.75 : v)) }));
const nonZero = (s: readonly number[]): fc.Arbitrary<Operand> =>
  int(s, -9, 9).map((x) => ({ ...x, data: x.data.map((v) => (v === 0 ? 7 : v)) }));

const COMPARISONS: Readonly<Record<string, Binary>> = {
  equal: tf.equal,
  notEqual: tf.notEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
};

const ARITHMETIC: Readonly<Record<string, Binary>> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  maximum: tf.maximum,
  minimum: tf.minimum,
};

const ofBoth = (
  table: Readonly<Record<string, Binary>>,
  kind: (s: readonly number[]) => fc.Arbitrary<Operand>,
): fc.Arbitrary<Case>[] => Object.entries(table).map(([title, fn]) => exactly(binary(title, fn, kind)));

describe('elementwise kernels agree with TensorFlow.js', () => {
  it('on smooth functions', () => checkAll(SMOOTH, 12));

  it('on functions with steps and bends, to the last bit', () => checkAll(EXACT, 20));

  // Not `sign`: TensorFlow.js turns NaN into 0, ONNX Runtime lets it be seen.
  it('on NaN, infinities and both zeros', () => {
    const infinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const vector = (...data: number[]): Operand => ({
      data: Float32Array.from(data),
      shape: [data.length],
      dtype: 'float32',
    });
    // What a shader takes for zero: see `shader-functions.ts`.
    const tiny = PROVIDER === 'webgpu' ? 2e-38 : 1e-40;
    const x = vector(Number.NaN, ...infinite, 0, -0, 1, -1, 3e38, tiny);
    const fns: Readonly<Record<string, Unary>> = {
      abs: tf.abs,
      cosh: tf.cosh,
      exp: tf.exp,
      isFinite: tf.isFinite,
      isInf: tf.isInf,
      isNaN: tf.isNaN,
      neg: tf.neg,
      round: tf.round,
      floor: tf.floor,
      sigmoid: tf.sigmoid,
      sqrt: tf.sqrt,
      square: tf.square,
      tanh: tf.tanh,
      log: tf.log,
      clip: (t) => tf.clipByValue(t, -2, 2),
      'is itself': (t) => tf.equal(t, t),
      'is not itself': (t) => tf.notEqual(t, t),
      'at least one': (t) => tf.greaterEqual(t, 1),
      'plus itself': (t) => tf.add(t, t),
      'minus itself': (t) => tf.sub(t, t),
    };
    const rectified = PROVIDER === 'webgpu' ? vector(...infinite, 0, -0, 3e38) : x;
    return agree([
      ...Object.entries(fns).map(([title, fn]) => ({ title, inputs: [x], fn: fn as Case['fn'] })),
      { title: 'relu', inputs: [rectified], fn: tf.relu as Case['fn'] },
    ]);
  });

  it('when floats broadcast, exactly where arithmetic is one operation', () =>
    checkAll(
      [
        ...ofBoth(ARITHMETIC, float),
        binary('squaredDifference', tf.squaredDifference, float),
        exactly(binary('div', tf.div, awayFromZero)),
      ],
      25,
    ));

  it('when whole numbers broadcast', () =>
    checkAll(
      [
        ...ofBoth({ ...ARITHMETIC, squaredDifference: tf.squaredDifference }, int),
        exactly(binary('floorDiv', tf.floorDiv, nonZero)),
      ],
      15,
    ));

  it('when anything is compared', () =>
    checkAll(
      [float, int].flatMap((kind) => ofBoth(COMPARISONS, kind as typeof float)),
      15,
    ));

  it('when truth values are joined', () =>
    checkAll(
      [
        ...ofBoth(
          { and: tf.logicalAnd, or: tf.logicalOr, xor: tf.logicalXor, equal: tf.equal, notEqual: tf.notEqual },
          bool,
        ),
        bool([2, 3]).map((x) => ({ title: 'not', inputs: [x], fn: tf.logicalNot as Case['fn'] })),
      ],
      15,
    ));

  it('on powers, angles and remainders', () =>
    checkAll(
      [
        binary('pow', (a, b) => tf.pow(tf.abs(a).add(0.1), b), float),
        binary('pow of whole numbers', (a, b) => tf.pow(a, tf.abs(b)), int),
        binary('atan2', tf.atan2, float),
        binary('mod', tf.mod, awayFromZero).map((c) => ({ ...c, scale: 3 })),
        binary('mod of whole numbers', tf.mod, nonZero),
        binary('div of whole numbers', tf.div, nonZero),
        binary('floorDiv of floats', tf.floorDiv, awayFromZero),
        binary('prelu', (a, b) => tf.prelu(a, b), float),
      ],
      20,
    ));

  it('on square powers of negative numbers', () =>
    agree([
      { title: 'square by pow', inputs: [operand([5, 7], 1)], fn: (x) => tf.pow(x as tf.Tensor, 2) },
      {
        title: 'root by pow',
        inputs: [operand([5, 7], 1, { values: POSITIVE })],
        fn: (x) => tf.pow(x as tf.Tensor, 0.5),
      },
    ]));

  it('when types are cast', () =>
    checkMany(
      fc
        .tuple(shape(), fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const))
        .chain(([s, dtype]) => any(s).map((x) => ({ x, dtype })))
        .map(({ x, dtype }) => ({
          title: `cast of ${x.dtype}[${x.shape}] to ${dtype}`,
          inputs: [x],
          fn: (t) => tf.cast(t as tf.Tensor, dtype),
        })),
      20,
    ));

  it('on whole numbers, also where ONNX knows floats alone', () => {
    const fns: Readonly<Record<string, Unary>> = {
      abs: tf.abs,
      neg: tf.neg,
      sign: tf.sign,
      square: tf.square,
      relu: tf.relu,
      relu6: tf.relu6,
      clip: (x) => tf.clipByValue(x, -1, 2),
      round: tf.round,
      exp: tf.exp,
      expm1: tf.expm1,
      step: (x) => tf.step(x),
      isNaN: tf.isNaN,
      isInf: tf.isInf,
      isFinite: tf.isFinite,
      leakyRelu: (x) => tf.leakyRelu(x, 0.1),
      prelu: (x) => tf.prelu(x, tf.scalar(2, 'int32')),
      reciprocal: (x) => tf.reciprocal(x.square().add(tf.scalar(1, 'int32'))),
    };
    const one = (title: string, fn: Unary): fc.Arbitrary<Case> =>
      shape()
        .chain((s) => int(s, -9, 9))
        .map((x) => ({ title: `${title} of int32[${x.shape}]`, inputs: [x], fn: fn as Case['fn'] }));
    return checkAll(
      Object.entries(fns).map(([title, fn]) => one(title, fn)),
      8,
    );
  });

  it('when many are added', () =>
    checkMany(
      fc
        .tuple(shape(), fc.integer({ min: 1, max: 5 }))
        .chain(([s, count]) => fc.array(float(s), { minLength: count, maxLength: count }))
        .map((inputs) => ({
          title: `addN of ${inputs.length}`,
          inputs,
          fn: (...all) => tf.addN(all),
          tolerance: 1e-6,
        })),
      10,
    ));

  it('when types mix, as TensorFlow.js promotes them', () =>
    checkMany(
      broadcastPair
        .chain(([a, b]) =>
          fc.tuple(any(a), any(b), fc.constantFrom(...Object.entries({ ...ARITHMETIC, ...COMPARISONS }))),
        )
        .filter(([a, b]) => a.dtype !== 'bool' || b.dtype !== 'bool')
        .map(([a, b, [title, fn]]) => ({
          title: `${title} of ${a.dtype}[${a.shape}] and ${b.dtype}[${b.shape}]`,
          inputs: [a, b],
          fn: fn as Case['fn'],
        })),
      25,
    ));

  it('on channels-first values next to biases, scalars, per-image and per-pixel tensors', () => {
    const [n, h, w, c] = [2, 3, 4, 5];
    const shapes = [
      [],
      [1],
      [c],
      [w, c],
      [h, w, c],
      [n, 1, 1, 1],
      [1, h, w, 1],
      [1, 1, 1, c],
      [n, h, w, 1],
      [1, 1, w, 1],
    ];
    const narrow = shapes.map((s) => fc.tuple(float([n, h, w, c]), float(s), fc.boolean()));
    const kinds = narrow.map((pair) =>
      pair.map(([x, y, swapped]): Case => {
        const inputs = [{ ...x, arrives: 'channelsFirst' as const }, y];
        if (swapped) inputs.reverse();
        return {
          title: `[${inputs.map((o) => o.shape).join('] · [')}]`,
          inputs,
          fn: tf.mul as Case['fn'],
          tolerance: 'exact',
        };
      }),
    );
    return checkAll(kinds, 10);
  });

  it('on gradients of activations', () => {
    const slope = (fn: Unary): Unary => tf.grad((x) => fn(x) as tf.Tensor);
    return checkAll(
      [
        unary('gradient of elu', slope(tf.elu)),
        unary('gradient of relu', slope(tf.relu)),
        unary('gradient of relu6', slope(tf.relu6), { from: -9, to: 9 }),
        unary(
          'gradient of leakyRelu',
          slope((x) => tf.leakyRelu(x, 0.1)),
        ),
        unary('gradient of selu', slope(tf.selu)),
        unary('gradient of sigmoid', slope(tf.sigmoid), undefined, { scale: 1 }),
        unary('gradient of softplus', slope(tf.softplus)),
        unary('gradient of tanh', slope(tf.tanh)),
        unary('gradient of erf', slope(tf.erf)),
        unary(
          'gradient of swish',
          slope((x) => x.mul(tf.sigmoid(x))),
        ),
        unary(
          'gradient of mish',
          slope((x) => x.mul(tf.tanh(tf.softplus(x)))),
        ),
        unary('gradient of abs', slope(tf.abs)),
        unary(
          'gradient of clip',
          slope((x) => tf.clipByValue(x, -1, 1)),
        ),
      ],
      10,
    );
  });

  it('on gradients of binary kernels towards both sides, through the broadcast', () => {
    const slopes =
      (fn: Binary): Case['fn'] =>
      (a, b) =>
        tf.grads((x, y) => fn(x as tf.Tensor, y as tf.Tensor))([a, b] as tf.Tensor[]);
    const fns: Readonly<Record<string, Binary>> = {
      add: tf.add,
      sub: tf.sub,
      mul: tf.mul,
      div: tf.div,
      atan2: tf.atan2,
    };
    return checkAll(
      Object.entries(fns).map(([title, fn]) =>
        binary(`gradients of ${title}`, fn, awayFromZero).map((c) => ({ ...c, fn: slopes(fn), scale: 100 })),
      ),
      10,
    );
  });

  it('on gradients of parametric rectifiers towards values and slopes', () =>
    checkMany(
      fc
        .tuple(shapeOfRank(4), fc.integer({ min: 1, max: 4 }))
        .chain(([s, rank]) => fc.tuple(float(s), float(s.slice(rank))))
        .map(([x, alpha]) => ({
          title: `gradients of prelu of [${x.shape}] and [${alpha.shape}]`,
          inputs: [x, alpha],
          fn: (a, b) => tf.grads((t, u) => tf.prelu(t as tf.Tensor, u as tf.Tensor))([a, b] as tf.Tensor[]),
        })),
      10,
    ));
});

describe('elementwise kernels keep the digits of', () => {
  /** Numbers of either sign and any size between two powers of ten. */
  const magnitudes = (low: number, high: number): Float32Array => {
    const exponents = array(400, 'float32', 5, { from: low, to: high });
    return Float32Array.from(exponents, (e, i) => (i % 2 === 0 ? 1 : -1) * 10 ** e);
  };

  const precisely = (title: string, data: Float32Array, fn: Unary, exact: (x: number) => number): Promise<void> =>
    agree([
      {
        title,
        inputs: [{ data, shape: [data.length], dtype: 'float32' }],
        fn: fn as Case['fn'],
        judge: ([result]) => {
          data.forEach((x, i) => {
            const wanted = exact(x);
            const got = result?.data[i] as number;
            expect(Math.abs(got - wanted), `${title}(${x}) = ${got}, not ${wanted}`).toBeLessThanOrEqual(
              1e-5 * Math.abs(wanted),
            );
          });
        },
      },
    ]);

  it('expm1 of anything from 1e-30 to 10', () => precisely('expm1', magnitudes(-30, 1), tf.expm1, Math.expm1));

  it('log1p of anything from 1e-30 to 10', () =>
    precisely(
      'log1p',
      magnitudes(-30, 1).filter((x) => x > -0.99),
      tf.log1p,
      Math.log1p,
    ));

  it('log of anything a float can hold', () => precisely('log', magnitudes(-37, 38).map(Math.abs), tf.log, Math.log));

  it('arctangents of anything, arcsines and arccosines up to the edge', async () => {
    await precisely('atan', magnitudes(-30, 30), tf.atan, Math.atan);
    await precisely('asin', magnitudes(-30, 0), tf.asin, Math.asin);
    const edge = Float32Array.of(-1, 1, 0, 0.5, -0.5, 1 - 2 ** -20, 2 ** -20 - 1);
    await precisely('asin', edge, tf.asin, Math.asin);
    await precisely('acos', edge, tf.acos, Math.acos);
  });

  it('tanh of tiny numbers', () => precisely('tanh', magnitudes(-30, 0), tf.tanh, Math.tanh));

  it('sines, tangents and hyperbolic functions of tiny numbers', async () => {
    await precisely('sin', magnitudes(-30, 0), tf.sin, Math.sin);
    await precisely('tan', magnitudes(-30, 0), tf.tan, Math.tan);
    await precisely('sinh', magnitudes(-30, 1), tf.sinh, Math.sinh);
  });

  it('inverse hyperbolic functions from end to end', async () => {
    await precisely('asinh', magnitudes(-30, 38), tf.asinh, Math.asinh);
    const inside = magnitudes(-30, 0).map((x) => Math.max(-0.99, Math.min(0.99, x)));
    await precisely('atanh', inside, tf.atanh, Math.atanh);
    const above = magnitudes(-5, 37).map((x) => 1 + Math.abs(x));
    await precisely('acosh', above, tf.acosh, Math.acosh);
  });
});

describe('elementwise kernels follow TensorFlow.js where opinions differ', () => {
  it('a remainder has the sign of the divisor', async () => {
    const a = [7, -7, 7, -7, 6, -6, 5.5, -5.5];
    const b = [3, 3, -3, -3, 3, -3, 2, 2];
    const pair = (dtype: 'float32' | 'int32', count: number): Operand[] =>
      [a, b].map((list) => ({
        data: (dtype === 'float32' ? Float32Array : Int32Array).from(list.slice(0, count)),
        shape: [count],
        dtype,
      }));
    await agree([
      { title: 'mod', inputs: pair('float32', 8), fn: tf.mod as Case['fn'] },
      { title: 'mod', inputs: pair('int32', 6), fn: tf.mod as Case['fn'] },
      { title: 'floorDiv', inputs: pair('float32', 8), fn: tf.floorDiv as Case['fn'] },
      { title: 'floorDiv', inputs: pair('int32', 6), fn: tf.floorDiv as Case['fn'] },
    ]);
  });

  it('halves round to even', () =>
    agree([
      {
        title: 'round',
        inputs: [{ data: Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5), shape: [7], dtype: 'float32' }],
        fn: tf.round as Case['fn'],
        judge: ([y]) => expect(Array.from(y?.data ?? [], Math.abs)).toEqual([2, 2, 0, 0, 2, 2, 4]),
      },
    ]));

  it('a step is one for every positive number, however small', () =>
    agree([
      {
        title: 'step',
        inputs: [{ data: Float32Array.of(1e-37, 1e-30, 1e-10, -1e-30, 0, -0), shape: [6], dtype: 'float32' }],
        fn: ((x) => tf.step(x)) as Case['fn'],
        tolerance: 'exact',
      },
    ]));

  it('a step of a difference tells a number from its very neighbours', () =>
    check(
      fc.array(
        fc.oneof(
          fc.constantFrom(6, 1, -6, 2 ** -20, 2 ** -30, 2 ** 20, 2 ** 40),
          // Differences below 1e-38 are no longer told from zero.
          fc.float({ noNaN: true }).filter((x) => Math.abs(x) > 1e-30),
        ),
        { minLength: 4, maxLength: 4 },
      ),
      (limits) =>
        agree(
          limits.map((limit): Case => {
            const bits = new Int32Array(Float32Array.of(limit).buffer)[0] as number;
            const neighbours = new Float32Array(Int32Array.of(bits - 1, bits, bits + 1).buffer).filter(Number.isFinite);
            const far = [0, -0, 1e38, -1e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
            const data = Float32Array.of(...neighbours, ...far);
            return {
              title: `step of ${limit} - x`,
              inputs: [{ data, shape: [data.length], dtype: 'float32' }],
              fn: (x) => [tf.step(tf.sub(limit, x as tf.Tensor)), tf.step(tf.sub(limit, x as tf.Tensor), 0.5)],
              tolerance: 'exact',
            };
          }),
        ),
      12,
    ));

  it('whole numbers divide exactly, beyond what a float can hold', () =>
    check(
      fc.tuple(
        fc.integer(),
        fc.integer().filter((b) => b !== 0),
      ),
      ([a, b]) =>
        agree([
          {
            title: `floorDiv of ${a} and ${b}`,
            inputs: [a, b].map((v): Operand => ({ data: Int32Array.of(v), shape: [1], dtype: 'int32' })),
            fn: tf.floorDiv as Case['fn'],
          },
        ]),
      20,
    ));
});

it('every elementwise kernel was compiled', () => {
  expect(missed(ELEMENTWISE)).toEqual([]);
});
