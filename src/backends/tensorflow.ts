/** TensorFlow.js as it stands, on TensorFlow's own library: on NVIDIA's graphics processors where it finds them, else on the CPU. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eager } from '../compile/eager.ts';
import { THREADS } from '../compile/threads.ts';
import type { Prepare } from '../compile/types.ts';
import { messageOf, UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { borrowKernels } from './borrow-kernels.ts';
import { repairUtil } from './repair-util.ts';
import { surround } from './surround.ts';
import { prepareEnvironment } from './tensorflow-environment.ts';
import { findAddon, requireOneCopy, SETUP } from './tensorflow-package.ts';

const NAME = 'tensorflow';

/** What was loaded. */
export interface Tensorflow {
  /** `@tensorflow/tfjs-node 4.22.0` */
  readonly addon: string;
  /** TensorFlow's version; null where the addon does not tell. */
  readonly library: string | null;
  readonly device: 'GPU' | 'CPU';
  readonly prepare: Prepare;
}

/**
 * Loads the library, and makes its backend TensorFlow.js's current one: weights, data and eager computations live there.
 * Operators that it lacks are computed by the reference. Nobody has checked yet that what it computes is right.
 *
 * @throws UserError where the package is missing, does not load, or has a second copy of TensorFlow.js
 */
export async function openTensorflow(): Promise<Tensorflow> {
  const main = findAddon();
  requireOneCopy(main);
  await load(main);
  await tf.setBackend(NAME);
  return { ...factsOf(main), prepare: eager };
}

/** What computes, `TensorFlow 2.21.0 on the CPU`; undefined until it is loaded. */
export function loadedTensorflow(): string | undefined {
  if (!isRegistered()) return undefined;
  const { library, device } = computingWith();
  return `TensorFlow ${library ?? 'of unknown version'} on the ${device}`;
}

const isRegistered = (): boolean => (tf.findBackendFactory(NAME) ?? null) !== null;

async function load(main: string): Promise<void> {
  // Its kernels are taught once.
  if (isRegistered()) return;
  prepareEnvironment(process.env, process.env[THREADS]);
  repairUtil();
  try {
    await import(pathToFileURL(main).href);
  } catch (error) {
    const [why] = messageOf(error).split('\n');
    throw new UserError(
      `--backend ${NAME} does not work here: ${main} does not load (${why}); run ${SETUP} -- --anew, or use --backend onnx-cpu`,
    );
  }
  if (tf.findBackend(NAME) === null)
    throw new UserError(`--backend ${NAME}: ${main} registers no backend of that name`);
  borrowKernels(NAME);
  surround(NAME);
}

/** What the backend of tfjs-node tells about itself. */
interface NodeBackend {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
}

function factsOf(main: string): Pick<Tensorflow, 'addon' | 'library' | 'device'> {
  const manifest = JSON.parse(readFileSync(join(dirname(main), '..', 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  return { addon: `${manifest.name} ${manifest.version}`, ...computingWith() };
}

function computingWith(): Pick<Tensorflow, 'library' | 'device'> {
  const { isUsingGpuDevice, binding } = tf.findBackend(NAME) as unknown as NodeBackend;
  return { library: binding?.TF_Version ?? null, device: isUsingGpuDevice === true ? 'GPU' : 'CPU' };
}
