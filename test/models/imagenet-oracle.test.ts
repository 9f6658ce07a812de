import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { assembleNetwork } from '../../src/models/network.ts';
import { permute } from '../../src/models/permute.ts';
import { tf } from '../../src/tf.ts';
import { relativeError } from './close.ts';
import { fillWithOracleWeights, oracleImages } from './oracle-weights.ts';

const norm = (values: Float32Array, power: number): number =>
  values.reduce((sum, value) => sum + Math.abs(value) ** power, 0) ** (1 / power);

/** ‖a - b‖₂ / ‖b‖₂ */
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...b.map((wanted, i) => (a[i] as number) - wanted)) / Math.hypot(...b);

/**
 * How far samples of the gradient may be from float64, in L2. One rectifier of ten million whose input is nearly zero may
 * fall on the other side in float32; PyTorch's own float32 is 2.7e-3 from float64 for MobileNet V2.
 */
const SAMPLES: Readonly<Record<string, number>> = {
  alexnet: 1e-3,
  vgg16: 1e-3,
  googlenet: 1e-3,
  resnet18: 1e-3,
  resnet50: 1e-3,
  densenet121: 1e-3,
  mobilenet_v2: 5e-3,
};

it.each(Object.entries(SAMPLES))(
  '%s at 224x224 computes what torchvision computes: logits, loss and input gradient',
  async (arch, samplesBound) => {
    const golden = JSON.parse(readFileSync(new URL(`../oracles/imagenet/${arch}.json`, import.meta.url), 'utf8'));
    await tf.setBackend('cpu');
    const network = assembleNetwork({
      arch,
      variant: 'imagenet',
      width: 1,
      input: [224, 224, 3],
      classes: 1000,
      normalisation: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    });
    expect(network.parameters).toBe(golden.parameters);
    fillWithOracleWeights(network.model);

    const shape = [2, 224, 224, 3] as const;
    const labels = Int32Array.from(golden.labels);
    const run = await compile(
      (x, y) => {
        let logits: tf.Tensor2D | undefined;
        const lossOf = (images: tf.Tensor): tf.Scalar => {
          logits = tf.keep(network.classifier.logits(images as tf.Tensor4D));
          return tf.oneHot(y.toInt(), 1000).mul(tf.logSoftmax(logits)).sum().neg() as tf.Scalar;
        };
        const { value, grad } = tf.valueAndGrad(lossOf)(x);
        return { logits: logits as tf.Tensor2D, loss: value, gradient: grad };
      },
      [{ shape }, { shape: [2], dtype: 'int32' }],
    );
    network.dispose();
    const { logits, loss, gradient } = await run(oracleImages(2, [224, 224, 3]), labels);
    await run.release();

    expect(relativeError(logits.data, golden.logits.flat())).toBeLessThan(1e-3);
    expect(relativeError(loss.data, [golden.loss_sum])).toBeLessThan(1e-3);
    const nchw = permute(gradient.data as Float32Array, shape, [0, 3, 1, 2]);
    const perImage = [0, 1].map((i) => nchw.subarray((i * nchw.length) / 2, ((i + 1) * nchw.length) / 2));
    expect(
      relativeError(
        perImage.map((g) => norm(g, 1)),
        golden.gradient_l1,
      ),
    ).toBeLessThan(1e-3);
    expect(
      relativeError(
        perImage.map((g) => norm(g, 2)),
        golden.gradient_l2,
      ),
    ).toBeLessThan(1e-3);
    const { nchw_index: indices, value: samples } = golden.gradient_samples;
    const found = indices.map((i: number) => nchw[i]);
    expect(distance(found, samples)).toBeLessThan(samplesBound);
  },
);
