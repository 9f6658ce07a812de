import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gradientDifference } from '../../src/backends/gradient-check.ts';
import { openBackend } from '../../src/backends/open.ts';
import { loadedTensorflow, openTensorflow } from '../../src/backends/tensorflow.ts';
import { prepareEnvironment } from '../../src/backends/tensorflow-environment.ts';
import { findAddon, requireOneCopy, SETUP_VARIABLE } from '../../src/backends/tensorflow-package.ts';
import { tf } from '../../src/tf.ts';
import { type FakeAddon, fakeSetup, writeAddon } from './fake-addon.ts';

const ENVIRONMENT = { ...process.env };
const folders: string[] = [];
const setUp = async (...addons: readonly FakeAddon[]): Promise<string> => {
  const folder = await fakeSetup(...addons);
  folders.push(folder);
  return folder;
};

beforeEach(() => tf.setBackend('cpu'));
afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in ENVIRONMENT)) delete process.env[name];
  Object.assign(process.env, ENVIRONMENT);
  await tf.setBackend('cpu');
  if (tf.engine().registryFactory.tensorflow !== undefined) tf.removeBackend('tensorflow');
  for (const { kernelName } of tf.getKernelsForBackend('tensorflow')) tf.unregisterKernel(kernelName, 'tensorflow');
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** Opens the backend as if a setup had made a folder with that addon in it. */
async function open(addon: FakeAddon = {}) {
  process.env[SETUP_VARIABLE] = await setUp(addon);
  return openTensorflow();
}

describe("TensorFlow's own library", () => {
  it('is asked for in one line where it is not', async () => {
    process.env[SETUP_VARIABLE] = '/nowhere';
    await expect(openBackend('tensorflow')).rejects.toThrow(
      "--backend tensorflow needs TensorFlow's own library, and neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is " +
        'in /nowhere, which GIBBON_TENSORFLOW names: run npm run setup:tensorflow',
    );
    expect(tf.getBackend()).toBe('cpu');
  });

  it('is that for graphics processors, where both are there', async () => {
    const both = await setUp({ name: '@tensorflow/tfjs-node' }, { name: '@tensorflow/tfjs-node-gpu' });
    expect(findAddon(both)).toBe(join(both, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'dist', 'index.js'));
    const one = await setUp({ name: '@tensorflow/tfjs-node' });
    expect(findAddon(one)).toBe(join(one, 'node_modules', '@tensorflow', 'tfjs-node', 'dist', 'index.js'));
  });

  it('computes eagerly on the one copy of TensorFlow.js, which is left on it', async () => {
    const { addon, library, device, prepare } = await open();
    expect({ addon: addon.replace(/ .*/, ''), library, device }).toEqual({
      ...{ addon: '@tensorflow/tfjs-node', library: '2.0.0-fake', device: 'CPU' },
    });
    expect(loadedTensorflow()).toBe('TensorFlow 2.0.0-fake on the CPU');
    expect(tf.getBackend()).toBe('tensorflow');
    const double = await prepare((x) => x.mul(2), [{ shape: [2] }]);
    expect([...(await double(Float32Array.of(1, 2))).data]).toEqual([2, 4]);
    await tf.setBackend('cpu');
    const variable = tf.variable(tf.tensor1d([1, 2, 3]));
    await tf.setBackend('tensorflow');
    expect([...(await variable.mul(variable).data())]).toEqual([1, 4, 9]);
    variable.dispose();
  });

  it('borrows what it lacks from the reference, and gives every tensor back', async () => {
    const turned = (): number[] =>
      tf.tidy(() => {
        const image = tf.tensor4d(
          Float32Array.from({ length: 18 }, (_, i) => Math.sin(i)),
          [1, 3, 3, 2],
        );
        const pose = tf.tensor2d([[1, 0.2, 0.3, -0.1, 1, 0, 0, 0]]);
        const moved = tf.image.transform(image, pose, 'bilinear', 'constant', 0.5);
        return [...tf.image.rotateWithOffset(moved, 0.3).dataSync()];
      });
    const expected = turned();
    await open();
    const before = tf.memory();
    expect(turned()).toEqual(expected);
    const { numTensors, numDataBuffers } = tf.memory();
    expect({ numTensors, numDataBuffers }).toEqual({
      ...{ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers },
    });
  });

  it('is refused where it computes something else, with the difference', async () => {
    const more = `const { kernelFunc } = tf.getKernel('Step', 'cpu');
      replace('Step', (call) => { const made = kernelFunc(call); call.backend.data.get(made.dataId).values.fill(1); return made; });`;
    process.env[SETUP_VARIABLE] = await setUp({ more });
    await expect(openBackend('tensorflow')).rejects.toThrow(
      /computes something else: a small gradient differs from the reference by \d\.\de[+-]\d of its largest entry/,
    );
    expect(tf.getBackend()).toBe('cpu');
  });

  it('is refused where it does not load, with the reason', async () => {
    const opened = open({ more: "throw new Error('libtensorflow.so.2: cannot open shared object file');" });
    await expect(opened).rejects.toThrow(
      /dist\/index\.js does not load \(libtensorflow\.so\.2: cannot open shared object file\); run npm run setup:tensorflow/,
    );
    expect(tf.getBackend()).toBe('cpu');
  });

  it('is refused where it brings a copy of TensorFlow.js of its own', async () => {
    const folder = await setUp({});
    const addon = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
    await writeAddon(join(addon, 'node_modules', '@tensorflow', 'tfjs'), { name: '@tensorflow/tfjs' });
    const main = findAddon(folder);
    expect(() => requireOneCopy(main)).toThrow(
      /tfjs-node\/dist\/index\.js brings a copy of @tensorflow\/tfjs of its own \(.*tfjs-node\/node_modules.*\).*must serve both/,
    );
  });
});

describe('the check of gradients', () => {
  it('compares with the reference, whatever the current backend is', async () => {
    const { prepare } = await open();
    expect(await gradientDifference(prepare)).toBeLessThan(1e-6);
  });
});

describe('what the library reads while it is loaded', () => {
  it('keeps products exact and runs repeatable', () => {
    const environment: NodeJS.ProcessEnv = {};
    prepareEnvironment(environment, '3');
    expect(environment).toMatchObject({
      ...{ NVIDIA_TF32_OVERRIDE: '0', TF_DETERMINISTIC_OPS: '1', TF_NUM_INTRAOP_THREADS: '3' },
    });
  });

  it('leaves what the user has set', () => {
    const environment: NodeJS.ProcessEnv = { NVIDIA_TF32_OVERRIDE: '1', TF_NUM_INTRAOP_THREADS: '8' };
    prepareEnvironment(environment, '3');
    expect(environment).toMatchObject({ NVIDIA_TF32_OVERRIDE: '1', TF_NUM_INTRAOP_THREADS: '8' });
  });
});
