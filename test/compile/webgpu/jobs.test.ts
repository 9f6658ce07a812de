/** What the harness compiles, on WebGPU beside the CPU. */
import { beforeAll } from 'vitest';
import { compile } from '../../../src/compile/compile.ts';
import type { Provider } from '../../../src/compile/target.ts';
import { tf } from '../../../src/tf.ts';
import { describeJobs, type OnBackend } from '../../backends/jobs.ts';

beforeAll(() => tf.setBackend('cpu'));

const on =
  (provider: Provider): OnBackend =>
  (job) =>
    job((fn, specs, options) => compile(fn, specs, { ...options, provider }));

describeJobs('WebGPU', on('webgpu'), on('cpu'));
