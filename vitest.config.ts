import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** SwiftShader computes WebGPU's graphics on the processor; it comes with Chromium. */
const SWIFTSHADER = '/usr/lib/chromium';

/**
 * What may share a process, file after file: loading TensorFlow.js takes longer than most files. All others change the folder
 * or the environment of their process, or hold much.
 */
const SHARING = ['attacks', 'compile', 'core', 'data', 'defenses', 'discover', 'house', 'models', 'report', 'weights'];
const sharing = SHARING.map((room) => `test/${room}/**/*.test.ts`);
const ON_WEBGPU = 'test/compile/webgpu/*.test.ts';

export default defineConfig({
  // Examples import the package by its name, as a user's files do: it is this very program.
  resolve: { alias: { gibbon: fileURLToPath(new URL('./src/index.ts', import.meta.url)) } },
  test: {
    // Two files at a time, each in a process that computes on one core.
    pool: 'forks',
    maxWorkers: 2,
    env: { GIBBON_THREADS: '1' },
    globalSetup: 'test/own-home.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: sharing } },
      { extends: true, test: { name: 'together', include: sharing, exclude: [ON_WEBGPU], isolate: false } },
      {
        extends: true,
        test: {
          name: 'webgpu',
          include: ['test/compile/kernels/*.test.ts', ON_WEBGPU],
          exclude: ['test/compile/kernels/table.test.ts'],
          setupFiles: ['test/compile/webgpu/setup.ts'],
          // The loader of libraries reads its path when a process starts, and these are there when the forks do.
          env: {
            GIBBON_TEST_PROVIDER: 'webgpu',
            LD_LIBRARY_PATH: SWIFTSHADER,
            VK_ICD_FILENAMES: `${SWIFTSHADER}/vk_swiftshader_icd.json`,
            // The loader's other word for the same, which goes before.
            VK_DRIVER_FILES: `${SWIFTSHADER}/vk_swiftshader_icd.json`,
          },
          isolate: false,
        },
      },
    ],
  },
});
