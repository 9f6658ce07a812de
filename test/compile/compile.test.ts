import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import type { HostTensor } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';
import { array } from './arbitrary.ts';

beforeEach(() => {
  void tf.setBackend('cpu');
});

const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const numbers = ({ data }: HostTensor): number[] => Array.from(data);

/** What TensorFlow.js holds more of than before. */
async function leaked(work: () => Promise<void>): Promise<{ tensors: number; buffers: number; bytes: number }> {
  const before = tf.memory();
  await work();
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return {
    tensors: numTensors - before.numTensors,
    buffers: numDataBuffers - before.numDataBuffers,
    bytes: numBytes - before.numBytes,
  };
}

const NOTHING = { tensors: 0, buffers: 0, bytes: 0 };

describe('what goes in and comes out of a compiled function', () => {
  it('takes arrays and gives arrays with shape and type', async () => {
    const run = await compile((x) => tf.mul(x, 2), [{ shape: [2, 2] }]);
    expect(await run(floats(1, 2, 3, 4))).toEqual({ data: floats(2, 4, 6, 8), shape: [2, 2], dtype: 'float32' });
    expect(numbers(await run(floats(5, 6, 7, 8)))).toEqual([10, 12, 14, 16]);
    await run.release();
  });

  it('takes records and gives records', async () => {
    const run = await compile(
      ({ a, b }, c) => ({ sum: tf.add(a, b), product: tf.mul(b, c) }),
      [{ a: { shape: [2] }, b: { shape: [2] } }, { shape: [] }],
    );
    const { sum, product } = await run({ a: floats(1, 2), b: floats(3, 4) }, floats(10));
    expect([numbers(sum), numbers(product)]).toEqual([
      [4, 6],
      [30, 40],
    ]);
    await run.release();
  });

  it('takes and gives whole numbers and truth values', async () => {
    const run = await compile(
      (count, flag) => ({
        twice: tf.add(count, count),
        not: tf.logicalNot(flag),
        more: tf.greater(count, 1),
        chosen: tf.where(flag, count, tf.zerosLike(count)),
      }),
      [
        { shape: [3], dtype: 'int32' },
        { shape: [3], dtype: 'bool' },
      ],
    );
    const results = await run(Int32Array.of(0, 1, 2), Uint8Array.of(1, 0, 1));
    expect(results).toEqual({
      twice: { data: Int32Array.of(0, 2, 4), shape: [3], dtype: 'int32' },
      not: { data: Uint8Array.of(0, 1, 0), shape: [3], dtype: 'bool' },
      more: { data: Uint8Array.of(0, 0, 1), shape: [3], dtype: 'bool' },
      chosen: { data: Int32Array.of(0, 0, 2), shape: [3], dtype: 'int32' },
    });
    await run.release();
  });

  it('gives back an argument unchanged, a constant, one tensor twice; ignores an argument', async () => {
    const run = await compile(
      (x, _ignored) => {
        const y = tf.add(x, 1);
        return { same: x, constant: tf.tensor1d([7, 8]), scalar: tf.scalar(3), first: y, second: y };
      },
      [{ shape: [2] }, { shape: [5] }],
    );
    const results = await run(floats(1, 2), new Float32Array(5));
    expect(Object.fromEntries(Object.entries(results).map(([name, value]) => [name, numbers(value)]))).toEqual({
      same: [1, 2],
      constant: [7, 8],
      scalar: [3],
      first: [2, 3],
      second: [2, 3],
    });
    expect(results.scalar.shape).toEqual([]);
    await run.release();
  });

  it('takes scalars', async () => {
    const run = await compile((x, epsilon) => tf.mul(x, epsilon), [{ shape: [3] }, { shape: [] }]);
    expect(numbers(await run(floats(1, 2, 3), floats(0.5)))).toEqual([0.5, 1, 1.5]);
    await run.release();
  });

  it('takes no argument and gives nothing, if that is what the function does', async () => {
    const counter = tf.variable(tf.scalar(0));
    const run = await compile(
      () => {
        counter.assign(tf.add(counter, 1) as tf.Scalar);
        return undefined;
      },
      [],
      { weights: 'live' },
    );
    expect(await run()).toEqual({});
    await run();
    expect(counter.dataSync()[0]).toBe(2);
    await run.release();
    counter.dispose();
  });

  it('copies its results: they outlast the next call', async () => {
    const run = await compile((x) => tf.add(x, 1), [{ shape: [2] }]);
    const first = await run(floats(1, 1));
    await run(floats(5, 5));
    expect(numbers(first)).toEqual([2, 2]);
    await run.release();
  });
});

