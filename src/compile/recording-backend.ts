/**
 * A TensorFlow.js backend that records kernels instead of running them. TensorFlow.js expresses gradients and optimiser
 * updates as kernels too, so what is recorded is the whole of a forward pass, a backward pass and an update.
 */
import { tf } from '../tf.ts';
import type { Attributes, Inputs, Value } from './graph.ts';
import { copyAs } from './host-array.ts';
import { KERNELS, refuseKernel } from './kernels/table.ts';
import type { DataId, Trace } from './trace.ts';
import type { DType, HostArray } from './types.ts';

export const BACKEND = 'gibbon-recorder';

let trace: Trace | undefined;

/** Begins recording into a trace, or with `undefined` ends it. */
export function recordInto(next: Trace | undefined): void {
  trace = next;
}

export const isRecording = (): boolean => trace !== undefined;

function current(): Trace {
  if (trace === undefined) throw new Error('tensors of a compiled function cannot be used outside of it');
  return trace;
}

class Recorder extends tf.KernelBackend {
  /** How many tensors share a value; one, where nothing is said. */
  readonly #references = new WeakMap<DataId, number>();

  override write(values: HostArray, shape: number[], dtype: DType): DataId {
    const { builder } = current();
    const uniform = uniformValue(values);
    // `tf.ones` of a whole batch's activations, say: one number, not a file full of them.
    if (uniform !== undefined)
      return current().dataIdOf(builder.call('Fill', {}, { shape: [...shape], dtype, value: uniform }));
    const value = builder.constant(copyAs(values, dtype), { shape, dtype });
    if (isDrawn()) current().drawn.set(value, callSite());
    return current().dataIdOf(value);
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

  override refCount(dataId: DataId): number {
    return this.#references.get(dataId) ?? 1;
  }

  override incRef(dataId: DataId): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }

  override disposeData(dataId: DataId): boolean {
    const left = this.refCount(dataId) - 1;
    this.#references.set(dataId, left);
    return left <= 0;
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

const DRAWING = new Set(['randomUniform_', 'randomNormal_', 'truncatedNormal_', 'randomGamma_', 'rand_']);

/** Whether one of TensorFlow.js's random operations is being run. */
function isDrawn(): boolean {
  const prepare = Error.prepareStackTrace;
  let drawn = false;
  // The call sites as they are: writing out a whole stack, with its source maps, takes far longer.
  Error.prepareStackTrace = (_error, sites) => {
    drawn = sites.some((site) => DRAWING.has(site.getFunctionName()?.split('.').at(-1) ?? ''));
    return '';
  };
  void new Error().stack;
  Error.prepareStackTrace = prepare;
  return drawn;
}

/** TensorFlow.js's files, as they are installed or as source maps name them. */
const TENSORFLOW = /@tensorflow|tfjs-(core|layers|converter|data|backend-\w+)[/\\]/;

/** ` (at file:line)` of the first caller that is not TensorFlow.js or the compiler. */
export function callSite(): string {
  const here = new URL('.', import.meta.url).pathname;
  const limit = Error.stackTraceLimit;
  // TensorFlow.js calls itself many times over.
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  const line = lines.find((l) => !TENSORFLOW.test(l) && !l.includes(here) && !l.includes('node:'));
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

let registered = false;

export function registerBackend(): void {
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
    tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: () => refuseKernel(kernelName, callSite()) });
  }
}
