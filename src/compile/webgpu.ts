/**
 * What ONNX Runtime's WebGPU needs: one run at a time, a device that stays, and its failures in words.
 *
 * An operator that it has no shader for runs on the CPU in the same session, at the price of two copies: `IsNaN`, `IsInf`, `Mod`,
 * `Sign`, `Round`, casts from int64 and to float64, and `Abs`, `Neg` and `Slice` of int32. Kernels that see whole images make do
 * without (`kernels/shader-functions.ts`, `kernels/max-pool-gradient.ts`).
 */
import * as ort from 'onnxruntime-node';
import { encodeModel } from './onnx.ts';

let last: Promise<unknown> = Promise.resolve();

/** Runs one after the other: two at a time end the process. */
export function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const turn = last.then(run, run).catch(explain);
  last = turn.catch(() => undefined);
  return turn;
}

let device: Promise<unknown> | undefined;

/**
 * Keeps the device, and with it every shader that was compiled: both go with the last session, and a small network's shaders
 * take a second. So the smallest session there is stays open until the process ends.
 */
export async function keepDevice(): Promise<void> {
  device ??= ort.InferenceSession.create(encodeModel(NOTHING), { executionProviders: ['webgpu'], logSeverityLevel: 3 });
  await device.catch((error: unknown) => {
    device = undefined;
    throw error;
  });
}

const PORT = { type: 'float32', shape: [1] } as const;
const NOTHING = {
  nodes: [{ operator: 'Identity', domain: '', inputs: ['in0'], outputs: ['out0'], attributes: {} }],
  initializers: [],
  inputs: [{ ...PORT, name: 'in0' }],
  outputs: [{ ...PORT, name: 'out0' }],
};

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
