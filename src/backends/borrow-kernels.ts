/** Operators that a backend lacks, computed by the reference: slow, for every tensor goes there and back, but right. */
import { tf } from '../tf.ts';

const LENDER = 'cpu';

type Kernel = tf.KernelFunc;
type Info = tf.TensorInfo;

/** The backend of TensorFlow.js's reference, which keeps plain arrays. */
interface Reference {
  makeTensorInfo(shape: readonly number[], dtype: tf.DataType, values: tf.BackendValues): Info;
  readSync(data: object): tf.BackendValues;
  disposeData(data: object): boolean;
}

/** Registers with `borrower` every kernel that the reference has and it has not; their names, sorted. */
export function borrowKernels(borrower: string): string[] {
  const own = new Set(tf.getKernelsForBackend(borrower).map(({ kernelName }) => kernelName));
  const lent = tf.getKernelsForBackend(LENDER).filter(({ kernelName }) => !own.has(kernelName));
  for (const { kernelName, kernelFunc } of lent) {
    tf.registerKernel({ kernelName, backendName: borrower, kernelFunc: borrowed(kernelFunc) });
  }
  return lent.map(({ kernelName }) => kernelName).sort();
}

/** A kernel of the reference, for tensors of another backend. */
export const borrowed =
  (kernel: Kernel): Kernel =>
  ({ inputs, attrs, backend }) => {
    const home = backend as tf.KernelBackend;
    const reference = tf.findBackend(LENDER) as unknown as Reference;
    const there: Info[] = [];
    const copy = ({ dataId, shape, dtype }: Info): Info => {
      const copied = reference.makeTensorInfo(shape, dtype, home.readSync(dataId));
      there.push(copied);
      return copied;
    };
    try {
      const given = Array.isArray(inputs)
        ? inputs.map(copy)
        : Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, each(value, copy)]));
      const made = kernel({ inputs: given as typeof inputs, attrs: attrs ?? {}, backend: reference });
      const all = Array.isArray(made) ? made : [made];
      there.push(...all);
      const results = all.map(({ dataId, shape, dtype }) => {
        const values = reference.readSync(dataId);
        return { dataId: home.write(values, shape, dtype), shape, dtype };
      });
      return Array.isArray(made) ? results : (results[0] as Info);
    } finally {
      for (const { dataId } of there) reference.disposeData(dataId);
    }
  };

/** An input is a tensor, a list of them (whatever its type says), or left out. */
function each(value: unknown, copy: (info: Info) => Info): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return value === undefined || value === null ? value : copy(value as Info);
}
