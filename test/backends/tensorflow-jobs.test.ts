/** What the harness computes, on TensorFlow's own library where it is set up, beside TensorFlow.js's reference. */
import { expect, it } from 'vitest';
import { openTensorflow } from '../../src/backends/tensorflow.ts';
import { hasAddon, SETUP } from '../../src/backends/tensorflow-package.ts';
import { eager } from '../../src/compile/eager.ts';
import { tf } from '../../src/tf.ts';
import { describeJobs, type OnBackend } from './jobs.ts';

const on =
  (backend: string): OnBackend =>
  async (job) => {
    await tf.setBackend(backend);
    const done = await job(eager);
    expect(tf.getBackend()).toBe(backend);
    return done;
  };

if (hasAddon()) {
  await tf.setBackend('cpu');
  await openTensorflow();
  describeJobs('TensorFlow', on('tensorflow'), on('cpu'));
} else {
  it.skip(`neither tfjs-node-gpu nor tfjs-node is here: ${SETUP} installs one`, () => undefined);
}
