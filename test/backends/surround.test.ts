import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surround } from '../../src/backends/surround.ts';
import { tf } from '../../src/tf.ts';

const STRICT = 'strict';

/** The reference's kernels, as far as they obey TensorFlow's: they refuse paddings that have no name there. */
beforeAll(async () => {
  await tf.setBackend('cpu');
  const { MathBackendCPU } = await import('@tensorflow/tfjs-backend-cpu');
  tf.registerBackend(STRICT, () => new MathBackendCPU());
  tf.copyRegisteredKernels('cpu', STRICT);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend(STRICT)) {
    if (!/Conv2?D|Pool/i.test(kernelName)) continue;
    tf.unregisterKernel(kernelName, STRICT);
    const strict: tf.KernelFunc = (call) => {
      if (call.attrs?.pad !== 'valid' && call.attrs?.pad !== 'same')
        throw new Error(`${kernelName} has no such padding`);
      return kernelFunc(call);
    };
    tf.registerKernel({ kernelName, backendName: STRICT, kernelFunc: strict });
  }
  surround(STRICT);
});
afterAll(() => {
  tf.removeBackend(STRICT);
  for (const { kernelName } of tf.getKernelsForBackend(STRICT)) tf.unregisterKernel(kernelName, STRICT);
});

const side = fc.integer({ min: 1, max: 2 });
const quad = fc.tuple(side, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), side);
const geometry = fc.record({
  height: fc.integer({ min: 5, max: 7 }),
  width: fc.integer({ min: 5, max: 7 }),
  size: fc.integer({ min: 3, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  // A number needs a rounding where windows do not fill the image; explicit ones must not have it.
  padding: fc.oneof(
    fc.record({ pad: fc.integer({ min: 1, max: 2 }), rounding: fc.constantFrom('floor' as const, 'ceil' as const) }),
    quad.map(([top, bottom, left, right]) => ({
      pad: [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      rounding: undefined,
    })),
  ),
});
type Case = typeof geometry extends fc.Arbitrary<infer T> ? T : never;

const waves = (shape: number[], phase: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(phase + 7 * i)),
    shape,
  );

type Op = (x: tf.Tensor4D, filter: tf.Tensor4D, of: Case) => tf.Tensor;
const CHANNELS = 2;
const OPERATIONS: Readonly<Record<string, Op>> = {
  'a convolution': (x, filter, { stride, padding: { pad, rounding } }) =>
    tf.conv2d(x, filter, stride, pad as number, 'NHWC', 1, rounding),
  'a fused convolution': (x, filter, { stride, padding: { pad, rounding } }) =>
    tf.fused.conv2d({
      ...{ x, filter, strides: stride, pad: pad as number, activation: 'relu' as const },
      ...(rounding === undefined ? {} : { dimRoundingMode: rounding }),
    }),
  'a depthwise convolution': (x, filter, { stride, padding: { pad, rounding } }) =>
    tf.depthwiseConv2d(x, filter, stride, pad as number, 'NHWC', 1, rounding),
  'a maximum': (x, _, { size, stride, padding: { pad, rounding } }) =>
    tf.maxPool(x, size, stride, pad as number, rounding),
  'a mean': (x, _, { size, stride, padding: { pad, rounding } }) =>
    tf.avgPool(x, size, stride, pad as number, rounding),
};

/** The value, and the gradients of a sum that weighs its entries. */
function computed(op: Op, of: Case): number[][] {
  return tf.tidy(() => {
    const x = waves([2, of.height, of.width, CHANNELS], 1) as tf.Tensor4D;
    const filter = waves([of.size, of.size, CHANNELS, CHANNELS], 2) as tf.Tensor4D;
    const weighed = (image: tf.Tensor, kernel: tf.Tensor): tf.Tensor => {
      const y = op(image as tf.Tensor4D, kernel as tf.Tensor4D, of);
      // So that the filter counts where it takes no part.
      return y.mul(waves(y.shape, 3)).sum().add(kernel.sum());
    };
    const value = op(x, filter, of);
    return [value, ...tf.grads(weighed)([x, filter])].map((tensor) => [...tensor.shape, ...tensor.dataSync()]);
  });
}

describe.each(Object.entries(OPERATIONS))('%s', (_, op) => {
  it('is what the reference computes, with its gradients, whatever the padding', () => {
    fc.assert(
      fc.property(geometry, (of) => {
        void tf.setBackend('cpu');
        const expected = computed(op, of);
        void tf.setBackend(STRICT);
        const before = tf.memory().numTensors;
        const found = computed(op, of);
        expect(tf.memory().numTensors).toBe(before);
        found.forEach((values, i) => {
          expect(values.length).toBe(expected[i]?.length);
          const apart = values.map((value, j) => Math.abs(value - (expected[i]?.[j] ?? Number.NaN)));
          expect(Math.max(...apart)).toBeLessThan(1e-4);
        });
      }),
      { numRuns: 12, seed: 7 },
    );
  });
});
