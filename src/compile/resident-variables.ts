/** Variables whose values are on a device: a compiled update leaves them there, and the next one takes them as they are. */
import { tf } from '../tf.ts';
import { viewAs } from './host-array.ts';
import { isResident } from './resident.ts';
import { type DataId, tensorInfo } from './trace.ts';
import type { DType, HostArray, Resident, Values } from './types.ts';

const BACKEND = 'gibbon-resident';

interface Held {
  readonly values: Resident;
  references: number;
}

/**
 * A TensorFlow.js backend that holds values which are elsewhere, reads them, and frees them with their last tensor. It computes
 * nothing.
 */
class Residence extends tf.KernelBackend {
  readonly #held = new Map<DataId, Held>();

  /** A tensor of the values, which are the tensor's to free from now on. */
  tensor(values: Resident, shape: readonly number[], dtype: tf.DataType): tf.Tensor {
    const dataId = {};
    this.#held.set(dataId, { values, references: 1 });
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype }, this);
  }

  at(dataId: DataId): Held {
    const held = this.#held.get(dataId);
    if (held === undefined) throw new Error('these values were freed, or never were on a device');
    return held;
  }

  override async read(dataId: DataId): Promise<HostArray> {
    return this.at(dataId).values.read();
  }

  override readSync(): never {
    throw new Error(
      'the values of this variable are on a device, where a compiled function has left them: read them by ' +
        'await variable.data(), and assign them to the variable before TensorFlow.js is to compute with it',
    );
  }

  override incRef(dataId: DataId): void {
    this.at(dataId).references += 1;
  }

  override disposeData(dataId: DataId): boolean {
    const held = this.at(dataId);
    held.references -= 1;
    if (held.references > 0) return false;
    this.#held.delete(dataId);
    held.values.dispose();
    return true;
  }
}

const residence = new Residence();
let registered = false;

function register(): void {
  if (registered) return;
  // Last of all to be chosen by itself: there must be one to compute with.
  registered = tf.registerBackend(BACKEND, () => residence, 0);
}

/** The values of a variable, which stay where they are. */
export function valuesOfVariable(variable: tf.Variable): Values {
  const { backend } = tensorInfo(variable.dataId);
  if (backend === residence) return residence.at(variable.dataId).values;
  return viewAs(variable.dataSync() as HostArray, variable.dtype as DType);
}

export type Assignment = readonly [variable: tf.Variable, values: Values];

/** Assigns values, wherever they are; those on a device are the variable's to free. */
export function assignAll(assignments: readonly Assignment[]): void {
  const here = assignments.filter((one): one is readonly [tf.Variable, HostArray] => !isResident(one[1]));
  const there = assignments.filter((one): one is readonly [tf.Variable, Resident] => isResident(one[1]));
  for (const [variable, values] of here) give(variable, tf.tensor(values, variable.shape, variable.dtype));
  if (there.length === 0) return;
  register();
  const current = tf.getBackend();
  // TensorFlow.js counts references to what is assigned at the backend that is current.
  void tf.setBackend(BACKEND);
  try {
    for (const [variable, values] of there) give(variable, residence.tensor(values, variable.shape, variable.dtype));
  } finally {
    void tf.setBackend(current);
  }
}

/** Variables at one moment. */
export interface HeldValues {
  /**
   * Puts copies on a device in their place, which are the variables' to free from now on; of those that were assigned or
   * disposed meanwhile the copies are freed. Undefined for one that stays as it is.
   */
  moveTo(copies: readonly (Resident | undefined)[]): void;
  /** Until then values on a device are kept, whatever becomes of the variables. */
  letGo(): void;
}

export function holdValues(variables: readonly tf.Variable[]): HeldValues {
  const dataIds = variables.map(({ dataId }) => dataId);
  const there = dataIds.filter((dataId) => tensorInfo(dataId).backend === residence);
  for (const dataId of there) residence.incRef(dataId);
  return {
    moveTo: (copies) => {
      const moves: Assignment[] = [];
      copies.forEach((copy, i) => {
        const variable = variables[i] as tf.Variable;
        if (copy === undefined) return;
        if (!variable.isDisposed && variable.dataId === dataIds[i]) moves.push([variable, copy]);
        else copy.dispose();
      });
      assignAll(moves);
    },
    letGo: () => {
      for (const dataId of there) residence.disposeData(dataId);
    },
  };
}

function give(variable: tf.Variable, tensor: tf.Tensor): void {
  variable.assign(tensor);
  tensor.dispose();
}
