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
import { gradientDifference, TOLERANCE } from './gradient-check.ts';
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
  /** The largest difference of a small gradient from the reference's, relative to its largest entry. */
  readonly difference: number;
  readonly prepare: Prepare;
}

/**
 * Loads the library, and makes its backend TensorFlow.js's current one: weights, data and eager computations live there.
 * Operators that it lacks are computed by the reference.
 *
 * @throws UserError where the package is missing, does not load, has a second copy of TensorFlow.js, or computes something else;
 *   the current backend is as it was then
 */
export async function openTensorflow(): Promise<Tensorflow> {
  // Null until the program has chosen one.
  const before: string | null = tf.getBackend() ?? null;
  try {
    const main = findAddon();
    requireOneCopy(main);
    await load(main);
    const difference = await checkedDifference();
    await tf.setBackend(NAME);
    return { ...factsOf(main), difference, prepare: eager };
  } catch (error) {
    if (before !== null) await tf.setBackend(before);
    throw error;
  }
}

async function load(main: string): Promise<void> {
  // Its kernels are taught once.
  if ((tf.findBackendFactory(NAME) ?? null) !== null) return;
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

async function checkedDifference(): Promise<number> {
  const there: Prepare = async (fn, specs, options) => {
    await tf.setBackend(NAME);
    return eager(fn, specs, options);
  };
  const difference = await gradientDifference(there).catch((error: unknown) => {
    const [why] = messageOf(error).split('\n');
    throw new UserError(`--backend ${NAME} does not work here (${why}); --backend onnx-cpu does`);
  });
  if (difference <= TOLERANCE) return difference;
  throw new UserError(
    `--backend ${NAME} computes something else: a small gradient differs from the reference by ` +
      `${difference.toExponential(1)} of its largest entry, where ${TOLERANCE} is rounding; use --backend onnx-cpu`,
  );
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
  const { isUsingGpuDevice, binding } = tf.findBackend(NAME) as unknown as NodeBackend;
  return {
    addon: `${manifest.name} ${manifest.version}`,
    library: binding?.TF_Version ?? null,
    device: isUsingGpuDevice === true ? 'GPU' : 'CPU',
  };
}
