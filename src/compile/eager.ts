import { tf } from '../tf.ts';
import { copyAs } from './host-array.ts';
import { isResident } from './resident.ts';
import type {
  ArgSpec,
  DType,
  Executable,
  HostArg,
  HostResult,
  HostTensor,
  Prepare,
  Result,
  TensorArgs,
  TensorSpec,
  Values,
} from './types.ts';

type Outputs = Exclude<Result, null | undefined>;

export const isTensorSpec = (spec: ArgSpec): spec is TensorSpec => Array.isArray(spec.shape);

/**
 * Runs the function as it stands on TensorFlow.js's current backend: the reference that `compile` is checked against, and
 * the way to use an eager backend. Same interface, no compilation.
 */
export const eager: Prepare = async (fn, specs, options = {}) => {
  let released = false;
  const call = async (...args: readonly HostArg<ArgSpec>[]): Promise<HostResult<Result>> => {
    if (released) throw new Error(`${options.name ?? 'the function'} was released`);
    const outputs = tf.tidy(() => {
      const tensors = specs.map((spec, i) => toTensors(spec, args[i] as HostArg<ArgSpec>));
      return cloned(fn(...(tensors as unknown as TensorArgs<typeof specs>)) ?? {});
    });
    const host = await toHost(outputs);
    tf.dispose(outputs as tf.TensorContainer);
    return host;
  };
  const release = async () => {
    released = true;
  };
  return Object.assign(call, { staying: call, release }) as unknown as Executable<typeof specs, ReturnType<typeof fn>>;
};

/** Handles of our own: what the function returns may be a variable, or anything else that must outlast the call. */
const cloned = (result: Outputs): Outputs =>
  result instanceof tf.Tensor
    ? result.clone()
    : Object.fromEntries(Object.entries(result).map(([name, tensor]) => [name, tensor.clone()]));

function toTensor(spec: TensorSpec, values: Values): tf.Tensor {
  if (isResident(values)) throw new Error('what stayed on a device is of no use to TensorFlow.js: read it first');
  // A copy, since the backend keeps the array it is given.
  return tf.tensor(values.slice(), [...spec.shape], spec.dtype ?? 'float32');
}

function toTensors(spec: ArgSpec, value: HostArg<ArgSpec>): tf.Tensor | Record<string, tf.Tensor> {
  if (isTensorSpec(spec)) return toTensor(spec, value as Values);
  const record = value as Readonly<Record<string, Values>>;
  return Object.fromEntries(Object.entries(spec).map(([k, s]) => [k, toTensor(s, record[k] as Values)]));
}

async function toHostTensor(tensor: tf.Tensor): Promise<HostTensor> {
  const dtype = tensor.dtype as DType;
  return { data: copyAs(await tensor.data(), dtype), shape: tensor.shape, dtype };
}

async function toHost(result: Outputs): Promise<HostResult<Result>> {
  if (result instanceof tf.Tensor) return (await toHostTensor(result)) as HostResult<Result>;
  const entries = Object.entries(result).map(async ([k, t]) => [k, await toHostTensor(t)] as const);
  return Object.fromEntries(await Promise.all(entries)) as HostResult<Result>;
}
