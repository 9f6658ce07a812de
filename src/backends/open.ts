/** What computes: the compiler on ONNX Runtime, or TensorFlow.js as it stands. */
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import type { Provider } from '../compile/target.ts';
import { THREADS, threadCount } from '../compile/threads.ts';
import type { Prepare } from '../compile/types.ts';
import { messageOf, UserError, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { gradientDifference, TOLERANCE } from './gradient-check.ts';
import { openTensorflow } from './tensorflow.ts';

export const BACKENDS = ['auto', 'onnx-cpu', 'onnx-webgpu', 'onnx-cuda', 'tensorflow', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Backend {
  readonly name: BackendName;
  readonly prepare: Prepare;
}

/**
 * A graphics processor is taken only if a small gradient agrees with the reference there.
 *
 * @throws UserError for one that is not installed, that does not work here, or that computes something else;
 *   or for an impossible number of threads in the environment
 */
export async function openBackend(name: BackendName): Promise<Backend> {
  requireThreads();
  if (name === 'tensorflow') return { name, prepare: (await openTensorflow()).prepare };
  // Weights and eager computations live here, whoever computes the rest.
  await tf.setBackend('cpu');
  if (name === 'cpu') return { name, prepare: eager };
  if (name === 'onnx-webgpu') return checked(name, 'webgpu');
  if (name === 'onnx-cuda') return checked(name, 'cuda');
  return { name: 'onnx-cpu', prepare: compile };
}

/** Rounds products to 10 bits unless it is told not to, before its libraries are loaded. */
const TF32 = 'NVIDIA_TF32_OVERRIDE';

async function checked(name: BackendName, provider: Provider): Promise<Backend> {
  if (provider === 'cuda') process.env[TF32] ??= '0';
  const prepare: Prepare = (fn, specs, options) => compile(fn, specs, { ...options, provider });
  const difference = await gradientDifference(prepare).catch((error: unknown) => {
    const [why] = messageOf(error).split('\n');
    throw new UserError(`--backend ${name} does not work here (${why}); --backend onnx-cpu does`);
  });
  if (difference <= TOLERANCE) return { name, prepare };
  throw new UserError(
    `--backend ${name} computes something else: a small gradient differs from the reference by ` +
      `${difference.toExponential(1)} of its largest entry, where ${TOLERANCE} is rounding; use --backend onnx-cpu`,
  );
}

/** @throws UserError (usage) if the environment asks for an impossible number: before any work, and not at the first session */
function requireThreads(): void {
  try {
    threadCount(process.env[THREADS]);
  } catch (error) {
    throw usageError(messageOf(error));
  }
}
