import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { threadCount } from '../../src/compile/threads.ts';
import type { HostTensor } from '../../src/compile/types.ts';
import { crossEntropy } from '../../src/core/losses.ts';
import { buildNetwork, specOf } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { array } from './arbitrary.ts';

describe('threads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gibbon-threads-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A machine whose logical processors have these siblings. */
  const machine = (name: string, siblings: readonly string[]): string => {
    const processors = join(folder, name);
    siblings.forEach((list, i) => {
      mkdirSync(join(processors, `cpu${i}`, 'topology'), { recursive: true });
      writeFileSync(join(processors, `cpu${i}`, 'topology', 'thread_siblings_list'), `${list}\n`);
    });
    mkdirSync(join(processors, 'cpufreq'), { recursive: true });
    return processors;
  };

  it('are as many as the cores, not as their logical processors, and no more than the process may use', () => {
    expect(threadCount(undefined, machine('one', ['0']))).toBe(1);
    expect(threadCount(undefined, machine('twins', ['0-1', '0-1']))).toBe(1);
    const many = Array.from({ length: 2 * availableParallelism() }, (_, i) => `${i}`);
    expect(threadCount(undefined, machine('many', many))).toBe(availableParallelism());
  });

  it('are left to ONNX Runtime where the system does not tell', () => {
    expect(threadCount(undefined, join(folder, 'nowhere'))).toBeUndefined();
    expect(threadCount('', join(folder, 'nowhere'))).toBeUndefined();
  });

  it('are what the environment asks for, in whole numbers', () => {
    expect(threadCount('3', machine('asked', ['0']))).toBe(3);
    for (const wrong of ['0', '-1', '1.5', 'two', '1e9', ' ']) {
      expect(() => threadCount(wrong)).toThrow(`GIBBON_THREADS=${wrong}: a whole number of threads, at least 1`);
    }
  });

  it('change no bit of what a network computes, nor of its gradients', async () => {
    const network = buildNetwork({ ...specOf('resnet18', 'small', [28, 28, 1], 10), width: 1 / 16 }, 3);
    const weights = network.trained.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const results: HostTensor[][] = [];
    for (const threads of [1, 2, 3]) {
      const run = await compile(
        (x, label) => {
          const lossOf = (images: tf.Tensor): tf.Scalar =>
            crossEntropy(network.classifier.logits(images as tf.Tensor4D), label as tf.Tensor1D).mean();
          const { value, grads } = tf.variableGrads(() => lossOf(x), weights);
          return { value, ...grads, x: tf.grad(lossOf)(x) };
        },
        [{ shape: [16, 28, 28, 1] }, { shape: [16], dtype: 'int32' }],
        { weights: 'live', threads },
      );
      const labels = Int32Array.from({ length: 16 }, (_, i) => i % 10);
      results.push(Object.values(await run(array(16 * 784, 'float32', 5, 'smooth') as Float32Array, labels)));
      await run.release();
    }
    network.dispose();
    expect(results[0]?.length).toBeGreaterThan(40);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
