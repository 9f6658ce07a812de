/** What is measured: one call of each is one batch. Each has a twin of the same name in rivals/pytorch.py. */
import { attackStep, benchLabels, benchPixels } from '../src/cli/bench/steps.ts';
import { compile } from '../src/compile/compile.ts';
import { crossEntropy } from '../src/core/losses.ts';
import { buildNetwork } from '../src/models/network.ts';
import { tf } from '../src/tf.ts';
import { resnet20 } from './resnet20.ts';

export interface Workload {
  readonly name: string;
  readonly what: string;
  /** Images in one call. */
  readonly images: number;
  prepare(): Promise<Runner>;
}

export interface Runner {
  run(): Promise<void>;
  release(): Promise<void>;
}

interface AttackWorkload {
  readonly arch: string;
  readonly variant: string;
  readonly width: number;
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly batch: number;
}

function attack(name: string, what: string, options: AttackWorkload): Workload {
  const { arch, variant, width, input, classes, batch } = options;
  return {
    name,
    what,
    images: batch,
    prepare: async () => {
      const normalisation = {
        mean: new Array<number>(input[2]).fill(0),
        std: new Array<number>(input[2]).fill(1),
      };
      const network = buildNetwork({ arch, variant, width, input, classes, normalisation }, 0);
      const call = await compile(
        (x, y) => attackStep(network.classifier, x as tf.Tensor4D, y as tf.Tensor1D),
        [{ shape: [batch, ...input] }, { shape: [batch], dtype: 'int32' }],
        { name },
      );
      network.dispose();
      const x = benchPixels(batch * input.reduce((a, b) => a * b, 1));
      const y = benchLabels(batch, classes);
      return { run: async () => void (await call(x, y)), release: () => call.release() };
    },
  };
}

/** Forward pass, gradients, plain gradient descent, batch statistics: all weights live. */
const training: Workload = {
  name: 'train-resnet20',
  what: 'training step, 20-layer residual network, 32x32, batch 128',
  images: 128,
  prepare: async () => {
    const [batch, size, classes] = [128, 32, 10];
    const network = resnet20(classes);
    const call = await compile(
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

export const WORKLOADS: readonly Workload[] = [
  attack('attack-vgg16', 'attack step, VGG16, 224x224, batch 8', {
    arch: 'vgg16',
    variant: 'imagenet',
    width: 1,
    input: [224, 224, 3],
    classes: 1000,
    batch: 8,
  }),
  attack('attack-vgg16-small', 'attack step, small VGG16 of the bundled digits, 28x28, batch 64', {
    arch: 'vgg16',
    variant: 'small',
    width: 1 / 8,
    input: [28, 28, 1],
    classes: 10,
    batch: 64,
  }),
  training,
];
