/** Random shapes, operands and values for tests of the compiler. */
import fc from 'fast-check';
import { sizeOf } from '../../src/compile/graph.ts';
import type { DType, HostArray } from '../../src/compile/types.ts';
import type { Operand } from './agree.ts';

/** A stream of numbers in [0, 1) that a seed determines (mulberry32). */
export function stream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How values are drawn. `grid`: multiples of 1/2, so that ties, zeros and whole numbers are common (but no -0). */
export type Values = 'smooth' | 'grid' | { readonly from: number; readonly to: number };

export function array(length: number, dtype: DType, seed: number, values: Values = 'smooth'): HostArray {
  const next = stream(seed);
  if (dtype === 'bool') return Uint8Array.from({ length }, () => Number(next() < 0.5));
  const { from, to } = typeof values === 'object' ? values : { from: -3, to: 3 };
  if (dtype === 'int32') return Int32Array.from({ length }, () => Math.floor(from + next() * (to - from + 1)));
  if (values === 'grid')
    return Float32Array.from({ length }, () => Math.round((from + next() * (to - from)) * 2) / 2 + 0);
  return Float32Array.from({ length }, () => from + next() * (to - from));
}

/** An operand with values drawn from a seed. */
export function operand(
  shape: readonly number[],
  seed: number,
  {
    dtype = 'float32',
    values = 'smooth',
    arrives = 'input',
  }: Partial<Pick<Operand, 'dtype' | 'arrives'>> & {
    readonly values?: Values;
  } = {},
): Operand {
  return { data: array(sizeOf(shape), dtype, seed, values), shape, dtype, arrives };
}

export const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** A shape of that many axes, mostly short, sometimes of length one. */
export const shapeOfRank = (rank: number, max = 4): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max }), { minLength: rank, maxLength: rank });

/** A shape of 0 to 5 axes. */
export const shape = (min = 0, max = 5): fc.Arbitrary<number[]> =>
  fc.integer({ min, max }).chain((rank) => shapeOfRank(rank, rank > 3 ? 3 : 5));

/** How a float operand of that shape reaches the kernel under test. */
export const arrival = (shape: readonly number[]): fc.Arbitrary<NonNullable<Operand['arrives']>> =>
  shape.length === 4 ? fc.constantFrom('input', 'constant', 'channelsFirst') : fc.constantFrom('input', 'constant');

/** A float operand of that shape: smooth or on a grid, arriving any way it can. */
export const float = (shape: readonly number[], values?: Values): fc.Arbitrary<Operand> =>
  fc
    .record({
      seed,
      drawn: values === undefined ? fc.constantFrom<Values>('smooth', 'grid') : fc.constant(values),
      arrives: arrival(shape),
    })
    .map(({ seed, drawn, arrives }) => operand(shape, seed, { values: drawn, arrives }));

/** An int32 operand of that shape, within the given bounds (inclusive). */
export const int = (shape: readonly number[], from = -3, to = 3): fc.Arbitrary<Operand> =>
  fc
    .record({ seed, arrives: fc.constantFrom<'input' | 'constant'>('input', 'constant') })
    .map(({ seed, arrives }) => operand(shape, seed, { dtype: 'int32', values: { from, to }, arrives }));

export const bool = (shape: readonly number[]): fc.Arbitrary<Operand> =>
  fc
    .record({ seed, arrives: fc.constantFrom<'input' | 'constant'>('input', 'constant') })
    .map(({ seed, arrives }) => operand(shape, seed, { dtype: 'bool', arrives }));

export const any = (shape: readonly number[]): fc.Arbitrary<Operand> => fc.oneof(float(shape), int(shape), bool(shape));

/** Two shapes that broadcast against each other: axes of length one and missing leading axes on either side. */
export const broadcastPair: fc.Arbitrary<[number[], number[]]> = shape().chain((full) =>
  fc.tuple(narrowed(full), narrowed(full)).map(([a, b]) => (fits(a, b, full) ? [a, b] : [full, b])),
);

const narrowed = (full: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: full.length }),
      fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
    )
    .map(([dropped, ones]) => full.map((d, i) => (ones[i] === true ? 1 : d)).slice(dropped));

const fits = (a: readonly number[], b: readonly number[], full: readonly number[]): boolean =>
  Math.max(a.length, b.length) === full.length;
