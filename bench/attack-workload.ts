import { attackStep, benchLabels, benchPixels } from '../src/cli/bench/steps.ts';
import { disposeOf } from '../src/compile/resident.ts';
import type { Values } from '../src/compile/types.ts';
import { buildNetwork, type NetworkSpec } from '../src/models/network.ts';
import type { tf } from '../src/tf.ts';
import type { Workload } from './workload.ts';

/** Steps of an attack on an untrained network, each from where the last one ended: images stay where they are computed. */
export const attackWorkload = (name: string, what: string, batch: number, spec: NetworkSpec): Workload => ({
  ...{ name, what, batch },
  prepare: async (prepare, images) => {
    const { input, classes } = spec;
    const network = buildNetwork(spec, 0);
    const step = await prepare(
      (x, y) => ({ x: attackStep(network.classifier, x as tf.Tensor4D, y as tf.Tensor1D) }),
      [{ shape: [images, ...input] }, { shape: [images], dtype: 'int32' }],
      { name, mayStay: () => true },
    );
    const y = benchLabels(images, classes);
    let x: Values = benchPixels(images * input.reduce((a, b) => a * b, 1));
    const run = async (): Promise<void> => {
      const next = await step.staying(x, y);
      disposeOf({ x });
      x = next.x.data;
    };
    const release = async (): Promise<void> => {
      disposeOf({ x });
      await step.release();
      network.dispose();
    };
    return { run, release };
  },
});