describe('weights', () => {
  it('frozen are constants: changing the variable afterwards changes nothing', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]));
    const run = await compile((x) => tf.mul(x, w), [{ shape: [2] }]);
    w.assign(tf.tensor1d([100, 100]));
    expect(numbers(await run(floats(1, 1)))).toEqual([1, 2]);
    await run.release();
    w.dispose();
  });

  it('live are read at every call', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]));
    const run = await compile((x) => tf.mul(x, w), [{ shape: [2] }], { weights: 'live' });
    expect(numbers(await run(floats(1, 1)))).toEqual([1, 2]);
    w.assign(tf.tensor1d([3, 4]));
    expect(numbers(await run(floats(1, 1)))).toEqual([3, 4]);
    await run.release();
    w.dispose();
  });

  it('live are written back where the function assigns them, and read anew after an assignment', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]));
    const run = await compile(
      (x) => {
        w.assign(tf.add(w, x) as tf.Tensor1D);
        return tf.mul(w, 10);
      },
      [{ shape: [2] }],
      { weights: 'live' },
    );
    expect(Array.from(w.dataSync())).toEqual([1, 2]);
    expect(numbers(await run(floats(1, 1)))).toEqual([20, 30]);
    expect(numbers(await run(floats(1, 1)))).toEqual([30, 40]);
    expect(Array.from(w.dataSync())).toEqual([3, 4]);
    await run.release();
    w.dispose();
  });

  it('may not be assigned while they are frozen: the error names the variable, which stays as it was', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]), true, 'the-culprit');
    await expect(
      compile(
        (x) => {
          w.assign(x as tf.Tensor1D);
          return x;
        },
        [{ shape: [2] }],
      ),
    ).rejects.toThrow(/"the-culprit" is assigned.*live/);
    expect(Array.from(w.dataSync())).toEqual([1, 2]);
    w.dispose();
  });

  it('survive an error inside the function, and so does the backend; the next compilation works', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]));
    const before = tf.memory().numTensors;
    const failing = compile(
      () => {
        w.assign(tf.mul(w, 2) as tf.Tensor1D);
        throw new Error('halfway');
      },
      [],
      { weights: 'live' },
    );
    await expect(failing).rejects.toThrow('halfway');
    expect(tf.getBackend()).toBe('cpu');
    expect(Array.from(w.dataSync())).toEqual([1, 2]);
    expect(tf.memory().numTensors).toBe(before);
    const run = await compile((x) => tf.mul(x, w), [{ shape: [2] }]);
    expect(numbers(await run(floats(1, 1)))).toEqual([1, 2]);
    await run.release();
    w.dispose();
  });

  it('that the function makes start as they were made, and last', async () => {
    let made: tf.Variable | undefined;
    const run = await compile(
      (x) => {
        made ??= tf.variable(tf.zeros([2]), false);
        made.assign(tf.add(made, x));
        return tf.mul(made, 1);
      },
      [{ shape: [2] }],
      { weights: 'live' },
    );
    expect(Array.from(made?.dataSync() ?? [])).toEqual([0, 0]);
    await run(floats(1, 2));
    expect(numbers(await run(floats(1, 2)))).toEqual([2, 4]);
    expect(Array.from(made?.dataSync() ?? [])).toEqual([2, 4]);
    await run.release();
    made?.dispose();
  });

  it('cannot be made from what is known only at run time', async () => {
    await expect(compile((x) => tf.variable(tf.add(x, 1)), [{ shape: [2] }], { weights: 'live' })).rejects.toThrow(
      /known only at run time/,
    );
  });
});

