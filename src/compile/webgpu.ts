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

/** One after the other, runs and what opens and ends sessions: two at a time end the process. */
export function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const turn = last.then(run, run).catch(explain);
  last = turn.catch(() => undefined);
  return turn;
}

/** A tensor in the memory of the device. */
export class DeviceValues implements Resident {
  readonly tensor: ort.Tensor;
  #freed: (() => Promise<void>) | undefined;
  /** Ended when all reads have, that were asked for. */
  #reads: Promise<unknown> = Promise.resolve();

  /** @param freed - called once, when the memory is given back */
  constructor(tensor: ort.Tensor, freed: () => Promise<void>) {
    this.tensor = tensor;
    this.#freed = freed;
  }

  get length(): number {
    return this.tensor.size;
  }

  /** By a session that copies it to an output of the host's: the tensor's own `getData` ends the process. */
  read(): Promise<HostArray> {
    const copy = copied(this.tensor, 'cpu');
    this.#reads = Promise.allSettled([this.#reads, copy]);
    return copy.then(({ data }) => data as HostArray);
  }

  /** In its turn: after the runs and reads that were asked for before. */
  dispose(): void {
    const freed = this.#freed;
    this.#freed = undefined;
    if (freed === undefined) return;
    const free = this.#reads.then(() => inTurn(async () => this.tensor.dispose())).then(freed);
    // Of a device that is gone, with its memory: nobody waits for this, and whoever uses the device learns it.
    free.catch(() => undefined);
  }
}

/** A copy in the memory of the device. */
export const uploaded = async (tensor: ort.Tensor): Promise<DeviceValues> =>
  new DeviceValues(await copied(tensor, 'gpu-buffer'), async () => undefined);

type Place = 'cpu' | 'gpu-buffer';

async function copied(tensor: ort.Tensor, to: Place): Promise<ort.Tensor> {
  const session = await copierOf(tensor, to);
  const { out0 } = await inTurn(() => session.run({ in0: tensor }));
  return out0 as ort.Tensor;
}

/** By place, type and shape; they stay as the device does. */
const copiers = new Map<string, Promise<ort.InferenceSession>>();

function copierOf({ type, dims }: ort.Tensor, to: Place): Promise<ort.InferenceSession> {
  const key = `${to} ${type} ${dims}`;
  const copier = copiers.get(key) ?? openCopy({ type: type as OnnxType, shape: dims }, to);
  copiers.set(key, copier);
  copier.catch(() => copiers.delete(key));
  return copier;
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
const openCopy = (port: Omit<OnnxPort, 'name'>, to: Place = 'cpu'): Promise<ort.InferenceSession> =>
  inTurn(() =>
    ort.InferenceSession.create(
      encodeModel({
        nodes: [{ operator: 'Identity', domain: '', inputs: ['in0'], outputs: ['out0'], attributes: {} }],
        initializers: [],
        inputs: [{ ...port, name: 'in0' }],
        outputs: [{ ...port, name: 'out0' }],
      }),
      {
        executionProviders: ['webgpu'],
        logSeverityLevel: 3,
        preferredOutputLocation: { out0: to },
        // Else it keeps as much memory here as it ever copied.
        enableCpuMemArena: false,
        enableMemPattern: false,
      },
    ),
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
