import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Poll, poll } from '../../src/certify/poll.ts';
import { certifiedRadius, largestRadius, leader, prediction } from '../../src/certify/smoothing.ts';
import { upperTail } from '../../src/core/binomial.ts';
import { stringHash } from '../../src/core/rng.ts';
import { imageAt, linearJudge } from './linear.ts';

const SIGMA = 0.25;

const ask = (given: Partial<Poll> & Pick<Poll, 'pixels'>, batch = 64) =>
  poll(linearJudge(batch), {
    ...{ image: stringHash('toy/1'), seed: 0, purpose: 'estimation', sigma: SIGMA, samples: 100 },
    accept: (logits) => logits,
    ...given,
  });

describe('a certified radius', () => {
  it('exceeds the true one in no more images than α allows, and comes near it', async () => {
    const [alpha, images, distance, samples] = [0.05, 300, 0.2, 100];
    let [exceeding, sum] = [0, 0];
    for (let image = 0; image < images; image++) {
      const votes = await ask({ pixels: imageAt(distance), image, samples });
      const radius = certifiedRadius(votes[1] as number, samples, { sigma: SIGMA, alpha });
      if ((radius ?? 0) > distance) exceeding += 1;
      sum += radius ?? 0;
    }
    // More than that many would be a chance of one in a million.
    const bound = Array.from({ length: images }, (_, k) => k).find((k) => upperTail(k, images, alpha) < 1e-6) ?? 0;
    expect(exceeding).toBeLessThan(bound);
    expect(sum / images).toBeGreaterThan(0.6 * distance);
  });

  it('comes within a few percent of the true one when there are many copies, whatever the noise', async () => {
    for (const sigma of [0.15, 0.25, 0.5]) {
      const [samples, distance] = [100_000, 0.25];
      const votes = await ask({ pixels: imageAt(distance), samples, sigma }, 1000);
      const radius = certifiedRadius(votes[1] as number, samples, { sigma, alpha: 0.001 });
      expect(radius).toBeLessThan(distance);
      expect(radius).toBeGreaterThan(0.96 * distance);
    }
  });

  it('is none on the boundary, where both classes are as likely', async () => {
    const votes = await ask({ pixels: imageAt(0), samples: 4000 });
    expect(certifiedRadius(Math.max(...votes), 4000, { sigma: SIGMA, alpha: 0.001 })).toBeNull();
    expect(prediction(votes, 0.001)).toBeNull();
  });

  it('is none of a tie, however many voted', () => {
    for (const half of [1, 50, 50_000]) {
      expect(certifiedRadius(half, 2 * half, { sigma: 1, alpha: 0.4 })).toBeNull();
    }
  });

  it('grows with the votes and in proportion to the noise, up to what so many can show', () => {
    const level = { sigma: 0.5, alpha: 0.001 };
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 999 }), (votes) => {
        const radius = certifiedRadius(votes, 1000, level);
        expect(radius ?? 0).toBeLessThan(certifiedRadius(votes + 1, 1000, level) ?? 0);
        expect(certifiedRadius(votes, 1000, { ...level, sigma: 1 })).toBeCloseTo(2 * (radius ?? 0), 12);
      }),
    );
    expect(largestRadius(1000, level)).toBe(certifiedRadius(1000, 1000, level));
    // Figure 3 of the paper: 100,000 samples at .001 reach about 3.8 σ.
    expect(largestRadius(100_000, { sigma: 1, alpha: 0.001 })).toBeCloseTo(3.81, 2);
    expect(largestRadius(9, level)).toBe(0);
  });
});

describe('the prediction', () => {
  it('is the class that surely has more votes than any other', () => {
    expect(prediction(Uint32Array.of(3, 90, 7), 0.001)).toBe(1);
    expect(prediction(Uint32Array.of(45, 55, 0), 0.001)).toBeNull();
    expect(prediction(Uint32Array.of(0, 0), 0.001)).toBeNull();
    expect(prediction(Uint32Array.of(10, 0), 0.001)).toBeNull();
    expect(prediction(Uint32Array.of(11, 0), 0.001)).toBe(0);
  });

  it('is wrong in no more than α of all polls', async () => {
    let wrong = 0;
    for (let image = 0; image < 400; image++) {
      const votes = await ask({ pixels: imageAt(0.005), image, samples: 60, purpose: 'prediction' });
      if (prediction(votes, 0.1) === 0) wrong += 1;
    }
    expect(upperTail(wrong, 400, 0.1)).toBeGreaterThan(1e-6);
  });

  it('leads by the first of equal classes', () => {
    expect(leader(Uint32Array.of(1, 4, 4))).toBe(1);
  });
});

describe('a poll', () => {
  const pixels = imageAt(0.05);

  it('counts every copy once, the same whatever the batch', async () => {
    const alone = await ask({ pixels, samples: 333 }, 1);
    expect(alone.reduce((sum, count) => sum + count, 0)).toBe(333);
    for (const batch of [7, 64, 333, 1000]) expect(await ask({ pixels, samples: 333 }, batch)).toEqual(alone);
  });

  it('begins with the copies of a shorter one', async () => {
    const seen: number[][] = [];
    const spy = async (samples: number) => {
      const found: number[] = [];
      await ask({
        ...{ pixels, samples },
        accept: (logits) => {
          found.push(logits[1] as number);
          return logits;
        },
      });
      seen.push(found);
    };
    await spy(10);
    await spy(100);
    expect(seen[1]?.slice(0, 10)).toEqual(seen[0]);
    expect(new Set(seen[1]).size).toBe(100);
  });

  it.each([
    ['seed', { seed: 1 }],
    ['image', { image: 5 }],
    ['purpose', { purpose: 'selection' }],
  ] as const)('has other noise for another %s', async (_, given) => {
    const samples = 2000;
    expect(await ask({ pixels, samples, ...given })).not.toEqual(await ask({ pixels, samples }));
  });

  it('shows the network noise of the standard deviation that was asked for, unclipped', async () => {
    const values: number[] = [];
    const judge = {
      ...linearJudge(50),
      logits: async (images: Float32Array) => {
        values.push(...images);
        return new Float32Array(100);
      },
    };
    const grey = new Float32Array(4).fill(0.5);
    await poll(judge, {
      ...{ pixels: grey, image: 1, seed: 2, purpose: 'estimation', sigma: 0.7, samples: 5000 },
      accept: (logits) => logits,
    });
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    expect(mean).toBeCloseTo(0.5, 1);
    expect(deviation).toBeCloseTo(0.7, 1);
    expect(Math.min(...values)).toBeLessThan(-0.5);
  });
});
