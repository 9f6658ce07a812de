import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../../src/compile/compile.ts';
import { tf } from '../../../src/tf.ts';

beforeAll(() => tf.setBackend('cpu'));

const twice = () => compile((x) => x.add(x), [{ shape: [3] }], { provider: 'webgpu' });

describe('on WebGPU', () => {
  it('lack of memory is one line that says what to do, and the device computes on', async () => {
    // 1.6 GB on the way, which SwiftShader does not give out in one piece; one row comes in and as many numbers go out.
    const [rows, columns] = [400, 1_000_000];
    const grows = await compile((x) => tf.tile(x, [rows, 1]).sum(1), [{ shape: [1, columns] }], { provider: 'webgpu' });
    const failure = await grows(new Float32Array(columns)).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(failure).toMatch(
      /^WebGPU ran out of memory or lost its device: take smaller batches, or compute on the CPU \(/,
    );
    expect(failure).not.toContain('\n');
    await grows.release();
    const small = await twice();
    expect((await small(Float32Array.of(1, 2, 3))).data).toEqual(Float32Array.of(2, 4, 6));
    await small.release();
  });

  it('tensors of many axes are computed like others', async () => {
    const shape = [2, 1, 2, 1, 2, 1, 2, 3];
    const fn = await compile((x) => x.transpose([7, 5, 3, 1, 6, 4, 2, 0]).sum([0, 2]), [{ shape }], {
      provider: 'webgpu',
    });
    const data = Float32Array.from({ length: 48 }, (_, i) => i);
    const expected = tf.tidy(() => tf.tensor(data, shape).transpose([7, 5, 3, 1, 6, 4, 2, 0]).sum([0, 2]).dataSync());
    expect((await fn(data)).data).toEqual(expected);
    await fn.release();
  });

  it('functions called at once each give their own result', async () => {
    const functions = await Promise.all([twice(), twice(), twice()]);
    const results = await Promise.all(functions.map((fn, i) => fn(Float32Array.of(i, i + 1, i + 2))));
    expect(results.map(({ data }) => [...data])).toEqual([0, 1, 2].map((i) => [2 * i, 2 * i + 2, 2 * i + 4]));
    for (const fn of functions) await fn.release();
  });
});
