/** All that is measured. */
import { benchLabels, benchPixels } from '../src/cli/bench/steps.ts';
import { crossEntropy } from '../src/core/losses.ts';
import { specOf } from '../src/models/network.ts';
import { tf } from '../src/tf.ts';
import { attackWorkload } from './attack-workload.ts';
import { FULL_SIZE } from './full-size.ts';
import { resnet20 } from './resnet20.ts';
import type { Workload } from './workload.ts';

/** The network of the bundled digits. */
const smallAttack = attackWorkload(
  'attack-vgg16-small',
  'attack step, small VGG16 of the bundled digits, 28x28',
  64,
  specOf('vgg16', 'small', [28, 28, 1], 10),
);

/** Forward pass, gradients, plain gradient descent, batch statistics: all weights live. */
const training: Workload = {
  name: 'train-resnet20',
  what: 'training step, 20-layer residual network, 32x32',
  batch: 128,
  prepare: async (prepare, batch) => {
    const [size, classes] = [32, 10];
    const network = resnet20(classes);
    const call = await prepare(
      (x, y) => {
        const { value, grads } = tf.variableGrads(
          () => crossEntropy(network.logits(x as tf.Tensor4D), y as tf.Tensor1D).mean() as tf.Scalar,
          [...network.weights],
        );
        for (const weight of network.weights) weight.assign(weight.sub((grads[weight.name] as tf.Tensor).mul(0.05)));
        return value;
      },
      [{ shape: [batch, size, size, 3] }, { shape: [batch], dtype: 'int32' }],
      { weights: 'live', name: 'train-resnet20' },
    );
    const [x, y] = [benchPixels(batch * size * size * 3), benchLabels(batch, classes)];
    const release = async (): Promise<void> => {
      await call.release();
      tf.dispose([...network.weights]);
    };
    return { run: async () => void (await call(x, y)), release };
  },
};

export const WORKLOADS: readonly Workload[] = [smallAttack, training, ...FULL_SIZE];
