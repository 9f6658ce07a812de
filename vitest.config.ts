import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Examples import the package by its name, as a user's files do: it is this very program.
  resolve: { alias: { gibbon: fileURLToPath(new URL('./src/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    // Two files at a time, each in a process of its own that computes on one core.
    pool: 'forks',
    maxWorkers: 2,
    env: { GIBBON_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
