/** What the eager reference and the compiler owe alike: one may take the other's place. */
import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';

beforeEach(() => {
  void tf.setBackend('cpu');
});

const WAYS: readonly { readonly name: string; readonly prepare: Prepare }[] = [
  { name: 'compiled', prepare: compile },
  { name: 'eager', prepare: eager },
];

describe.each(WAYS)('a function that is run $name', ({ prepare }) => {
  it('may return a variable, which lives on', async () => {
    const weight = tf.variable(tf.tensor1d([1, 2]));
    const run = await prepare((x) => ({ weight, sum: tf.add(x, weight) }), [{ shape: [2] }]);
    for (const _call of [1, 2]) {
      const { weight: given, sum } = await run(Float32Array.of(10, 20));
      expect([...given.data, ...sum.data]).toEqual([1, 2, 11, 22]);
    }
    expect(Array.from(weight.dataSync())).toEqual([1, 2]);
    await run.release();
    weight.dispose();
  });

  it('may return what was made before it, its argument, or one tensor twice', async () => {
    const made = tf.tensor1d([3]);
    const run = await prepare(
      (x) => {
        const twice = tf.mul(x, 2);
        return { made, same: x, one: twice, other: twice };
      },
      [{ shape: [1] }],
    );
    for (const call of [1, 2]) {
      const results = Object.values(await run(Float32Array.of(call))).map(({ data }) => data[0]);
      expect(results).toEqual([3, call, 2 * call, 2 * call]);
    }
    expect(made.isDisposed).toBe(false);
    await run.release();
    made.dispose();
  });

  it('gives an empty record where it returns nothing', async () => {
    const run = await prepare(() => undefined, []);
    const nothing: Readonly<Record<string, never>> = await run();
    expect(nothing).toEqual({});
    await run.release();
  });

  it('leaves no tensor behind', async () => {
    const weight = tf.variable(tf.tensor1d([1, 2]));
    const before = tf.memory().numTensors;
    const run = await prepare((x) => ({ weight, sum: tf.add(x, weight).mul(2) }), [{ shape: [2] }]);
    await run(Float32Array.of(1, 2));
    await run.release();
    expect(tf.memory().numTensors).toBe(before);
    weight.dispose();
  });
});
