/** ONNX Runtime sessions: made once per model, shared by those who compiled the same bytes, and freed with the last. */
import { createHash } from 'node:crypto';
import * as ort from 'onnxruntime-node';
import type { OnnxPort, OnnxType } from './onnx.ts';
import type { Provider } from './target.ts';
import { THREADS, threadCount } from './threads.ts';
import type { HostArray } from './types.ts';
import { inTurn, keepDevice } from './webgpu.ts';

export interface SessionOptions {
  /** What computes; the processor by default. */
  readonly provider?: Provider;
  /** Threads inside one operator; by default one for every core, or `GIBBON_THREADS`. */
  readonly threads?: number;
}

export interface Session {
  /** Arrays for the inputs in order, arrays of the outputs in order. */
  run(inputs: readonly HostArray[]): Promise<HostArray[]>;
  release(): Promise<void>;
}

interface Shared {
  readonly session: Promise<ort.InferenceSession>;
  users: number;
}

const shared = new Map<string, Shared>();

/** A session for the model; the same bytes with the same options share one. */
export async function openSession(
  model: Uint8Array,
  inputs: readonly OnnxPort[],
  outputs: readonly OnnxPort[],
  options: SessionOptions = {},
): Promise<Session> {
  // ONNX Runtime does not open a graph that computes nothing.
  if (outputs.length === 0) return { run: async () => [], release: async () => undefined };
  const key = createHash('sha256').update(model).update(JSON.stringify(options)).digest('hex');
  const entry = shared.get(key) ?? { session: create(model, options), users: 0 };
  shared.set(key, entry);
  entry.users += 1;
  let session: ort.InferenceSession;
  try {
    session = await entry.session;
  } catch (error) {
    shared.delete(key);
    throw error;
  }
  let open = true;
  return {
    run: async (arrays) => {
      const feeds = Object.fromEntries(inputs.map((port, i) => [port.name, toOrt(port, arrays[i] as HostArray)]));
      /*
       * Outputs come back to the host. The binding could leave them on a graphics processor (`preferredOutputLocation`), from where
       * a later run takes them as they are; but callers look at them after every step, and reading such a tensor ends the process.
       */
      const run = () => session.run(feeds);
      const results = await (options.provider === 'webgpu' ? inTurn(run) : run());
      return outputs.map(({ name }) => (results[name] as ort.Tensor).data as HostArray);
    },
    release: async () => {
      if (!open) return;
      open = false;
      entry.users -= 1;
      if (entry.users > 0) return;
      shared.delete(key);
      await session.release();
    },
  };
}

/** @throws Error if the environment asks for an impossible number of threads */
async function create(
  model: Uint8Array,
  { provider = 'cpu', threads = threadCount(process.env[THREADS]) }: SessionOptions,
): Promise<ort.InferenceSession> {
  if (provider === 'webgpu') await keepDevice();
  return ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    // Warnings about nodes that could not be fused are of no use to anyone.
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  });
}

const ORT_TYPE: Readonly<Record<OnnxType, 'float32' | 'int32' | 'int64' | 'bool' | 'float64'>> = {
  float32: 'float32',
  int32: 'int32',
  int64: 'int64',
  bool: 'bool',
  float64: 'float64',
};

function toOrt({ type, shape }: OnnxPort, data: HostArray): ort.Tensor {
  return new ort.Tensor(ORT_TYPE[type] as 'float32', data as Float32Array, shape);
}
