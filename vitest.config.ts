import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** SwiftShader computes WebGPU's graphics on the processor; it comes with Chromium. */
const SWIFTSHADER = '/usr/lib/chromium';

export default defineConfig({
  // Examples import the package by its name, as a user's files do: it is this very program.
  resolve: { alias: { gibbon: fileURLToPath(new URL('./src/index.ts', import.meta.url)) } },
  test: {
    // Two files at a time, each in a process of its own that computes on one core.
    pool: 'forks',
    maxWorkers: 2,
    env: { GIBBON_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'cpu', include: ['test/**/*.test.ts'], exclude: ['test/compile/webgpu/**'] } },
      {
        extends: true,
        test: {
          name: 'webgpu',
          include: ['test/compile/kernels/*.test.ts', 'test/compile/webgpu/*.test.ts'],
          exclude: ['test/compile/kernels/table.test.ts'],
          setupFiles: ['test/compile/webgpu/setup.ts'],
          // The loader of libraries reads its path when a process starts, and these are there when the forks do.
          env: {
            GIBBON_TEST_PROVIDER: 'webgpu',
            LD_LIBRARY_PATH: SWIFTSHADER,
            VK_ICD_FILENAMES: `${SWIFTSHADER}/vk_swiftshader_icd.json`,
          },
          // A process takes file after file: loading TensorFlow.js and the device takes longer than most files.
          isolate: false,
        },
      },
    ],
  },
});
