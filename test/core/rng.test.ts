import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Distribution, fillNoise, type NoiseKey, philox, Rng, stringHash } from '../../src/core/rng.ts';
import { uniform } from './uniform.ts';

const KEY: NoiseKey = { seed: 7, image: 11, restart: 0, step: 0, draw: 0 };

const draw = (length: number, distribution: Distribution, key: Partial<NoiseKey> = {}): Float32Array => {
  const out = new Float32Array(length);
  fillNoise(out, { ...KEY, ...key }, distribution);
  return out;
};

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const moment = (values: Float32Array, order: number): number => mean(Array.from(values, (v) => v ** order));

const word = fc.integer({ min: 0, max: 0xffffffff });
const anyKey = fc.record({ seed: word, image: word, restart: word, step: word, draw: word });
const anyDistribution = fc.constantFrom<Distribution>('uniform', 'normal');

describe('philox', () => {
  // The known answers that its authors publish with Random123 (kat_vectors).
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as [[number, number, number, number], [number, number], string][])(
    'gives the known answer %#',
    (counter, key, known) => {
      const out = new Uint32Array(4);
      philox(counter, key, out);
      expect(Array.from(out, (w) => w.toString(16).padStart(8, '0')).join(' ')).toBe(known);
    },
  );
});

describe('stringHash', () => {
  it('is FNV-1a of the UTF-8 bytes', () => {
    expect(stringHash('')).toBe(0x811c9dc5);
    expect(stringHash('a')).toBe(0xe40c292c);
    expect(stringHash('foobar')).toBe(0xbf9cf968);
    expect(stringHash('é')).not.toBe(stringHash('e'));
  });
});

describe('noise', () => {
  it('depends on its key alone, and the first values not on how many are drawn', () => {
    fc.assert(
      fc.property(anyKey, anyDistribution, fc.nat(40), fc.nat(40), (key, distribution, a, b) => {
        const [short, long] = [draw(Math.min(a, b), distribution, key), draw(Math.max(a, b), distribution, key)];
        expect(long.slice(0, short.length)).toEqual(short);
      }),
    );
  });

  it('is another for every seed, image, restart, step and draw', () => {
    fc.assert(
      fc.property(anyKey, fc.constantFrom(...(Object.keys(KEY) as (keyof NoiseKey)[])), word, (key, field, other) => {
        fc.pre(other !== key[field]);
        const [a, b] = [draw(8, 'uniform', key), draw(8, 'uniform', { ...key, [field]: other })];
        expect(a).not.toEqual(b);
      }),
    );
  });

  it('lies strictly between 0 and 1 where uniform, in float32 too', () => {
    const values = draw(200_000, 'uniform');
    expect(values.every((v) => v > 0 && v < 1 && 1 - v > 0)).toBe(true);
  });

  it('has the moments of its distribution', () => {
    const n = 200_000;
    const uniform = draw(n, 'uniform');
    for (const order of [1, 2, 3, 4]) {
      // The deviation of the mean of u^k is at most .3 / √n.
      expect(Math.abs(moment(uniform, order) - 1 / (order + 1))).toBeLessThan(1.5 / Math.sqrt(n));
    }
    const normal = draw(n, 'normal');
    const expected = [0, 1, 0, 3, 0, 15];
    const deviation = [1, Math.sqrt(2), Math.sqrt(15), Math.sqrt(96), Math.sqrt(945), Math.sqrt(10170)];
    expected.forEach((value, i) => {
      expect(Math.abs(moment(normal, i + 1) - value)).toBeLessThan((4 * (deviation[i] as number)) / Math.sqrt(n));
    });
    expect(normal.every(Number.isFinite)).toBe(true);
  });

  it('fills the unit interval evenly', () => {
    const counts = new Array<number>(64).fill(0);
    for (const value of draw(64_000, 'uniform')) {
      const bin = Math.floor(value * 64);
      counts[bin] = (counts[bin] as number) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: 27.9 to 113.5 hold all but 2 in 100,000.
    expect(chiSquare).toBeGreaterThan(27.9);
    expect(chiSquare).toBeLessThan(113.5);
  });

  it('is uncorrelated between neighbours in the key, and within a draw', () => {
    const n = 20_000;
    const a = draw(n, 'normal');
    const others = [
      draw(n + 1, 'normal').slice(1),
      ...(Object.keys(KEY) as (keyof NoiseKey)[]).map((field) => draw(n, 'normal', { [field]: KEY[field] + 1 })),
    ];
    for (const b of others) {
      expect(Math.abs(mean(a.map((v, i) => v * (b[i] as number))))).toBeLessThan(4.5 / Math.sqrt(n));
    }
  });
});

describe('Rng', () => {
  it('draws whole numbers below any limit up to 2³²', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
        const rng = new Rng(seed, 'test');
        for (let i = 0; i < 8; i++) {
          const n = rng.below(limit);
          expect(Number.isInteger(n) && n >= 0 && n < limit).toBe(true);
        }
      }),
    );
  });

  it('reaches odd and even numbers below large limits', () => {
    const rng = new Rng(1, 'parity');
    const odd = Array.from({ length: 1000 }, () => rng.below(2 ** 31) % 2).filter(Boolean).length;
    expect(Math.abs(odd - 500)).toBeLessThan(70);
  });

  it('permutes', () => {
    fc.assert(
      fc.property(word, fc.nat(200), (seed, n) => {
        const order = new Rng(seed, 'order').permutation(n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('gives every order of three about as often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = new Rng(seed, 'order').permutation(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it('repeats under the same seed and purpose, and not under another', () => {
    const stream = (seed: number, purpose: string) => {
      const rng = new Rng(seed, purpose);
      return Array.from({ length: 10 }, () => uniform(rng));
    };
    expect(stream(3, 'a')).toEqual(stream(3, 'a'));
    expect(stream(3, 'a')).not.toEqual(stream(3, 'b'));
    expect(stream(3, 'a')).not.toEqual(stream(4, 'a'));
  });
});
