import { beforeAll, describe, expect, it } from 'vitest';
import { type NoiseRequest, noiseFrom, noiseSpecs } from '../../src/core/draws.ts';
import { tf } from '../../src/tf.ts';

beforeAll(() => tf.setBackend('cpu'));

const requests: readonly NoiseRequest[] = [
  { shape: [2, 3], distribution: 'uniform' },
  { shape: [5], distribution: 'normal' },
];

describe('the draws of a traced function', () => {
  it('are inputs of a batch, one for each, by their number', () => {
    expect(noiseSpecs(requests, 3)).toEqual({ draw0: { shape: [3, 2, 3] }, draw1: { shape: [3, 5] } });
  });

  it('are handed out in order', () => {
    const inputs = { draw0: tf.zeros([3, 2, 3]), draw1: tf.zeros([3, 5]) };
    const noise = noiseFrom('mine', requests, inputs);
    expect(noise([2, 3], 'uniform')).toBe(inputs.draw0);
    expect(noise([5], 'normal')).toBe(inputs.draw1);
  });

  it('are refused where the rehearsal had others: another shape, another distribution, one too many', () => {
    const noise = noiseFrom('mine', requests, { draw0: tf.zeros([3, 2, 3]), draw1: tf.zeros([3, 5]) });
    expect(() => noise([4], 'uniform')).toThrow(
      /mine asks for draw 1 as uniform \[4\] noise, but for a uniform \[2, 3\]/,
    );
    expect(() => noise([2, 3], 'normal')).toThrow(/draw 1 as normal \[2, 3\] noise, but for a uniform \[2, 3\]/);
    noise([2, 3], 'uniform');
    noise([5], 'normal');
    expect(() => noise([5], 'normal')).toThrow(/draw 3 .* only 2 draws in rehearsal/);
  });
});