describe('errors of tracing', () => {
  it('name a kernel that cannot be compiled, and the line that asked for it', async () => {
    await expect(compile((x) => tf.unique(x).values, [{ shape: [2] }])).rejects.toThrow(
      /"Unique" \(at .*compile\.test\.ts:\d+:\d+\) cannot be compiled/,
    );
  });

  it('name multinomial, which draws anew at every call', async () => {
    await expect(compile((x) => tf.multinomial(x as tf.Tensor1D, 3), [{ shape: [4] }])).rejects.toThrow(
      /"Multinomial"/,
    );
  });

  it('name the line that reads a value', async () => {
    const read = (x: tf.Tensor): tf.Tensor => tf.add(x, (x.dataSync()[0] as number) > 0 ? 1 : 2);
    await expect(compile((x) => read(x), [{ shape: [2] }])).rejects.toThrow(
      /read while compiling \(at .*compile\.test\.ts:\d+:\d+\).*tf\.where/,
    );
    expect(tf.getBackend()).toBe('cpu');
  });

  it('name the line that draws random numbers, which would never change', async () => {
    const shaken = compile((x) => tf.add(x, tf.randomNormal([2])), [{ shape: [2] }]);
    await expect(shaken).rejects.toThrow(/drawn while compiling \(at .*compile\.test\.ts:\d+:\d+\).*argument/);
    await expect(compile((x) => tf.dropout(x, 0.5), [{ shape: [2] }])).rejects.toThrow(/drawn while compiling/);
  });

  it('do not mind random numbers that nothing depends on, or that start a variable', async () => {
    let made: tf.Variable | undefined;
    const run = await compile(
      (x) => {
        tf.randomUniform([100]);
        made ??= tf.variable(tf.randomUniform([2], 3, 4));
        return tf.mul(x, made);
      },
      [{ shape: [2] }],
      { weights: 'live' },
    );
    expect(numbers(await run(floats(1, 1)))).toEqual(Array.from(made?.dataSync() ?? []));
    expect(made?.dataSync()[0]).toBeGreaterThanOrEqual(3);
    await run.release();
    made?.dispose();
  });

  it('do not hinder reading what is constant, in a gradient neither', async () => {
    const three = (): number => tf.add(tf.scalar(1), 2).dataSync()[0] as number;
    const slope = await compile((x) => tf.grad((t) => tf.mul(t, three()).square())(x), [{ shape: [1] }]);
    expect(numbers(await slope(floats(2)))).toEqual([36]);
    await slope.release();
    const run = await compile((x) => tf.mul(x, tf.add(tf.scalar(1), 2).dataSync()[0] as number), [{ shape: [2] }]);
    expect(numbers(await run(floats(1, 2)))).toEqual([3, 6]);
    await run.release();
  });

  it('refuse compilation inside compilation', async () => {
    const inner: Promise<unknown>[] = [];
    await (
      await compile(
        (x) => {
          inner.push(compile((y) => y, [{ shape: [1] }]).catch((error: unknown) => error));
          return x;
        },
        [{ shape: [1] }],
      )
    ).release();
    expect(String(await inner[0])).toMatch(/inside a function that is being compiled/);
  });

  it('refuse tensors that escaped', async () => {
    let escaped: tf.Tensor | undefined;
    const run = await compile(
      (x) => {
        escaped = tf.keep(tf.add(x, 1));
        return x;
      },
      [{ shape: [2] }],
    );
    expect(() => escaped?.dataSync()).toThrow(/outside of it/);
    await run.release();
  });
});

describe('errors of calling', () => {
  it('name the argument whose length is wrong, and the shape that it should have', async () => {
    const run = await compile((x, { mask }) => tf.mul(x, mask), [{ shape: [2, 3] }, { mask: { shape: [3] } }], {
      name: 'the attack step',
    });
    await expect(run(new Float32Array(5), { mask: new Float32Array(3) })).rejects.toThrow(
      /the attack step was compiled for argument 0 of shape \[2,3\], 6 values, and got 5 values/,
    );
    await expect(run(new Float32Array(6), { mask: new Float32Array(4) })).rejects.toThrow(
      /argument 1\.mask of shape \[3\]/,
    );
    await expect((run as (...args: unknown[]) => Promise<unknown>)(new Float32Array(6))).rejects.toThrow(
      /argument 1\.mask .* got nothing/,
    );
    await run(new Float32Array(6), { mask: new Float32Array(3) });
    await run.release();
  });

  it('refuse a call while another runs, and take the next one after it', async () => {
    const run = await compile((x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), [{ shape: [64, 64] }]);
    const first = run(new Float32Array(64 * 64));
    await expect(run(new Float32Array(64 * 64))).rejects.toThrow(/still running/);
    await first;
    await run(new Float32Array(64 * 64));
    await run.release();
  });

  it('let a call finish that was under way at the release, and refuse the next', async () => {
    const run = await compile((x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), [{ shape: [64, 64] }]);
    const first = run(new Float32Array(64 * 64).fill(1));
    await run.release();
    expect((await first).data[0]).toBe(64);
    await expect(run(new Float32Array(64 * 64))).rejects.toThrow(/was released/);
  });

  it('refuse a call after release, which may be repeated', async () => {
    const run = await compile((x) => tf.add(x, 1), [{ shape: [1] }], { name: 'the step' });
    await run.release();
    await run.release();
    await expect(run(floats(1))).rejects.toThrow('the step was released');
  });
});

