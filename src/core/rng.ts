/**
 * Counter-based random numbers: a value is a pure function of a key and a position, never of what was drawn before. So
 * noise depends on (seed, image, restart, step) alone, whatever the batch size, the order or the number of workers.
 *
 * The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */

/** Where in the stream a draw stands. All numbers are taken modulo 2³². */
export interface NoiseKey {
  readonly seed: number;
  /** Identity of the image: `stringHash(dataset id)`. */
  readonly image: number;
  readonly restart: number;
  readonly step: number;
  /** Which draw within the step: 0 for the first `noise(...)`, 1 for the second. */
  readonly draw: number;
}

export type Distribution = 'uniform' | 'normal';

/** FNV-1a, 32 bit, over the UTF-8 bytes: a stable number for a name. */
export function stringHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const ROUNDS = 10;
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** The high 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Philox4x32-10: four random words for a counter of four words under a key of two. Writes into `out`. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = multiplyHigh(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** A word as a number strictly between 0 and 1: the middle of one of 2²³ equal intervals, exact in float32. */
const toUnit = (word: number): number => ((word >>> 9) + 0.5) / 0x800000;

/**
 * Fills `out` with independent draws: `uniform` on (0,1), or `normal` with mean 0 and variance 1 (Box–Muller).
 * The first n values are the same whatever the length.
 */
export function fillNoise(out: Float32Array, key: NoiseKey, distribution: Distribution): void {
  const words = new Uint32Array(4);
  for (let start = 0; start < out.length; start += 4) {
    philox([start / 4, key.restart, key.step, key.draw], [key.seed, key.image], words);
    for (let pair = 0; pair < 4; pair += 2) {
      const u = toUnit(words[pair] as number);
      const v = toUnit(words[pair + 1] as number);
      if (distribution === 'uniform') {
        out[start + pair] = u;
        out[start + pair + 1] = v;
      } else {
        const radius = Math.sqrt(-2 * Math.log(u));
        out[start + pair] = radius * Math.cos(2 * Math.PI * v);
        out[start + pair + 1] = radius * Math.sin(2 * Math.PI * v);
      }
    }
  }
}

/** A seeded stream of whole numbers and shuffles, for orders and samples outside any tensor. */
export class Rng {
  readonly #key: readonly [number, number];
  readonly #words = new Uint32Array(4);
  #position = 0;

  /** @param purpose - what the stream is for (`shuffle epoch 3`): different purposes give independent streams */
  constructor(seed: number, purpose: string) {
    this.#key = [seed >>> 0, stringHash(purpose)];
  }

  #word(): number {
    const within = this.#position % 4;
    if (within === 0) philox([Math.floor(this.#position / 4), 0, 0, 0], this.#key, this.#words);
    this.#position += 1;
    return this.#words[within] as number;
  }

  /** A whole number, 0 ≤ n < `limit`, for limits up to 2³²: ⌊word · limit / 2³²⌋, whose bias is below limit / 2³². */
  below(limit: number): number {
    return Math.floor((this.#word() / 2 ** 32) * limit);
  }

  /** The numbers 0 … n-1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = order[i] as number;
      order[i] = order[j] as number;
      order[j] = held;
    }
    return order;
  }
}
