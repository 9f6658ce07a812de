/** What the harness computes, on TensorFlow's own library where it is set up, beside TensorFlow.js's reference. */
import { beforeAll, beforeEach, expect } from 'vitest';
import { openTensorflow } from '../../src/backends/tensorflow.ts';
import { hasAddon, SETUP } from '../../src/backends/tensorflow-package.ts';
import { eager } from '../../src/compile/eager.ts';
import { tf } from '../../src/tf.ts';
import { describeJobs, type OnBackend } from './jobs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  if (hasAddon()) await openTensorflow();
});
beforeEach(({ skip }) => skip(!hasAddon(), `neither tfjs-node-gpu nor tfjs-node is here: ${SETUP} installs one`));

const on =
  (backend: string): OnBackend =>
  async (job) => {
    await tf.setBackend(backend);
    const done = await job(eager);
    expect(tf.getBackend()).toBe(backend);
    return done;
  };

describeJobs('TensorFlow', on('tensorflow'), on('cpu'));
