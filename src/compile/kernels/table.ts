/** Every kernel that can be compiled. */
import type { Infer } from '../graph.ts';
import { CONVOLUTION } from './convolution.ts';
import { CREATE } from './create.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { GATHER } from './gather.ts';
import { IMAGE } from './image.ts';
import type { Kernel, KernelTable } from './kernel.ts';
import { MATMUL } from './matmul.ts';
import { NORMALIZATION } from './normalization.ts';
import { PAD } from './pad.ts';
import { POOLING } from './pooling.ts';
import { REDUCE } from './reduce.ts';
import { SHAPE } from './shape.ts';
import { SPACE } from './space.ts';
import { TRANSFORM } from './transform.ts';

export const KERNELS: KernelTable = {
  ...CONVOLUTION,
  ...CREATE,
  ...ELEMENTWISE,
  ...GATHER,
  ...IMAGE,
  ...MATMUL,
  ...NORMALIZATION,
  ...PAD,
  ...POOLING,
  ...REDUCE,
  ...SHAPE,
  ...SPACE,
  ...TRANSFORM,
};

/** @throws Error naming the kernel, if it is not known */
export const kernelOf = (name: string): Kernel => KERNELS[name] ?? refuseKernel(name);

/** @throws Error naming the kernel, and where it was called if that is known */
export function refuseKernel(name: string, place = ''): never {
  throw new Error(
    `the TensorFlow.js kernel "${name}"${place} cannot be compiled. ` +
      'Write it with other operations, or run on an eager backend',
  );
}

export const infer: Infer = (name, inputs, attributes) => kernelOf(name).infer(inputs, attributes);
