/**
 * The weights of a network under PyTorch's names and in PyTorch's layout, the one form in which they enter and leave:
 * `features.0.weight` is [out, in, height, width] there and [height, width, in, out] here, a dense weight [out, in] there
 * and [in, out] here.
 */
import { tf } from '../tf.ts';
import { permute } from './permute.ts';

export interface Weight {
  /** As in a PyTorch state dict. */
  readonly name: string;
  /** In PyTorch's layout. */
  readonly shape: readonly number[];
  /** The values now, row-major in PyTorch's layout: a copy. */
  read(): Promise<Float32Array<ArrayBuffer>>;
  /** Sets the values, likewise. */
  write(values: Float32Array<ArrayBuffer>): void;
}

/** All weights, in the order of the layers. */
export const weightsOf = (model: tf.LayersModel): readonly Weight[] =>
  model.layers.flatMap((layer) => layer.weights.map((variable) => weightOf(layer.name, variable)));

/** How many numbers are trained. */
export const countParameters = (model: tf.LayersModel): number =>
  model.trainableWeights.reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function weightOf(layer: string, variable: tf.LayerVariable): Weight {
  const ours = variable.shape as number[];
  const own = variable.originalName.slice(variable.originalName.lastIndexOf('/') + 1);
  const isKernel = own === 'kernel';
  const toTorch = isKernel && ours.length === 4 ? [3, 2, 0, 1] : isKernel ? [1, 0] : ours.map((_, axis) => axis);
  const shape = toTorch.map((axis) => ours[axis] as number);
  const fromTorch = toTorch.map((_, axis) => toTorch.indexOf(axis));
  return {
    name: `${layer}.${isKernel ? 'weight' : own}`,
    shape,
    read: async () => permute((await variable.read().data()) as Float32Array, ours, toTorch),
    write: (values) => tf.tidy(() => void variable.write(tf.tensor(permute(values, shape, fromTorch), ours))),
  };
}