describe('resources', () => {
  it('compiling, calling and releasing leave no tensor behind', async () => {
    const w = tf.variable(tf.tensor2d([[1, 2]]));
    const more = await leaked(async () => {
      const frozen = await compile((x) => tf.grad((t) => tf.mul(t, w).square())(x), [{ shape: [3, 2] }]);
      await frozen(new Float32Array(6));
      await frozen.release();
      const live = await compile((x) => tf.mul(x, w).sum(), [{ shape: [3, 2] }], { weights: 'live' });
      await live(new Float32Array(6));
      await live.release();
    });
    expect(more).toEqual(NOTHING);
    w.dispose();
  });

  it('a training step leaves its slots behind, and nothing more', async () => {
    const w = tf.variable(tf.tensor2d([[1], [2]]));
    const optimizer = tf.train.adam(0.1);
    const step = (): Promise<{ (x: Float32Array): Promise<unknown>; release(): Promise<void> }> =>
      compile(
        (x) => ({
          loss: optimizer.minimize(
            () =>
              tf
                .matMul(x as tf.Tensor2D, w as tf.Tensor2D)
                .square()
                .mean(),
            true,
          ) as tf.Tensor,
        }),
        [{ shape: [4, 2] }],
        { weights: 'live' },
      );
    const x = array(8, 'float32', 1) as Float32Array;
    const first = await step();
    await first(x);
    await first.release();
    const more = await leaked(async () => {
      const second = await step();
      for (let i = 0; i < 5; i++) await second(x);
      await second.release();
    });
    expect(more).toEqual(NOTHING);
    optimizer.dispose();
    w.dispose();
  });

  it('the same function compiled twice goes on after one is released', async () => {
    const make = () => compile((x) => tf.exp(x), [{ shape: [2] }]);
    const [one, other] = [await make(), await make()];
    await one.release();
    expect(numbers(await other(floats(0, 0)))).toEqual([1, 1]);
    await other.release();
    const third = await make();
    expect(numbers(await third(floats(0, 0)))).toEqual([1, 1]);
    await third.release();
  });

  it('memory does not grow with every compilation', async () => {
    const cycle = async (i: number): Promise<void> => {
      const w = tf.tensor2d(array(256 * 256, 'float32', i) as Float32Array, [256, 256]);
      const run = await compile((x) => tf.matMul(x as tf.Tensor2D, w), [{ shape: [4, 256] }]);
      await run(new Float32Array(4 * 256));
      await run.release();
      w.dispose();
    };
    for (let i = 0; i < 10; i++) await cycle(i);
    const before = process.memoryUsage().rss;
    for (let i = 10; i < 60; i++) await cycle(i);
    const growth = (process.memoryUsage().rss - before) / 2 ** 20;
    // Each has 256 KiB of weights, held several times over while it is made.
    expect(growth).toBeLessThan(60);
  });

  it('the graph is shown before and after every pass, the same text each time', async () => {
    const dumped = async (): Promise<string[]> => {
      const lines: string[] = [];
      const w = tf.tensor1d([1, 2]);
      const run = await compile((x) => tf.relu(tf.mul(x, w)).add(0), [{ shape: [3, 2] }], {
        dump: (stage, text) => lines.push(`# ${stage}\n${text}`),
      });
      await run.release();
      w.dispose();
      return lines;
    };
    const [first, second] = [await dumped(), await dumped()];
    expect(first).toEqual(second);
    expect(first[0]).toBe(
      '# 00-recorded\ninput arg0: float32[3,2]\nv2: float32[3,2] = Multiply(a=arg0, b=c1)\nv3: float32[3,2] = Relu(x=v2)\nv4: float32[3,2] = Add(a=v3, b=0)\noutput result = v4\n',
    );
    expect(first.at(-1)).not.toContain('Add');
  });
});
