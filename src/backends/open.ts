/** What computes: the compiler on ONNX Runtime, or TensorFlow.js as it stands, once it is known to compute the right thing. */
import { THREADS, threadCount } from '../compile/threads.ts';
import type { Prepare } from '../compile/types.ts';
import { messageOf, UserError, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { gradientDifference, TOLERANCE } from './gradient-check.ts';
import { machineHere } from './machine.ts';
import type { BackendName } from './names.ts';
import { reasonOf } from './reason.ts';
import { KINDS } from './table.ts';

export interface Backend {
  readonly name: BackendName;
  readonly prepare: Prepare;
  /** How far a small gradient is from the reference's, relative to its largest entry; undefined for the reference itself. */
  readonly difference: number | undefined;
  /** What it computes on besides the processor, where that is known. */
  readonly device: string | undefined;
}

/**
 * Opens a backend, if a small gradient agrees with the reference there.
 *
 * @throws UserError for one that is not installed, that does not work here, or that computes something else;
 *   or for an impossible number of threads in the environment
 */
export async function openBackend(name: BackendName): Promise<Backend> {
  requireThreads();
  const { open, device } = KINDS[name];
  const instead = name === 'onnx-cpu' ? 'cpu' : 'onnx-cpu';
  // Null until the program has chosen one.
  const before: string | null = tf.getBackend() ?? null;
  try {
    const prepare = await open();
    const difference = name === 'cpu' ? undefined : await checked(name, prepare, instead);
    return { name, prepare, difference, device: device(machineHere()) };
  } catch (error) {
    if (before !== null) await tf.setBackend(before);
    throw doesNotWork(name, instead, error);
  }
}

/** What was found in this process: it does not change. */
const found = new Map<BackendName, number>();

async function checked(name: BackendName, prepare: Prepare, instead: BackendName): Promise<number> {
  const before = found.get(name);
  if (before !== undefined) return before;
  const difference = await gradientDifference(prepare);
  if (!(difference <= TOLERANCE)) {
    throw new UserError(`--backend ${name} computes something else: ${differs(difference)}; use --backend ${instead}`);
  }
  found.set(name, difference);
  return difference;
}

/** `a small gradient differs from the reference by 3.1e-2 of its largest entry, where 0.0001 is rounding` */
export const differs = (difference: number): string =>
  Number.isFinite(difference)
    ? `a small gradient differs from the reference by ${difference.toExponential(1)} of its largest entry, where ${TOLERANCE} is rounding`
    : 'its small gradient is no numbers';

function doesNotWork(name: BackendName, instead: BackendName, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const why = reasonOf(error);
  const [kind, machine] = [KINDS[name], machineHere()];
  const lack = kind.lacks(machine);
  const help = lack === undefined ? [kind.advice(machine, why)] : [lack.why, lack.advice];
  const words = ['', ...help.filter((one) => one !== undefined)].join(': ');
  return new UserError(`--backend ${name} does not work here (${why})${words}; --backend ${instead} does`);
}

/** @throws UserError (usage) if the environment asks for an impossible number: before any work, and not at the first session */
export function requireThreads(): void {
  try {
    threadCount(process.env[THREADS]);
  } catch (error) {
    throw usageError(messageOf(error));
  }
}
