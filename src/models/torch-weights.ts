/**
 * The weights of standard TensorFlow.js layers under PyTorch's names and in PyTorch's layout, so that the state dict of the
 * same network in PyTorch can be loaded: the layer `conv1` takes `conv1.weight` and `conv1.bias`.
 */
import { UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import type { StoredTensor } from '../weights/stored-tensor.ts';
import { toFloat32 } from '../weights/to-float32.ts';
import { misfitsOf } from './load-weights.ts';
import { permute } from './permute.ts';

/** How PyTorch calls and keeps a weight that TensorFlow.js keeps under another name or in another order of axes. */
interface Twin {
  readonly name: string;
  /** Position i of PyTorch's axes is our axis `order[i]`; the same order by default. */
  readonly order?: readonly number[];
  /** PyTorch's shape, where it is more than another order. */
  readonly shape?: (ours: readonly number[]) => readonly number[];
}

const TWINS: ReadonlyMap<string, (ours: readonly number[]) => Twin> = new Map(
  Object.entries<(ours: readonly number[]) => Twin>({
    // [h, w, in, out], [in, out] and so on: out and in change places and come first.
    kernel: ({ length }) => ({
      name: 'weight',
      order: [length - 1, length - 2, ...Array.from({ length: length - 2 }, (_, axis) => axis)],
    }),
    // [h, w, channels, multiplier] is a convolution in as many groups as there are channels.
    depthwise_kernel: () => ({
      name: 'weight',
      order: [2, 3, 0, 1],
      shape: ([h, w, channels, multiplier]) => [
        (channels as number) * (multiplier as number),
        1,
        h as number,
        w as number,
      ],
    }),
    gamma: () => ({ name: 'weight' }),
    beta: () => ({ name: 'bias' }),
    moving_mean: () => ({ name: 'running_mean' }),
    moving_variance: () => ({ name: 'running_var' }),
    alpha: () => ({ name: 'weight', shape: (ours) => [product(ours)] }),
  }),
);

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What `permute` knows. */
const MOST_AXES = 4;

/** One weight: what PyTorch calls it, its shape there, and how its values are set. */
interface Slot {
  readonly name: string;
  readonly shape: readonly number[];
  write(values: Float32Array): void;
}

/**
 * Sets all weights of a model, or none.
 *
 * @param torch - PyTorch's module paths of layers that have other names here
 * @param tensors - under PyTorch's names, in its layout, of any float type
 * @param source - where they come from, for the error
 * @returns what the user should know, a sentence each
 * @throws UserError naming what is missing, unexpected, of the wrong shape or type, or ordered otherwise than in PyTorch
 */
export function loadTorchWeights(
  model: tf.LayersModel,
  torch: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, StoredTensor>,
  source: string,
): readonly string[] {
  const layers = leavesOf(model);
  const paths = new Map(Object.entries(torch));
  const stray = [...paths.keys()].find((name) => !layers.some((layer) => layer.name === name));
  if (stray !== undefined) {
    const known = layers.filter(({ weights }) => weights.length > 0).map(({ name }) => name);
    throw new UserError(`torch names the layer "${stray}", which the network does not have: ${known.join(', ')}`);
  }
  refuseOtherOrder(layers);
  const slots = layers.flatMap((layer) => slotsOf(layer, paths.get(layer.name) ?? layer.name));
  const problems = misfitsOf(slots, tensors);
  if (problems.length > 0) {
    const more = problems.length > 3 ? `, and ${problems.length - 3} more such problems` : '';
    const remedy = 'Layers are found by their names; where PyTorch has another path, say so in torch';
    throw new UserError(
      `the weights in ${source} do not fit the network ${model.name}: ${problems.slice(0, 3).join('; ')}${more}. ${remedy}`,
    );
  }
  for (const slot of slots) slot.write(toFloat32(tensors.get(slot.name) as StoredTensor));
  return layers.flatMap(epsilonNote);
}

/** All layers, those of models inside the model too. */
const leavesOf = (model: tf.LayersModel): readonly tf.layers.Layer[] =>
  model.layers.flatMap((layer) => (layer instanceof tf.LayersModel ? leavesOf(layer) : [layer]));

function slotsOf(layer: tf.layers.Layer, path: string): readonly Slot[] {
  return layer.weights.map((variable) => {
    const ours = variable.shape as number[];
    const own = variable.originalName.slice(variable.originalName.lastIndexOf('/') + 1);
    if (own === 'pointwise_kernel') {
      throw new UserError(
        `the layer "${layer.name}" is two convolutions in one; PyTorch has two modules: write depthwiseConv2d and conv2d`,
      );
    }
    if (ours.length > MOST_AXES) {
      throw new UserError(
        `the layer "${layer.name}" has a weight of ${ours.length} axes; those of images have up to 4`,
      );
    }
    const { name, order = ours.map((_, axis) => axis), shape } = TWINS.get(own)?.(ours) ?? { name: own };
    const permuted = order.map((axis) => ours[axis] as number);
    const back = order.map((_, axis) => order.indexOf(axis));
    return {
      name: `${path}.${name}`,
      shape: shape?.(ours) ?? permuted,
      write: (values) => tf.tidy(() => void variable.write(tf.tensor(permute(values, permuted, back), ours))),
    };
  });
}

/**
 * PyTorch flattens maps channel by channel, tf.layers.flatten pixel by pixel: the next layer's weights would be taken in the
 * wrong order, and no shape would tell.
 */
function refuseOtherOrder(layers: readonly tf.layers.Layer[]): void {
  for (const layer of layers) {
    if (layer.getClassName() !== 'Flatten') continue;
    const inputs = layer.inboundNodes.flatMap(({ inputTensors }) => inputTensors);
    const mixes = inputs.some(({ shape, sourceLayer }) => {
      const [, height = 1, width = 1, channels = 1] = shape;
      const isMap = shape.length === 4 && (height as number) * (width as number) > 1 && (channels as number) > 1;
      return isMap && sourceLayer.getClassName() !== 'Permute';
    });
    if (!mixes) continue;
    throw new UserError(
      `the layer "${layer.name}" flattens maps in another order than PyTorch, so the weights after it would be mixed up: ` +
        'write flatten() from gibbon instead (tf.layers.reshape, if the PyTorch network has channels last itself)',
    );
  }
}

const TORCH_EPSILON = 1e-5;

/** A value that no weight file holds, and that the two frameworks set differently. */
function epsilonNote(layer: tf.layers.Layer): readonly string[] {
  if (layer.getClassName() !== 'BatchNormalization') return [];
  const epsilon = layer.getConfig().epsilon as number;
  if (epsilon === TORCH_EPSILON) return [];
  return [`"${layer.name}" has epsilon ${epsilon}; PyTorch's is ${TORCH_EPSILON} unless the network says otherwise`];
}
