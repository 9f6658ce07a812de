/** What computes: the compiler on ONNX Runtime, or TensorFlow.js as it stands. */
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import { THREADS, threadCount } from '../compile/threads.ts';
import type { Prepare } from '../compile/types.ts';
import { messageOf, UserError, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';

export const BACKENDS = ['auto', 'onnx-cpu', 'onnx-webgpu', 'onnx-cuda', 'tensorflow', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Backend {
  readonly name: BackendName;
  readonly prepare: Prepare;
}

/** @throws UserError for one that this version does not have yet, or an impossible number of threads in the environment */
export async function openBackend(name: BackendName): Promise<Backend> {
  if (name !== 'auto' && name !== 'onnx-cpu' && name !== 'cpu') {
    throw new UserError(`--backend ${name} is not here yet; this version has: auto, onnx-cpu, cpu`);
  }
  requireThreads();
  // Weights and eager computations live here, whoever computes the rest.
  await tf.setBackend('cpu');
  return name === 'cpu' ? { name, prepare: eager } : { name: 'onnx-cpu', prepare: compile };
}

/** @throws UserError (usage) if the environment asks for an impossible number: before any work, and not at the first session */
function requireThreads(): void {
  try {
    threadCount(process.env[THREADS]);
  } catch (error) {
    throw usageError(messageOf(error));
  }
}
