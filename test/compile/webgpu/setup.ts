/** Skips the tests of the `webgpu` project where there is nothing that computes WebGPU. */
import { existsSync } from 'node:fs';
import { beforeEach } from 'vitest';

const DRIVER = process.env.VK_ICD_FILENAMES ?? '';

beforeEach((context) => {
  context.skip(!existsSync(DRIVER), `no ${DRIVER}: install Debian's package chromium, which brings SwiftShader`);
});
