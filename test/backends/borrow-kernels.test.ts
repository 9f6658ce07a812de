import { beforeAll, describe, expect, it } from 'vitest';
import { borrowed } from '../../src/backends/borrow-kernels.ts';
import { tf } from '../../src/tf.ts';

beforeAll(() => tf.setBackend('cpu'));

/** Two tensors, and how much the reference holds besides once `use` has had its kernel. */
function withKernel(kernel: tf.KernelFunc, use: (run: () => tf.TensorInfo | tf.TensorInfo[]) => void): number {
  const backend = tf.backend();
  const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])];
  const before = backend.numDataIds();
  use(() => borrowed(kernel)({ inputs: { a, b }, attrs: {}, backend }));
  const more = backend.numDataIds() - before;
  tf.dispose([a, b]);
  return more;
}

describe('a kernel of the reference that another backend borrows', () => {
  it('gives its results there, and the reference keeps nothing', () => {
    const add = tf.getKernel('Add', 'cpu').kernelFunc;
    const more = withKernel(add, (run) => {
      const result = run() as tf.TensorInfo;
      expect([...(tf.backend().readSync(result.dataId) as Float32Array)]).toEqual([4, 6]);
      tf.backend().disposeData(result.dataId);
    });
    expect(more).toBe(0);
  });

  it('keeps nothing where it fails', () => {
    const fails: tf.KernelFunc = () => {
      throw new Error('no');
    };
    expect(withKernel(fails, (run) => expect(run).toThrow('no'))).toBe(0);
  });
});
