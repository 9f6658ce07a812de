import { UserError } from '../core/errors.ts';
import type { StoredTensor } from '../weights/stored-tensor.ts';
import { isFloat, misfit, toFloat32 } from '../weights/to-float32.ts';
import type { Network } from './network.ts';
import { type Weight, weightsOf } from './weights.ts';

/** A counter that PyTorch's batch norm keeps and nobody reads; files of older versions lack it. */
const IDLE = /(^|\.)num_batches_tracked$/;

/**
 * Sets all weights of a network, or none.
 *
 * @param tensors - under PyTorch's names, in its layout, of any float type
 * @param source - where they come from, for the error
 * @throws UserError naming what is missing, unexpected, of the wrong shape or of the wrong type
 */
export function loadWeights(network: Network, tensors: ReadonlyMap<string, StoredTensor>, source: string): void {
  const problems = misfits(network, tensors);
  if (problems.length > 0) {
    const { arch, variant, width } = network.spec;
    const more = problems.length > 3 ? `, and ${problems.length - 3} more such problems` : '';
    throw new UserError(
      `the weights in ${source} do not fit ${arch} (${variant}, width ${width}): ${problems.slice(0, 3).join('; ')}${more}`,
    );
  }
  for (const weight of weightsOf(network.model)) weight.write(toFloat32(tensors.get(weight.name) as StoredTensor));
}

/** What keeps the tensors from being the weights of the network, a phrase each. */
export const misfits = ({ model }: Network, tensors: ReadonlyMap<string, StoredTensor>): readonly string[] =>
  misfitsOf(weightsOf(model), tensors);

/** The same for weights of any names and shapes: what is missing, of another shape or type, or nobody's. */
export function misfitsOf(
  expected: readonly Pick<Weight, 'name' | 'shape'>[],
  tensors: ReadonlyMap<string, StoredTensor>,
): readonly string[] {
  const known = new Set(expected.map(({ name }) => name));
  const strangers = [...tensors.keys()].filter((name) => !known.has(name) && !IDLE.test(name));
  return [
    ...expected.flatMap((weight) => problemOf(weight, tensors.get(weight.name)) ?? []),
    ...strangers.map((name) => `${name} is unexpected`),
  ];
}

function problemOf(
  { name, shape }: Pick<Weight, 'name' | 'shape'>,
  tensor: StoredTensor | undefined,
): string | undefined {
  if (tensor === undefined) return `${name} is missing`;
  if (!isFloat(tensor)) return `${name} is ${tensor.dtype}, not a float type`;
  if (tensor.shape.join() !== shape.join()) {
    return `${name} has the shape [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`;
  }
  const problem = misfit(tensor);
  return problem && `${name} has the value ${problem}`;
}
