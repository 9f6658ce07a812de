import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../../src/compile/compile.ts';
import { isResident } from '../../../src/compile/resident.ts';
import type { Provider } from '../../../src/compile/target.ts';
import type { Values } from '../../../src/compile/types.ts';
import { tf } from '../../../src/tf.ts';

beforeAll(() => tf.setBackend('cpu'));

const SHAPE = [2, 3];
const SPECS = [{ x: { shape: SHAPE }, count: { shape: [2], dtype: 'int32' } }] as const;

/** A state of an image and a count, of which the image's sign and its sum are looked at after every step. */
const stepOn = (provider: Provider) =>
  compile(
    ({ x, count }) => ({
      x: x.mul(-0.5).add(1),
      count: count.add(tf.scalar(1, 'int32')),
      positive: x.greater(0),
      sum: x.sum(1),
    }),
    SPECS,
    { provider, mayStay: (output) => output !== 'sum' },
  );

const start = () => ({ x: Float32Array.of(1, -2, 3, -4, 5, -6), count: Int32Array.of(0, 10) });

describe('what may stay', () => {
  it('stays on WebGPU, is taken by the next step as it is, and is read when somebody asks', async () => {
    const [there, here] = [await stepOn('webgpu'), await stepOn('cpu')];
    let state: { x: Values; count: Values } = start();
    let reference: { x: Values; count: Values } = start();
    for (let i = 0; i < 3; i++) {
      const [found, expected] = [await there.staying(state), await here.staying(reference)];
      expect([found.x, found.count, found.positive, found.sum].map(({ data }) => isResident(data))).toEqual([
        ...[true, true, false, false],
      ]);
      expect(Object.values(expected).some(({ data }) => isResident(data))).toBe(false);
      expect([found.positive.data, found.sum.data]).toEqual([expected.positive.data, expected.sum.data]);
      for (const values of Object.values(state)) if (isResident(values)) values.dispose();
      state = { x: found.x.data, count: found.count.data };
      reference = { x: expected.x.data, count: expected.count.data };
    }
    const { x, count } = state;
    if (!isResident(x) || !isResident(count)) throw new Error('both have stayed');
    expect([x.length, count.length]).toEqual([6, 2]);
    expect([await x.read(), await count.read()]).toEqual([reference.x, reference.count]);
    // A copy: it is there for further steps.
    expect(await x.read()).toEqual(reference.x);
    expect((await there({ x, count })).count.data).toEqual(Int32Array.of(4, 14));
    for (const values of [x, count]) values.dispose();
    await Promise.all([there.release(), here.release()]);
  });

  it('comes home with a plain call', async () => {
    const step = await stepOn('webgpu');
    const { x, count } = await step(start());
    expect([x.data, count.data]).toEqual([Float32Array.of(0.5, 2, -0.5, 3, -1.5, 4), Int32Array.of(1, 11)]);
    await step.release();
  });
});
