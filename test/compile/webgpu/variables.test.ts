import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../../src/compile/compile.ts';
import { isResident } from '../../../src/compile/resident.ts';
import { valuesOfVariable } from '../../../src/compile/resident-variables.ts';
import type { Provider } from '../../../src/compile/target.ts';
import { tf } from '../../../src/tf.ts';

let before: number;
beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => {
  before = tf.memory().numTensors;
});

/** w ← w + x, n ← n + 1, and whether w is positive. */
async function adding(provider: Provider) {
  const [w, n, positive] = tf.tidy(() => [
    tf.variable(tf.tensor1d([1, 2, -3])),
    tf.variable(tf.scalar(0, 'int32')),
    tf.variable(tf.tensor1d([true, false, false], 'bool')),
  ]);
  const add = await compile(
    (x) => {
      w.assign(w.add(x));
      n.assign(n.add(tf.scalar(1, 'int32')));
      positive.assign(w.greater(0));
      return w.sum();
    },
    [{ shape: [3] }],
    { weights: 'live', provider },
  );
  const end = async (): Promise<void> => {
    await add.release();
    tf.dispose([w, n, positive]);
    expect(tf.memory().numTensors).toBe(before);
  };
  return { w, n, positive, add, end };
}

const once = Float32Array.of(1, 1, 1);

describe('variables that a compiled function assigns', () => {
  it('stay on WebGPU, where the next call and other functions find them', async () => {
    const { w, n, positive, add, end } = await adding('webgpu');
    expect((await add(once)).data).toEqual(Float32Array.of(3));
    expect((await add(once)).data).toEqual(Float32Array.of(6));
    expect([w, n, positive].map((one) => isResident(valuesOfVariable(one)))).toEqual([true, true, false]);
    const [doubled, onCpu] = await Promise.all([
      compile((x) => w.mul(x), [{ shape: [] }], { weights: 'live', provider: 'webgpu' }),
      compile((x) => w.mul(x), [{ shape: [] }], { weights: 'live' }),
    ]);
    for (const other of [doubled, onCpu]) {
      expect((await other(Float32Array.of(2))).data).toEqual(Float32Array.of(6, 8, -2));
      await other.release();
    }
    expect([...(await w.data()), ...(await n.data()), ...(await positive.data())]).toEqual([3, 4, -1, 2, 1, 1, 0]);
    expect((await add(once)).data).toEqual(Float32Array.of(9));
    expect(tf.getBackend()).toBe('cpu');
    await end();
  });

  it('and those that it reads alone move there once, whatever their type', async () => {
    const [w, n] = tf.tidy(() => [tf.variable(tf.tensor2d([[1, 2, 3]])), tf.variable(tf.scalar(4, 'int32'))]);
    const flag = tf.tidy(() => tf.variable(tf.tensor1d([true], 'bool')));
    const shows = await compile((x) => w.mul(x).mul(n.toFloat()).mul(flag.toFloat()), [{ shape: [] }], {
      weights: 'live',
      provider: 'webgpu',
    });
    for (const x of [1, 2]) expect([...(await shows(Float32Array.of(x))).data]).toEqual([4 * x, 8 * x, 12 * x]);
    const place = w.dataId;
    await shows(Float32Array.of(3));
    expect(w.dataId).toBe(place);
    expect([w, n, flag].map((one) => isResident(valuesOfVariable(one)))).toEqual([true, true, false]);
    expect([...(await w.data()), ...(await n.data())]).toEqual([1, 2, 3, 4]);
    await shows.release();
    tf.dispose([w, n, flag]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are read in no other way than that of the error', async () => {
    const { w, add, end } = await adding('webgpu');
    await add(once);
    const advice = /on a device.*await variable\.data\(\)/;
    expect(() => w.dataSync()).toThrow(advice);
    expect(() => tf.tidy(() => w.add(1))).toThrow(advice);
    await expect(compile((x) => w.add(x), [{ shape: [3] }])).rejects.toThrow(advice);
    expect([...(await w.data())]).toEqual([2, 3, -2]);
    await end();
  });

  it('give what they were when they were asked, whatever becomes of them meanwhile', async () => {
    const { w, add, end } = await adding('webgpu');
    await add(once);
    // Of a shape that nothing has read yet, while an update is under way.
    const [running, reading] = [add(once), w.data()];
    expect([...(await reading)]).toEqual([2, 3, -2]);
    await running;
    const last = w.data();
    await end();
    expect([...(await last)]).toEqual([3, 4, -1]);
  });

  it('may be assigned and disposed while they are on their way', async () => {
    const [w, v] = tf.tidy(() => [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3, 4]))]);
    const sum = await compile(() => w.add(v), [], { weights: 'live', provider: 'webgpu' });
    const first = sum();
    tf.tidy(() => w.assign(tf.tensor1d([10, 20])));
    expect((await first).data).toEqual(Float32Array.of(4, 6));
    expect([...(await w.data())]).toEqual([10, 20]);
    expect((await sum()).data).toEqual(Float32Array.of(13, 24));
    tf.tidy(() => w.assign(tf.tensor1d([5, 5])));
    const last = sum();
    tf.dispose([w, v]);
    expect((await last).data).toEqual(Float32Array.of(8, 9));
    expect(tf.memory().numTensors).toBe(before);
    await expect(sum()).rejects.toThrow();
    await sum.release();
  });

  it('come home by an assignment, and are as they would be on the CPU whatever happens to them in between', async () => {
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        x: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constantFrom('read' as const, 'come home' as const) }),
    );
    const [there, here] = [await adding('webgpu'), await adding('cpu')];
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
        for (const one of changes) {
          for (const { w, add } of [there, here]) {
            if (one.kind === 'add') await add(Float32Array.from(one.x));
            else if (one.kind === 'read') await w.data();
            else {
              const home = tf.tensor1d(await w.data());
              w.assign(home);
              home.dispose();
            }
          }
        }
        for (const name of ['w', 'n', 'positive'] as const) {
          expect([...(await there[name].data())]).toEqual([...(await here[name].data())]);
        }
      }),
      { numRuns: 20 },
    );
    before += 3;
    await here.end();
    before -= 3;
    await there.end();
  });
});
