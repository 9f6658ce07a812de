/**
 * A TensorFlow.js backend that records kernels instead of running them. TensorFlow.js expresses gradients and optimiser
 * updates as kernels too, so what is recorded is the whole of a forward pass, a backward pass and an update.
 */
import { tf } from '../tf.ts';
import { type Attributes, type Graph, GraphBuilder, type Inputs, makeValue, type Named, type Value } from './graph.ts';
import { copyAs } from './host-array.ts';
import { interpret } from './interpret.ts';
import { infer, KERNELS } from './kernels/table.ts';
import type { DType, HostArray, TensorSpec, Weights } from './types.ts';

const BACKEND = 'gibbon-recorder';

type DataId = object;

/** A variable that the graph reads (as an input, if weights are live) or assigns (as an output). */
export interface RecordedVariable {
  readonly variable: tf.Variable;
  readonly value: Value;
}

export interface Recording {
  readonly graph: Graph;
  /** Live variables in the order of the graph's last inputs. */
  readonly reads: readonly RecordedVariable[];
  /** Assigned variables in the order of the graph's last outputs. */
  readonly writes: readonly RecordedVariable[];
}

/** The state of one trace. */
class Trace {
  readonly builder = new GraphBuilder(infer);
  readonly #values = new WeakMap<DataId, Value>();
  readonly #foreign = new Map<DataId, Value>();
  readonly #variables = new Map<DataId, tf.Variable>();
  readonly reads: RecordedVariable[] = [];
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

function tensorInfo(dataId: DataId): TensorInfo {
  const info = tf.engine().state.tensorInfo.get(dataId);
  if (info === undefined) throw new Error('a tensor was disposed before the compiled function read it');
  return info as TensorInfo;
}

let trace: Trace | undefined;

function current(): Trace {
  if (trace === undefined) throw new Error('tensors of a compiled function cannot be used outside of it');
  return trace;
}

class Recorder extends tf.KernelBackend {
  override write(values: HostArray, shape: number[], dtype: DType): DataId {
    const { builder } = current();
    const uniform = uniformValue(values);
    // `tf.ones` of a whole batch's activations, say: one number, not a file full of them.
    if (uniform !== undefined)
      return current().dataIdOf(builder.call('Fill', {}, { shape: [...shape], dtype, value: uniform }));
    return current().dataIdOf(builder.constant(copyAs(values, dtype), { shape, dtype }));
  }

  override readSync(dataId: DataId): HostArray {
    const data = current().constantData(dataId);
    if (data !== undefined) return data;
    throw new Error(
      `a tensor's values were read while compiling${callSite()}: they are known only when the compiled function runs. ` +
        'Replace dataSync, arraySync, data or a JavaScript branch on a value by tensor operations (tf.where)',
    );
  }

  override async read(dataId: DataId): Promise<HostArray> {
    return this.readSync(dataId);
  }

  override numDataIds(): number {
    return 0;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override disposeData(): boolean {
    return true;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

/** Tensors shorter than this are kept as they are. */
const WORTH_FILLING = 64;

/** The number that all elements of a large array are. */
function uniformValue(values: HostArray): number | undefined {
  const first = values[0];
  if (first === undefined || values.length < WORTH_FILLING) return undefined;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return undefined;
  return first;
}

/** ` (at file:line)` of the first caller that is not TensorFlow.js or the compiler. */
function callSite(): string {
  const here = new URL('.', import.meta.url).pathname;
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const line = lines.find((l) => !l.includes('@tensorflow') && !l.includes(here) && !l.includes('node:'));
  const place = line === undefined ? null : /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(line.trim());
  return place === null ? '' : ` (at ${place[1]})`;
}

function record(kernelName: string, inputs: unknown, attributes: Attributes): tf.TensorInfo | tf.TensorInfo[] {
  const { builder } = current();
  const values: Inputs = Object.fromEntries(
    Object.entries(inputs as Record<string, tf.TensorInfo | null | undefined>)
      .filter((entry): entry is [string, tf.TensorInfo] => entry[1] !== null && entry[1] !== undefined)
      .map(([name, tensor]) => [name, current().valueOf(tensor)]),
  );
  const outputs = fillFor(kernelName, values) ?? builder.emit(kernelName, values, attributes);
  const tensors = outputs.map((value) => ({
    dataId: current().dataIdOf(value),
    shape: [...value.shape],
    dtype: value.dtype,
  }));
  return KERNELS[kernelName]?.several === true ? tensors : (tensors[0] as tf.TensorInfo);
}

/** `zerosLike` and `onesLike` look at their input's shape alone, so they are constants whatever the input is. */
function fillFor(kernelName: string, inputs: Inputs): readonly Value[] | undefined {
  if (kernelName !== 'ZerosLike' && kernelName !== 'OnesLike') return undefined;
  const { shape, dtype } = inputs.x as Value;
  return current().builder.emit('Fill', {}, { shape, dtype, value: kernelName === 'ZerosLike' ? 0 : 1 });
}

function refuse(kernelName: string): never {
  throw new Error(
    `the TensorFlow.js kernel "${kernelName}"${callSite()} cannot be compiled. ` +
      'Write it with other operations, or run on an eager backend',
  );
}

let registered = false;

function registerBackend(): void {
  if (registered) return;
  registered = true;
  tf.registerBackend(BACKEND, () => new Recorder());
  const known = new Set(Object.keys(KERNELS));
  for (const kernelName of known) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => record(kernelName, inputs, (attrs ?? {}) as Attributes),
    });
  }
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (known.has(kernelName)) continue;
    tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: () => refuse(kernelName) });
  }
}

