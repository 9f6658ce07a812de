/**
 * ONNX Runtime sessions: made once per model, shared by those who compiled the same bytes, and freed with the last of them and
 * the last of the values that they left on a device.
 */
import { createHash } from 'node:crypto';
import * as ort from 'onnxruntime-node';
import type { OnnxPort, OnnxType } from './onnx.ts';
import { isResident } from './resident.ts';
import type { Provider } from './target.ts';
import { THREADS, threadCount } from './threads.ts';
import type { HostArray, Resident, Values } from './types.ts';
import { DeviceValues, inTurn, keepDevice, uploaded } from './webgpu.ts';

export interface SessionOptions {
  /** What computes; the processor by default. */
  readonly provider?: Provider;
  /** Threads inside one operator; by default one for every core, or `GIBBON_THREADS`. */
  readonly threads?: number;
}

export interface Session {
  /** Values for the inputs in order, values of the outputs in order; those that stayed are their owner's to free. */
  run(inputs: readonly Values[]): Promise<Values[]>;
  /** A copy of what an input is to be given, where the session computes, if that has a memory of its own. */
  readonly upload?: (values: HostArray, input: number) => Promise<Resident>;
  release(): Promise<void>;
}

interface Shared {
  readonly session: Promise<ort.InferenceSession>;
  users: number;
}

const shared = new Map<string, Shared>();

/**
 * A session for the model; the same bytes with the same options share one.
 *
 * @param staying - names of outputs that are left on the device, if it has a memory of its own
 */
export async function openSession(
  model: Uint8Array,
  inputs: readonly OnnxPort[],
  outputs: readonly OnnxPort[],
  options: SessionOptions = {},
  staying: readonly string[] = [],
): Promise<Session> {
  // ONNX Runtime does not open a graph that computes nothing.
  if (outputs.length === 0) return { run: async () => [], release: async () => undefined };
  const key = createHash('sha256')
    .update(model)
    .update(JSON.stringify([options, staying]))
    .digest('hex');
  const entry = shared.get(key) ?? { session: create(model, options, staying), users: 0 };
  shared.set(key, entry);
  entry.users += 1;
  let session: ort.InferenceSession;
  try {
    session = await entry.session;
  } catch (error) {
    shared.delete(key);
    throw error;
  }
  const leave = async (): Promise<void> => {
    entry.users -= 1;
    if (entry.users > 0) return;
    shared.delete(key);
    await whenItMay(options, () => session.release());
  };
  const valuesOf = (tensor: ort.Tensor): Values => {
    if (tensor.location === 'cpu') return tensor.data as HostArray;
    // Its memory is the session's: to free it after the session ends the process.
    entry.users += 1;
    return new DeviceValues(tensor, leave);
  };
  let open = true;
  return {
    run: async (arrays) => {
      const here = options.provider === 'webgpu' ? arrays : await readAll(arrays);
      const feeds = Object.fromEntries(inputs.map((port, i) => [port.name, toOrt(port, here[i] as Values)]));
      const results = await whenItMay(options, () => session.run(feeds));
      return outputs.map(({ name }) => valuesOf(results[name] as ort.Tensor));
    },
    ...(options.provider === 'webgpu'
      ? { upload: (values: HostArray, input: number) => uploaded(toOrt(inputs[input] as OnnxPort, values)) }
      : {}),
    release: async () => {
      if (!open) return;
      open = false;
      await leave();
    },
  };
}

/** @throws Error if the environment asks for an impossible number of threads */
async function create(
  model: Uint8Array,
  { provider = 'cpu', threads = threadCount(process.env[THREADS]) }: SessionOptions,
  staying: readonly string[],
): Promise<ort.InferenceSession> {
  if (provider === 'webgpu') await keepDevice();
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    // Warnings about nodes that could not be fused are of no use to anyone.
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(staying.length === 0
      ? {}
      : { preferredOutputLocation: Object.fromEntries(staying.map((name) => [name, 'gpu-buffer'])) }),
  };
  return whenItMay({ provider }, () => ort.InferenceSession.create(model, options));
}

/** What a session does: at once, or where only one may do something at a time, in its turn. */
const whenItMay = <T>({ provider }: SessionOptions, work: () => Promise<T>): Promise<T> =>
  provider === 'webgpu' ? inTurn(work) : work();

const ORT_TYPE: Readonly<Record<OnnxType, 'float32' | 'int32' | 'int64' | 'bool' | 'float64'>> = {
  float32: 'float32',
  int32: 'int32',
  int64: 'int64',
  bool: 'bool',
  float64: 'float64',
};

/** For a session that is elsewhere: all of them here. */
const readAll = (values: readonly Values[]): Promise<readonly HostArray[]> =>
  Promise.all(values.map((one) => (isResident(one) ? one.read() : one)));

function toOrt({ type, shape }: OnnxPort, values: Values): ort.Tensor {
  if (values instanceof DeviceValues) return values.tensor;
  return new ort.Tensor(ORT_TYPE[type] as 'float32', values as Float32Array, shape);
}
