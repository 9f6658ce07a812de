import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAD } from '../../../src/compile/kernels/pad.ts';
import { tf } from '../../../src/tf.ts';
import { missed } from '../agree.ts';
import { any, float, shape } from '../arbitrary.ts';
import { checkMany } from '../check.ts';
import { moving } from './moving.ts';

const pairs = (s: readonly number[], most: (d: number) => number): fc.Arbitrary<[number, number][]> =>
  fc.tuple(...s.map((d) => fc.tuple(fc.integer({ min: 0, max: most(d) }), fc.integer({ min: 0, max: most(d) }))));

describe('kernels that pad agree with TensorFlow.js', () => {
  it('pad with any number', () =>
    checkMany(
      shape(1)
        .chain((s) =>
          fc.tuple(
            fc.oneof(float(s), any(s)),
            pairs(s, () => 2),
            fc.constantFrom(0, 0, 1),
          ),
        )
        .map(([x, paddings, fill]) =>
          moving(`pad by ${JSON.stringify(paddings)}`, x, (t) => tf.pad(t, paddings, fill)),
        ),
      20,
    ));

  it('mirrorPad, with and without the edge', () =>
    checkMany(
      shape(1, 4)
        .chain((s) => fc.constantFrom('reflect' as const, 'symmetric' as const).map((mode) => ({ s, mode })))
        .chain(({ s, mode }) =>
          fc.tuple(
            any(s),
            pairs(s, (d) => (mode === 'reflect' ? d - 1 : d)),
            fc.constant(mode),
          ),
        )
        .map(([x, paddings, mode]) => ({
          title: `mirrorPad ${mode} of ${x.dtype}[${x.shape}] by ${JSON.stringify(paddings)}`,
          inputs: [x],
          fn: (t) => tf.mirrorPad(t as tf.Tensor, paddings, mode),
          tolerance: 'exact' as const,
        })),
      20,
    ));
});

it('every kernel that pads was compiled', () => {
  expect(missed(PAD)).toEqual([]);
});