/** A variable kept alive, so that it can be given back the data that it had before the trace assigned it. */
class HeldVariable {
  readonly variable: tf.Variable;
  readonly #dataId: DataId;
  readonly #backend: tf.KernelBackend;

  constructor(variable: tf.Variable) {
    this.variable = variable;
    this.#dataId = variable.dataId;
    this.#backend = tensorInfo(variable.dataId).backend;
    this.#backend.incRef(this.#dataId);
  }

  /** Called while the recorder is the current backend. */
  letGo(): void {
    if (this.variable.dataId === this.#dataId) {
      this.#backend.disposeData(this.#dataId);
      return;
    }
    // What `assign` did, backwards; the extra reference that was held becomes the variable's own.
    tf.engine().disposeTensor(this.variable);
    this.variable.dataId = this.#dataId;
    tf.engine().incRef(this.variable, null as unknown as tf.KernelBackend);
  }
}

/**
 * While tracing, variables that the function creates (an optimiser's slots, on its first step) are made for real on the
 * backend that was current before. Returns the way to end that.
 */
function realiseNewVariables(active: Trace, backend: string, onMade: (variable: tf.Variable) => void): () => void {
  const engine = tf.engine();
  const original = engine.makeVariable;
  engine.makeVariable = (initial, trainable, name, dtype) => {
    const data = active.owns(initial.dataId) ? active.constantData(initial.dataId) : undefined;
    if (data === undefined && active.owns(initial.dataId)) {
      throw new Error(`the variable "${name ?? ''}"${callSite()} is created from values known only at run time`);
    }
    void tf.setBackend(backend);
    const start = data === undefined ? initial : tf.tensor(data, initial.shape, initial.dtype);
    const variable = original.call(engine, start, trainable, name, dtype) as tf.Variable;
    void tf.setBackend(BACKEND);
    onMade(variable);
    return variable;
  };
  return () => {
    engine.makeVariable = original;
  };
}

/**
 * Runs `fn` once on symbolic tensors and returns what it did.
 *
 * @param specs - the inputs, by name
 * @throws Error that names the culprit: an unknown kernel, a value that was read, a variable assigned with frozen weights
 */
export function recordFunction(
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>,
  specs: Readonly<Record<string, TensorSpec>>,
  weights: Weights,
): Recording {
  if (trace !== undefined) throw new Error('compile was called inside a function that is being compiled');
  registerBackend();
  const engine = tf.engine();
  const backend = tf.getBackend();
  const held: HeldVariable[] = [];
  const active = new Trace(weights);
  const hold = (variable: tf.Variable): void => {
    held.push(new HeldVariable(variable));
    active.knowVariable(variable);
  };
  for (const variable of Object.values(engine.registeredVariables)) hold(variable);
  const restore = realiseNewVariables(active, backend, hold);
  trace = active;
  // Takes effect at once: the recorder's factory is synchronous.
  void tf.setBackend(BACKEND);
  engine.startScope('compile');
  try {
    return recordInScope(fn, specs, weights, active, held);
  } finally {
    engine.endScope();
    for (const variable of held) variable.letGo();
    restore();
    trace = undefined;
    void tf.setBackend(backend);
  }
}

function recordInScope(
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>,
  specs: Readonly<Record<string, TensorSpec>>,
  weights: Weights,
  active: Trace,
  held: readonly HeldVariable[],
): Recording {
  const inputs: Named[] = [];
  const tensors = Object.entries(specs).map(([name, { shape, dtype = 'float32' }]) => {
    const value = makeValue({ shape, dtype });
    inputs.push({ name, value });
    const dataId = active.dataIdOf(value);
    return [name, tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype })] as const;
  });
  const outputs = Object.entries(fn(Object.fromEntries(tensors))).map(([name, tensor]) => ({
    name,
    value: active.valueOf(tensor),
  }));
  const writes = held
    .filter(({ variable }) => active.owns(variable.dataId))
    .map(({ variable }) => ({ variable, value: active.valueOf(variable) }));
  if (weights === 'frozen' && writes[0] !== undefined) {
    throw new Error(
      `the variable "${writes[0].variable.name}" is assigned inside the compiled function, whose weights are frozen; ` +
        "compile it with { weights: 'live' }",
    );
  }
  const named = ({ variable, value }: RecordedVariable): Named => ({ name: variable.name, value });
  const graph = active.builder.finish([...inputs, ...active.reads.map(named)], [...outputs, ...writes.map(named)]);
  return { graph, reads: active.reads, writes };
}
