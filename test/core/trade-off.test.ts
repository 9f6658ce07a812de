import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { firstTradeOff, stepsOfRuns, type TradeOff, weigh } from '../../src/core/trade-off.ts';
import { tf } from '../../src/tf.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const FIRST = 0.001;
const column = (values: readonly number[]): tf.Tensor4D => tf.tensor4d([...values], [values.length, 1, 1, 1]);
const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

/** What is seen at a step of one image, given its c, its number and the c at hand. */
type See = (step: number, c: number) => { readonly reaches: boolean; readonly loss: number };

/** The trade-offs after every step, and which of them began a run. */
function play(
  images: readonly See[],
  runs: number,
  steps: number,
): { tradeOff: Record<string, number[]>; renews: number[]; isFinished: number[] }[] {
  return tf.tidy(() => {
    let tradeOff: TradeOff = firstTradeOff(images.length, FIRST);
    return Array.from({ length: stepsOfRuns({ runs, steps }) + 1 }, () => {
      const [c, step] = [numbers(tradeOff.c), numbers(tradeOff.step)];
      const seen = images.map((see, i) => see(step[i] as number, c[i] as number));
      const { next, renews, isFinished } = weigh(
        tradeOff,
        {
          reaches: column(seen.map(({ reaches }) => Number(reaches))).greater(0),
          loss: column(seen.map(({ loss }) => loss)),
        },
        { runs, steps },
      );
      tradeOff = next;
      const values = Object.fromEntries(Object.entries(next).map(([name, tensor]) => [name, numbers(tensor)]));
      return { tradeOff: values, renews: numbers(renews), isFinished: numbers(isFinished) };
    });
  });
}

/** Reaches the goal in one step of the run if c is large enough. */
const needing =
  (least: number, at: number): See =>
  (step, c) => ({ reaches: step === at && c >= least, loss: 1 / (step + 1) });

describe('the trade-off', () => {
  it('begins a run every so many steps and one', () => {
    const renews = play([needing(1, 0)], 3, 4).map((step) => step.renews[0] === 1);
    expect(renews.flatMap((renewed, i) => (renewed ? [i] : []))).toEqual([4, 9, 14]);
  });

  it('grows tenfold until the goal is reached, and then closes in on the least c, for every image on its own', () => {
    const anyNeed = fc.record({
      // At a power of ten rounding decides which run is the first that is enough.
      power: fc
        .double({ min: -3.9, max: 3.9, noNaN: true })
        .filter((power) => Math.abs(power - Math.round(power)) > 1e-5),
      at: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(anyNeed, { minLength: 1, maxLength: 3 }), (needs) => {
        const runs = 12;
        const played = play(
          needs.map(({ power, at }) => needing(10 ** power, at)),
          runs,
          3,
        );
        const last = played.at(-1)?.tradeOff ?? {};
        needs.forEach(({ power }, i) => {
          const least = 10 ** power;
          const [low = Number.NaN, high = Number.NaN] = [last.low?.[i], last.high?.[i]];
          expect(low).toBeLessThan(least * (1 + 1e-6));
          expect(high).toBeGreaterThan(least * (1 - 1e-6));
          // Of the runs, some found the first c that was enough; each of the others halved what was left.
          const first = Math.max(0, Math.ceil(power - Math.log10(FIRST)));
          const width = FIRST * 10 ** first - (first === 0 ? 0 : FIRST * 10 ** (first - 1));
          expect((high - low) / (width / 2 ** (runs - first - 1))).toBeCloseTo(1, 3);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('counts the goal as reached in whatever step of the run, its last candidate included', () => {
    for (const at of [0, 2, 4]) {
      const after = play([needing(0, at)], 1, 4).at(-1)?.tradeOff;
      expect([after?.low, after?.c]).toEqual([[0], [Math.fround(FIRST / 2)]]);
    }
  });

  it('ends a run whose loss has not fallen for a tenth of its steps, for every image on its own', () => {
    const falling: See = (step) => ({ reaches: false, loss: 1 / (step + 1) });
    const stuck: See = (step) => ({ reaches: false, loss: Math.max(1 / (step + 1), 1 / 8) });
    const played = play([falling, stuck], 2, 20);
    const endsOf = (image: number): number[] =>
      played.flatMap(({ renews }, i) => (renews[image] === 1 && i <= 21 ? [i] : []));
    // Compared every second step: at 8 it is still lower than at 6, at 10 no more than at 8.
    expect(endsOf(0)).toEqual([20]);
    expect(endsOf(1)).toEqual([10, 21]);
    const finishedAt = [0, 1].map((image) => played.findIndex(({ isFinished }) => isFinished[image] === 1));
    expect(finishedAt).toEqual([41, 21]);
  });
});
