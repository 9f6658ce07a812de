import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { tf } from '../../src/tf.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';

const folder = join(PACKAGE_ROOT, 'test', 'oracles', 'attacks');

/** Arrays of an oracle file by name; NCHW images of one channel are NHWC ones too. */
export async function readOracle(file: string): Promise<(name: string) => Float32Array> {
  const { tensors } = await readSafetensors(join(folder, file));
  return (name) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`${file} has no ${name}`);
    return Float32Array.from(tensor.data as Float32Array | Int32Array);
  };
}

/** The network that the peers attacked: Conv(1→8) ReLU Conv(8→16) ReLU Linear(784→32) ReLU Linear(32→10). */
export async function oracleNet(): Promise<Classifier> {
  const read = await readOracle('mnist-net.safetensors');
  // Variables, so that a compiled function takes them for weights.
  const variable = (tensor: tf.Tensor) => tf.variable(tensor, false);
  const kernels = [
    variable(tf.tensor(read('0.weight'), [8, 1, 5, 5]).transpose([2, 3, 1, 0])),
    variable(tf.tensor(read('2.weight'), [16, 8, 5, 5]).transpose([2, 3, 1, 0])),
  ] as const;
  const matrices = [
    variable(tf.tensor(read('5.weight'), [32, 784]).transpose()),
    variable(tf.tensor(read('7.weight'), [10, 32]).transpose()),
  ] as const;
  const [b0, b2, b5, b7] = ['0.bias', '2.bias', '5.bias', '7.bias'].map((name) => variable(tf.tensor1d(read(name))));
  const convolve = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | undefined) =>
    tf
      .conv2d(
        x.pad([
          [0, 0],
          [2, 2],
          [2, 2],
          [0, 0],
        ]) as tf.Tensor4D,
        kernel as tf.Tensor4D,
        2,
        'valid',
      )
      .add(bias as tf.Tensor)
      .relu();
  return {
    name: 'oracle-net',
    classes: 10,
    input: [28, 28, 1],
    logits: (x) => {
      const features = convolve(convolve(x, kernels[0], b0), kernels[1], b2);
      // PyTorch flattens channels first.
      const flat = features.transpose([0, 3, 1, 2]).reshape([x.shape[0], 784]);
      const hidden = flat
        .matMul(matrices[0])
        .add(b5 as tf.Tensor)
        .relu();
      return hidden.matMul(matrices[1]).add(b7 as tf.Tensor) as tf.Tensor2D;
    },
  };
}
