/** What is known while a function is traced: which value every tensor stands for. */
import { tf } from '../tf.ts';
import { GraphBuilder, makeValue, type Value } from './graph.ts';
import { copyAs } from './host-array.ts';
import { interpret } from './interpret.ts';
import { infer } from './kernels/table.ts';
import type { DType, HostArray, Weights } from './types.ts';

export type DataId = object;

/** A variable that the graph reads (as an input, if weights are live) or assigns (as an output). */
export interface RecordedVariable {
  readonly variable: tf.Variable;
  readonly value: Value;
}

/** The state of one trace. */
export class Trace {
  readonly builder = new GraphBuilder(infer);
  readonly #values = new WeakMap<DataId, Value>();
  readonly #foreign = new Map<DataId, Value>();
  readonly #variables = new Map<DataId, tf.Variable>();
  readonly reads: RecordedVariable[] = [];
  /** Constants that were drawn at random, and where. */
  readonly drawn = new Map<Value, string>();
  readonly #weights: Weights;

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  /** A tensor handle for a value. */
  dataIdOf(value: Value): DataId {
    const dataId = {};
    this.#values.set(dataId, value);
    return dataId;
  }

  owns(dataId: DataId): boolean {
    return this.#values.has(dataId);
  }

  knowVariable(variable: tf.Variable): void {
    this.#variables.set(variable.dataId, variable);
  }

  /** The value of any tensor: recorded here, or made elsewhere before the trace (a variable or a constant). */
  valueOf(tensor: { readonly dataId: DataId; readonly shape: readonly number[]; readonly dtype: string }): Value {
    const own = this.#values.get(tensor.dataId);
    if (own !== undefined) return own;
    const seen = this.#foreign.get(tensor.dataId);
    const value = seen ?? this.#import(tensor.dataId);
    this.#foreign.set(tensor.dataId, value);
    if (value.shape.length === tensor.shape.length && value.shape.every((d, i) => d === tensor.shape[i])) return value;
    // Another backend may give one buffer several shapes.
    return this.builder.call('Reshape', { x: value }, { shape: [...tensor.shape] });
  }

  #import(dataId: DataId): Value {
    const { backend, shape, dtype } = tensorInfo(dataId);
    const type = { shape, dtype: dtype as DType };
    const variable = this.#variables.get(dataId);
    if (variable !== undefined && this.#weights === 'live') {
      const value = makeValue(type);
      this.reads.push({ variable, value });
      return value;
    }
    // A copy: the variable may be changed in place by whoever owns it.
    return this.builder.constant(copyAs(backend.readSync(dataId) as HostArray, type.dtype), type);
  }

  /** The values of a tensor that does not depend on any input. */
  constantData(dataId: DataId): HostArray | undefined {
    const value = this.#values.get(dataId);
    if (value === undefined) return undefined;
    const known = this.builder.dataOf(value);
    if (known !== undefined) return known;
    const graph = this.builder.finish([], [{ name: 'value', value }]);
    return interpret(graph, 'constant')?.[0];
  }
}

interface TensorInfo {
  readonly backend: tf.KernelBackend;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export function tensorInfo(dataId: DataId): TensorInfo {
  const info = tf.engine().state.tensorInfo.get(dataId);
  if (info === undefined) throw new Error('a tensor was disposed before the compiled function read it');
  return info as TensorInfo;
}
