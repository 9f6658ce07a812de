import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ahead } from '../../src/data/ahead.ts';

/** Doubles, each item after its own number of turns of the event loop; counts how many are at work. */
function worker(turns: readonly number[]) {
  const counts = { begun: 0, inFlight: 0, most: 0 };
  const work = async (item: number): Promise<number> => {
    counts.begun += 1;
    counts.inFlight += 1;
    counts.most = Math.max(counts.most, counts.inFlight);
    for (let turn = 0; turn < (turns[item] ?? 0); turn++) await new Promise(setImmediate);
    counts.inFlight -= 1;
    if (item === FAULTY) throw new Error(`item ${item}`);
    return 2 * item;
  };
  return { counts, work };
}

const FAULTY = 1000;

describe('working ahead', () => {
  it('keeps the order whichever is done first, and never has more under way than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5)), fc.integer({ min: 1, max: 5 }), async (turns, inFlight) => {
        const { counts, work } = worker(turns);
        const results: number[] = [];
        for await (const result of ahead(turns.keys(), work, inFlight)) {
          results.push(result);
          // What is done and not yet asked for counts as well: it is held in memory.
          expect(counts.begun).toBeLessThanOrEqual(results.length + inFlight);
        }
        expect(results).toEqual(turns.map((_, item) => 2 * item));
        expect(counts.most).toBeLessThanOrEqual(inFlight);
        if (turns.length >= inFlight && turns.every((t) => t > 0))
          expect(counts.most).toBe(Math.min(inFlight, turns.length));
      }),
    );
  });

  it('throws an error at its place, after what came before it', async () => {
    const results: number[] = [];
    const read = async () => {
      for await (const result of ahead([1, 2, FAULTY, 3], worker([]).work, 4)) {
        results.push(result);
        // Long enough for Node.js to complain of a rejection that nobody handles.
        await delay(5);
      }
    };
    await expect(read()).rejects.toThrow(`item ${FAULTY}`);
    expect(results).toEqual([2, 4]);
  });

  it('begins nothing more when the consumer stops, and waits for what is under way', async () => {
    const { counts, work } = worker([0, 3, 3, 3, 3, 3]);
    for await (const _ of ahead([0, 1, 2, 3, 4, 5], work, 2)) break;
    expect(counts.begun).toBe(3);
    expect(counts.inFlight).toBe(0);
  });
});
