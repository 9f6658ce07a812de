/** What computes: the compiler on ONNX Runtime, or TensorFlow.js as it stands. */
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import type { Prepare } from '../compile/types.ts';
import { UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';

export const BACKENDS = ['auto', 'onnx-cpu', 'onnx-webgpu', 'onnx-cuda', 'tensorflow', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Backend {
  readonly name: BackendName;
  readonly prepare: Prepare;
}

/** @throws UserError for one that this version does not have yet */
export async function openBackend(name: BackendName): Promise<Backend> {
  if (name !== 'auto' && name !== 'onnx-cpu' && name !== 'cpu') {
    throw new UserError(`--backend ${name} is not here yet; this version has: auto, onnx-cpu, cpu`);
  }
  // Weights and eager computations live here, whoever computes the rest.
  await tf.setBackend('cpu');
  return name === 'cpu' ? { name, prepare: eager } : { name: 'onnx-cpu', prepare: compile };
}
