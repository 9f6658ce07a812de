/** Skips the tests of the `webgpu` project where nothing computes WebGPU. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach } from 'vitest';

const { LD_LIBRARY_PATH: folder = '', VK_ICD_FILENAMES: driver = '' } = process.env;
const isHere = existsSync(driver) && existsSync(join(folder, 'libvulkan.so.1'));

beforeEach((context) => {
  context.skip(!isHere, `no SwiftShader in ${folder}: Debian's package chromium brings it`);
});
