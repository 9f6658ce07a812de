/** A package that stands in for tfjs-node: its backend computes with the reference's kernels. */
import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** What the real one lacks. */
const LACKING = ['Transform', 'RotateWithOffset'];

const main = (more: string): string => `
const tf = require('@tensorflow/tfjs');
class Fake extends tf.findBackend('cpu').constructor {
  constructor() { super(); this.binding = { TF_Version: '2.0.0-fake' }; this.isUsingGpuDevice = false; }
}
tf.registerBackend('tensorflow', () => new Fake(), 3);
tf.copyRegisteredKernels('cpu', 'tensorflow');
for (const name of ${JSON.stringify(LACKING)}) tf.unregisterKernel(name, 'tensorflow');
const replace = (name, kernelFunc) => {
  tf.unregisterKernel(name, 'tensorflow');
  tf.registerKernel({ kernelName: name, backendName: 'tensorflow', kernelFunc });
};
// As strict as the real one.
for (const name of ['Conv2D', 'MaxPool']) {
  const { kernelFunc } = tf.getKernel(name, 'cpu');
  replace(name, (call) => {
    if ([call.attrs.pad].flat(2).some((side) => side > 0)) throw new Error('only valid and same');
    return kernelFunc(call);
  });
}
${more}
tf.setBackend('tensorflow');
`;

export interface FakeAddon {
  readonly name?: string;
  /** Code at the end of its main file. */
  readonly more?: string;
  /** Its `scripts`. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Writes the package into a folder. */
export async function writeAddon(
  folder: string,
  { name = '@tensorflow/tfjs-node', more = '', scripts }: FakeAddon = {},
) {
  await mkdir(join(folder, 'dist'), { recursive: true });
  const { version } = require('@tensorflow/tfjs/package.json') as { version: string };
  const manifest = { name, version, main: 'dist/index.js', scripts, dependencies: { '@tensorflow/tfjs': version } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'dist', 'index.js'), main(more));
}

/** A folder as `npm run setup:tensorflow` makes it, with fake addons. */
export async function fakeSetup(...addons: readonly FakeAddon[]): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'gibbon-tensorflow-'));
  const scope = join(folder, 'node_modules', '@tensorflow');
  for (const addon of addons) {
    await writeAddon(join(folder, 'node_modules', addon.name ?? '@tensorflow/tfjs-node'), addon);
  }
  await mkdir(scope, { recursive: true });
  await symlink(dirname(require.resolve('@tensorflow/tfjs/package.json')), join(scope, 'tfjs'));
  return folder;
}
