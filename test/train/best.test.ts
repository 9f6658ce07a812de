import { describe, expect, it } from 'vitest';
import { bestOf, merit } from '../../src/train/best.ts';

const epochs = (...shares: readonly (readonly [clean: number, robust: number])[]) =>
  shares.map(([clean, robust], i) => ({ epoch: i + 1, validation: { clean, robust } }));

describe('the best epoch', () => {
  it('of a training against an adversary has the highest robust accuracy, then the highest clean one, then comes first', () => {
    const robust = (history: ReturnType<typeof epochs>) => bestOf(history, true)?.epoch;
    expect(robust(epochs([0.9, 0.5], [0.95, 0.6], [0.99, 0.55]))).toBe(2);
    expect(robust(epochs([0.9, 0.5], [0.95, 0.5], [0.93, 0.5]))).toBe(2);
    expect(robust(epochs([0.9, 0.5], [0.9, 0.5]))).toBe(1);
  });

  it('of a plain training has the highest clean accuracy, whatever attacks leave by chance', () => {
    expect(bestOf(epochs([0.9, 0.02], [0.95, 0], [0.94, 0.03]), false)?.epoch).toBe(2);
  });

  it('is none where nothing was validated', () => {
    expect(bestOf([], true)).toBeUndefined();
    expect(bestOf([{ epoch: 1, validation: null }], true)).toBeUndefined();
  });

  it('is told apart by the accuracy that the training is after', () => {
    const [one] = epochs([0.9, 0.5]);
    expect(one && [merit(one, true), merit(one, false)]).toEqual([0.5, 0.9]);
  });
});
