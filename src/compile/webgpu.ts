/**
 * What ONNX Runtime's WebGPU needs: one run at a time, a device that stays, and its failures in words.
 *
 * An operator that it has no shader for runs on the CPU in the same session, at the price of two copies: `IsNaN`, `IsInf`, `Mod`,
 * `Sign`, `Round`, casts from int64 and to float64, and `Abs`, `Neg` and `Slice` of int32. Kernels that see whole images make do
 * without (`kernels/shader-functions.ts`, `kernels/max-pool-gradient.ts`).
 */
import * as ort from 'onnxruntime-node';
import { encodeModel, type OnnxPort, type OnnxType } from './onnx.ts';
import type { HostArray, Resident } from './types.ts';

let last: Promise<unknown> = Promise.resolve();

/** Runs one after the other: two at a time end the process. */
export function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const turn = last.then(run, run).catch(explain);
  last = turn.catch(() => undefined);
  return turn;
}

/** A tensor in the memory of the device. */
export class DeviceValues implements Resident {
  readonly tensor: ort.Tensor;

  constructor(tensor: ort.Tensor) {
    this.tensor = tensor;
  }

  get length(): number {
    return this.tensor.size;
  }

  /** By a session that copies it to an output of the host's: the tensor's own `getData` ends the process. */
  async read(): Promise<HostArray> {
    const session = await readerOf(this.tensor);
    const { out0 } = await inTurn(() => session.run({ in0: this.tensor }));
    return (out0 as ort.Tensor).data as HostArray;
  }

  dispose(): void {
    this.tensor.dispose();
  }
}

/** By type and shape; they are small, and stay as the device does. */
const readers = new Map<string, Promise<ort.InferenceSession>>();

function readerOf({ type, dims }: ort.Tensor): Promise<ort.InferenceSession> {
  const key = `${type} ${dims}`;
  const reader = readers.get(key) ?? openCopy({ type: type as OnnxType, shape: dims });
  readers.set(key, reader);
  reader.catch(() => readers.delete(key));
  return reader;
}

let device: Promise<unknown> | undefined;

/**
 * Keeps the device, and with it every shader that was compiled: both go with the last session, and a small network's shaders
 * take a second. So the smallest session there is stays open until the process ends.
 */
export async function keepDevice(): Promise<void> {
  device ??= openCopy({ type: 'float32', shape: [1] });
  await device.catch((error: unknown) => {
    device = undefined;
    throw error;
  });
}

/** The smallest session there is: it gives what it gets. */
const openCopy = (port: Omit<OnnxPort, 'name'>): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(
    encodeModel({
      nodes: [{ operator: 'Identity', domain: '', inputs: ['in0'], outputs: ['out0'], attributes: {} }],
      initializers: [],
      inputs: [{ ...port, name: 'in0' }],
      outputs: [{ ...port, name: 'out0' }],
    }),
    { executionProviders: ['webgpu'], logSeverityLevel: 3 },
  );

/** How ONNX Runtime says that memory ran out, or that the driver reset the device. */
const LOST = new RegExp(
  [
    'failed to download',
    'device.{0,20}lost',
    'out of memory',
    'failed to allocate',
    'invalid due to a previous error',
  ].join('|'),
  'i',
);

/** @throws Error saying in one line what to do, if it is lack of memory or the device is gone */
function explain(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  if (!LOST.test(message)) throw error;
  throw new Error(
    'WebGPU ran out of memory or lost its device: take smaller batches, or compute on the CPU ' +
      `(ONNX Runtime: ${message
        .replace(/^\/\S+ /, '')
        .replaceAll(/\s+/g, ' ')
        .slice(0, 200)})`,
    { cause: error },
  );
}
