import { beforeAll, describe, expect, it } from 'vitest';
import type { NoiseRequest } from '../../src/core/draws.ts';
import { tf } from '../../src/tf.ts';
import { drawNoise, rehearse } from '../../src/train/noise.ts';

beforeAll(() => tf.setBackend('cpu'));

const requests: readonly NoiseRequest[] = [
  { shape: [2, 3], distribution: 'uniform' },
  { shape: [5], distribution: 'normal' },
];
const keys = { seed: 1, pass: 2, stream: 0, ids: ['a', 'b', 'c'] };

describe('noise for a traced function', () => {
  it('is learnt by a rehearsal, in order', () => {
    const learnt = rehearse(1, (noise) => {
      noise([2, 3], 'uniform');
      noise([5], 'normal');
    });
    expect(learnt).toEqual(requests);
  });

  it('of a batch is the noise of its images one by one', () => {
    const batch = drawNoise(requests, keys);
    keys.ids.forEach((id, i) => {
      const alone = drawNoise(requests, { ...keys, ids: [id] });
      expect(batch.draw0?.subarray(i * 6, (i + 1) * 6)).toEqual(alone.draw0);
      expect(batch.draw1?.subarray(i * 5, (i + 1) * 5)).toEqual(alone.draw1);
    });
  });

  it('differs by seed, pass, stream, image and draw', () => {
    const first = (changes: Partial<typeof keys>) => drawNoise(requests, { ...keys, ...changes }).draw0?.[0];
    const draws = [first({}), first({ seed: 2 }), first({ pass: 3 }), first({ stream: 1 }), first({ ids: ['z'] })];
    const twice = drawNoise([requests[0], requests[0]] as NoiseRequest[], keys);
    expect(new Set([...draws, twice.draw1?.[0]]).size).toBe(6);
  });
});
