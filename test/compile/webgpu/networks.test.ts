/** Whole networks, and what preprocessing defenses make of images, on WebGPU beside the CPU. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type CompileOptions, compile } from '../../../src/compile/compile.ts';
import type { Classifier, ImageShape } from '../../../src/core/classifier.ts';
import { isWrapper } from '../../../src/core/defense.ts';
import { resolveParams } from '../../../src/core/params.ts';
import { loadDefenses } from '../../../src/discover/modules.ts';
import { buildNetwork } from '../../../src/models/network.ts';
import { tf } from '../../../src/tf.ts';
import { scene } from '../../defenses/pictures.ts';
import { operand } from '../arbitrary.ts';

beforeAll(() => tf.setBackend('cpu'));

type Images = (x: tf.Tensor4D) => tf.Tensor;

async function computed(
  fn: Images,
  x: Float32Array,
  shape: readonly number[],
  options: CompileOptions,
): Promise<number[]> {
  const compiled = await compile((t) => fn(t as tf.Tensor4D), [{ shape }], options);
  const { data } = await compiled(x);
  await compiled.release();
  return [...data];
}

/** The largest difference between WebGPU and the CPU, in parts of the largest value. */
async function difference(fn: Images, x: Float32Array, shape: readonly number[]): Promise<number> {
  const found = await computed(fn, x, shape, { provider: 'webgpu' });
  const reference = await computed(fn, x, shape, { provider: 'cpu' });
  const size = Math.max(...reference.map(Math.abs));
  expect(size).toBeGreaterThan(0);
  return Math.max(...found.map((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)))) / size;
}

describe('on WebGPU', () => {
  // One with residuals, one with concatenations, one with depthwise convolutions: others take their shaders' time again.
  it.each(['resnet18', 'googlenet', 'mobilenet_v2'])('%s has the gradient that it has on the CPU', async (arch) => {
    const [shape, classes] = [[2, 32, 32, 3], 10];
    const normalisation = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
    const input: ImageShape = [32, 32, 3];
    const network = buildNetwork({ arch, variant: 'small', width: 0.125, input, classes, normalisation }, 1);
    const spread = tf.range(0, classes);
    const gradient = tf.grad((x) => network.classifier.logits(x as tf.Tensor4D).mul(spread));
    const { data } = operand(shape, 1, { values: { from: 0, to: 1 } });
    expect(await difference(gradient, data as Float32Array, shape)).toBeLessThan(1e-4);
    spread.dispose();
    network.dispose();
  });

  it('images behind preprocessing are what they are on the CPU', async () => {
    const input: ImageShape = [9, 11, 3];
    const mirror: Classifier = {
      name: 'mirror',
      classes: 9 * 11 * 3,
      input,
      logits: (x) => x.reshape([x.shape[0], -1]),
    };
    const images = Float32Array.from([0, 1].flatMap((index) => [...scene(input, index)]));
    for (const defense of [...(await loadDefenses()).values()].filter(isWrapper)) {
      const params = resolveParams(defense.name, defense.params, {});
      const { classifier } = defense.wrap(mirror, params, { answer: 11, adversary: 22 });
      const apart = await difference((x) => classifier.logits(x), images, [2, ...input]);
      expect(apart, defense.name).toBeLessThan(1e-4);
    }
  });
});
