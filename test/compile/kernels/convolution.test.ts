import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lower } from '../../../src/compile/compile.ts';
import { CONVOLUTION } from '../../../src/compile/kernels/convolution.ts';
import { recordFunction } from '../../../src/compile/recorder.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, missed, type Operand } from '../agree.ts';
import { float } from '../arbitrary.ts';
import { check, checkMany } from '../check.ts';

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D;

interface Geometry {
  readonly x: Operand;
  readonly filter: Operand;
  readonly strides: [number, number];
  readonly pad: Pad;
  readonly dilations: [number, number];
  readonly rounding: 'floor' | 'ceil' | 'round' | undefined;
}

const SIZES: readonly [number, number][] = [
  [1, 1],
  [3, 3],
  [5, 5],
  [1, 3],
  [3, 1],
  [2, 2],
  [4, 2],
];

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const explicit = (kh: number, kw: number): fc.Arbitrary<tf.backend_util.ExplicitPadding> =>
  fc
    .tuple(between(0, kh - 1), between(0, kh - 1), between(0, kw - 1), between(0, kw - 1))
    .map(([top, bottom, left, right]) => [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);

/** `channels` gives input channels and, per input channel or in all, the outputs. */
const geometry = (
  channels: fc.Arbitrary<readonly [number, number]>,
  { dilated = false, rounded = false, square = false } = {},
): fc.Arbitrary<Geometry> =>
  fc
    .record({
      n: between(1, 3),
      h: between(4, 9),
      w: between(4, 9),
      channels,
      size: fc.constantFrom(...SIZES),
      stride: square ? between(1, 3).map((s): [number, number] => [s, s]) : fc.tuple(between(1, 3), between(1, 3)),
      dilation: fc.tuple(between(1, 2), between(1, 2)),
      rounding: fc.constantFrom('floor' as const, 'ceil' as const, 'round' as const),
    })
    .chain(({ n, h, w, channels: [from, to], size: [kh, kw], stride, dilation, rounding }) =>
      fc.record({
        x: float([n, h, w, from]),
        filter: float([kh, kw, from, to]),
        strides: fc.constant(dilated ? ([1, 1] as [number, number]) : stride),
        pad: rounded
          ? fc.oneof(between(0, Math.min(kh, kw) - 1), explicit(kh, kw))
          : fc.oneof(
              fc.constantFrom('same' as const, 'valid' as const),
              between(0, Math.min(kh, kw) - 1),
              explicit(kh, kw),
            ),
        dilations: fc.constant(dilated ? dilation : ([1, 1] as [number, number])),
        rounding: fc.constant(rounded ? rounding : undefined),
      }),
    )
    // Where padding is a number, TensorFlow.js takes everything to be square.
    .filter(
      ({ filter, strides, dilations, pad }) =>
        typeof pad !== 'number' || [filter.shape, strides, dilations].every((pair) => pair[0] === pair[1]),
    )
    // A window larger than what it slides over gives nothing.
    .filter(({ x, filter, dilations, pad }) =>
      [0, 1].every((axis) => {
        const reach = ((filter.shape[axis] as number) - 1) * (dilations[axis] as number) + 1;
        return pad === 'same' || reach <= (x.shape[axis + 1] as number);
      }),
    );

const FEW = fc.tuple(between(1, 4), between(1, 4));
/** Whole vector registers of channels, which take other paths. */
const BLOCKS = fc.constantFrom<readonly [number, number]>(
  [16, 16],
  [8, 16],
  [16, 8],
  [32, 16],
  [16, 48],
  [3, 16],
  [16, 5],
);
const ANY = fc.oneof(FEW, BLOCKS);

const title = (what: string, { x, filter, strides, pad, dilations, rounding }: Geometry): string =>
  `${what} of [${x.shape}] (${x.arrives}) with [${filter.shape}] (${filter.arrives}), strides ${strides}, pad ${JSON.stringify(pad)}, dilations ${dilations}, ${rounding}`;

const dense =
  ({ strides, pad, dilations, rounding }: Geometry): Convolve =>
  (x, filter) =>
    tf.conv2d(x, filter, strides, pad, 'NHWC', dilations, rounding);

const depthwise =
  ({ strides, pad, dilations, rounding }: Geometry): Convolve =>
  (x, filter) =>
    tf.depthwiseConv2d(x, filter, strides as [number, number], pad, 'NHWC', dilations, rounding);

const forward =
  (what: string, make: (g: Geometry) => Convolve) =>
  (g: Geometry): Case => ({
    title: title(what, g),
    inputs: [g.x, g.filter],
    fn: (x, filter) => make(g)(x as tf.Tensor4D, filter as tf.Tensor4D),
  });

/** The result, and its gradients towards the input and the filter. */
const withGradients =
  (what: string, make: (g: Geometry) => Convolve) =>
  (g: Geometry): Case => ({
    ...forward(what, make)(g),
    fn: (x, filter) => [
      make(g)(x as tf.Tensor4D, filter as tf.Tensor4D),
      ...tf.grads((a, b) => make(g)(a as tf.Tensor4D, b as tf.Tensor4D).square())([x, filter] as tf.Tensor[]),
    ],
  });

const MULTIPLIED = fc.tuple(fc.constantFrom(1, 2, 3, 4, 16), between(1, 3));

describe('convolutions agree with TensorFlow.js', () => {
  it('with their gradients', () => checkMany(geometry(FEW).map(withGradients('conv2d', dense)), 22, 6));

  it('with their gradients, on whole blocks of channels', () =>
    checkMany(geometry(BLOCKS).map(withGradients('conv2d', dense)), 12, 3));

  it('depthwise, with their gradients', () =>
    checkMany(geometry(MULTIPLIED).map(withGradients('depthwiseConv2d', depthwise)), 18, 6));

  it('dilated', () => checkMany(geometry(ANY, { dilated: true }).map(forward('dilated conv2d', dense)), 15, 6));

  it('depthwise and dilated', () =>
    checkMany(geometry(MULTIPLIED, { dilated: true }).map(forward('dilated depthwiseConv2d', depthwise)), 15, 6));

  it('whose output is rounded up, down or to nearest', () =>
    checkMany(geometry(FEW, { rounded: true }).map(forward('conv2d', dense)), 20, 6));

  it('depthwise, whose output is rounded', () =>
    checkMany(geometry(MULTIPLIED, { rounded: true }).map(forward('depthwiseConv2d', depthwise)), 15, 6));

  it('transposed, with their gradients', () =>
    checkMany(
      geometry(FEW, { square: true })
        .filter(({ pad }) => typeof pad === 'string')
        .map(({ x, filter, strides, pad }): Case => {
          // Here the filter's last axis is the input's channels.
          const turned = {
            ...filter,
            shape: [...filter.shape.slice(0, 2), filter.shape[3], filter.shape[2]] as number[],
          };
          const size = [1, 2].map((axis) => {
            const [from, k, s] = [x.shape[axis], filter.shape[axis - 1], strides[axis - 1]] as [number, number, number];
            return pad === 'same' ? from * s : (from - 1) * s + k;
          }) as [number, number];
          const shape: [number, number, number, number] = [x.shape[0] as number, ...size, turned.shape[2] as number];
          const fn: Convolve = (a, b) => tf.conv2dTranspose(a, b, shape, strides as [number, number], pad as 'same');
          return {
            title: `conv2dTranspose of [${x.shape}] with [${turned.shape}], strides ${strides}, ${pad}`,
            inputs: [x, turned],
            fn: (a, b) => [
              fn(a as tf.Tensor4D, b as tf.Tensor4D),
              ...tf.grads((u, v) => fn(u as tf.Tensor4D, v as tf.Tensor4D).square())([a, b] as tf.Tensor[]),
            ],
          };
        }),
      20,
      6,
    ));

  it('separable', () =>
    checkMany(
      geometry(fc.tuple(between(1, 4), between(1, 2)), { square: true })
        .filter(({ pad }) => typeof pad === 'string')
        .chain((g) =>
          fc.tuple(fc.constant(g), float([1, 1, (g.filter.shape[2] as number) * (g.filter.shape[3] as number), 3])),
        )
        .map(
          ([g, pointwise]): Case => ({
            title: title('separableConv2d', g),
            inputs: [g.x, g.filter, pointwise],
            fn: (x, d, p) =>
              tf.separableConv2d(
                x as tf.Tensor4D,
                d as tf.Tensor4D,
                p as tf.Tensor4D,
                g.strides as [number, number],
                g.pad as 'same',
              ),
          }),
        ),
      10,
      6,
    ));

  it('fused with a bias and an activation', () => {
    const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
    const kinds = fc.tuple(fc.constantFrom(...activations), fc.boolean(), fc.boolean());
    return checkMany(
      kinds
        .chain(([activation, deep, biased]) =>
          fc.tuple(geometry(deep ? MULTIPLIED : ANY), fc.constant(activation), fc.constant(deep), fc.constant(biased)),
        )
        .chain(([g, activation, deep, biased]) => {
          const outputs = deep
            ? (g.filter.shape[2] as number) * (g.filter.shape[3] as number)
            : (g.filter.shape[3] as number);
          return fc.tuple(
            fc.constant(g),
            fc.constant({ activation, deep, biased }),
            float([outputs]),
            float([1, 1, outputs]),
          );
        })
        .map(
          ([g, { activation, deep, biased }, bias, slope]): Case => ({
            title: `${title(deep ? 'fused depthwise' : 'fused', g)}, ${activation}, ${biased ? 'biased' : 'unbiased'}`,
            inputs: [g.x, g.filter, bias, slope],
            fn: (x, filter, b, s) =>
              tf.fused[deep ? 'depthwiseConv2d' : 'conv2d']({
                x: x as tf.Tensor4D,
                filter: filter as tf.Tensor4D,
                strides: g.strides as [number, number],
                // The types of tf.fused know no explicit padding; its code does.
                pad: g.pad as 'same',
                ...(biased ? { bias: b as tf.Tensor1D } : {}),
                activation,
                ...(activation === 'prelu' ? { preluActivationWeights: s as tf.Tensor } : {}),
                leakyreluAlpha: 0.3,
              }),
          }),
        ),
      25,
      5,
    );
  });

  it('next to a bias per channel, a factor per image and a mask per pixel', () =>
    check(
      geometry(ANY)
        .filter(({ strides, pad }) => strides.every((s) => s === 1) && pad === 'same')
        .chain((g) => {
          const [n, h, w] = g.x.shape as [number, number, number];
          const channels = g.filter.shape[3] as number;
          return fc.tuple(fc.constant(g), float([channels]), float([n, 1, 1, 1]), float([1, h, w, 1]));
        }),
      ([g, bias, factor, mask]) =>
        agree([
          {
            title: title('conv2d and neighbours', g),
            inputs: [g.x, g.filter, bias, factor, mask],
            fn: (x, filter, b, f, m) =>
              tf.grads((u, v, ...rest) => {
                const y = dense(g)(u as tf.Tensor4D, v as tf.Tensor4D);
                return y
                  .add(rest[0] as tf.Tensor)
                  .relu()
                  .mul(rest[1] as tf.Tensor)
                  .mul(2)
                  .sub(rest[2] as tf.Tensor)
                  .square()
                  .mean([1, 2]);
              })([x, filter, b, f, m] as tf.Tensor[]),
          },
        ]),
      10,
    ));
});

describe('convolutions in blocks of channels', () => {
  it.each(['relu', 'relu6'] as const)('apply a %s as they write their result', (activation) => {
    const specs = { x: { shape: [1, 4, 4, 16] }, filter: { shape: [1, 1, 16, 16] } };
    const { graph } = recordFunction(
      ({ x, filter }) => {
        const fused = {
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: 'same' as const,
          activation,
        };
        return { y: tf.fused.conv2d(fused) };
      },
      specs,
      'frozen',
    );
    const { nodes } = lower(graph, { provider: 'cpu', block: 16, poolIndices: true });
    const conv = nodes.find(({ operator }) => operator === 'Conv');
    expect(conv?.attributes.activation).toBe({ relu: 'Relu', relu6: 'Clip' }[activation]);
    expect(nodes.map(({ operator }) => operator)).not.toContain(conv?.attributes.activation);
  });
});

it('every convolution was compiled', () => {
  expect(missed(CONVOLUTION)).toEqual([]);
});
