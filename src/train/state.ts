/**
 * A training at rest: weights, batch-norm averages, velocities, what its defense remembers, copies of the weights that are
 * kept, and how far it has come, in one safetensors file. Going on from it gives the same final weights, bit for bit, as never having stopped.
 */
import { UserError } from '../core/errors.ts';
import { shortPath } from '../core/files.ts';
import type { GuardCheck, Stopped, TrainedEpoch } from '../core/training-record.ts';
import { withFile } from '../weights/byte-source.ts';
import { readLayout, readSafetensors, type StoredTensor, writeSafetensors } from '../weights/safetensors.ts';
import { type PlanRecord, planDifference } from './plan.ts';
import { notFinite, putBack, type Snapshot, snapshotOf, type Variables } from './snapshot.ts';
import type { TrainingVariables } from './variables.ts';

const FORMAT = 'gibbon.training/2';

/** What is told about an epoch: one line of the log. */
export interface EpochRecord extends TrainedEpoch {
  readonly seconds: number;
}

/** How far a training has come: whole numbers from 0, sums over the batches of the epoch at hand. */
export interface Progress {
  /** The command line that began the training; those that went on with it make nothing by themselves. */
  readonly command: string;
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly seconds: number;
  /** What the guard saw in that epoch. */
  readonly checks: readonly GuardCheck[];
  /** Batches of all epochs that are done. */
  readonly updates: number;
  readonly history: readonly EpochRecord[];
  /** Why it goes no further. */
  readonly stopped?: Stopped;
}

/** An epoch of which nothing is done. */
export const freshEpoch = { batch: 0, lossSum: 0, correct: 0, seconds: 0, checks: [] } as const;

/** Copies of the weights beside those that learn; each is there from when it is first needed. */
export const COPIES = ['best', 'safest'] as const;
/** `best`: what would be saved of the best epoch. `safest`: of the most robust state that the guard saw. */
export type Copies = { [Kind in (typeof COPIES)[number]]?: Snapshot };

/** All tensors of a training. */
export interface Resting extends TrainingVariables {
  readonly copies: Copies;
}

const withPrefix = <T>(prefix: string, entries: Iterable<readonly [string, T]>): (readonly [string, T])[] =>
  [...entries].map(([name, value]) => [`${prefix}/${name}`, value]);

const variablesOf = ({ weights, slots, memory, average = new Map() }: TrainingVariables): Variables =>
  new Map([
    ...withPrefix('weight', weights),
    ...slots.map(({ name, velocity }) => [`velocity/${name}`, velocity] as const),
    ...withPrefix('memory', Object.entries(memory)),
    ...withPrefix('average', average),
  ]);

/**
 * Writes the state, atomically.
 *
 * @throws UserError if it cannot be written, or if it is not worth it: a variable that is no longer finite
 */
export async function saveState(path: string, resting: Resting, plan: PlanRecord, progress: Progress): Promise<void> {
  const variables = variablesOf(resting);
  const values = await snapshotOf(variables);
  const broken = notFinite(values);
  if (broken !== undefined) {
    throw new UserError(`${broken} is no longer finite: lower the learning rate. ${path} is left as it was before`);
  }
  const copies = COPIES.flatMap((kind) => withPrefix(kind, resting.copies[kind] ?? []));
  const shapes = new Map(withPrefix('', resting.weights).map(([name, { shape }]) => [name, shape]));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, data] of values) {
    tensors.set(name, { dtype: 'F32', shape: variables.get(name)?.shape ?? [], data });
  }
  for (const [name, data] of copies) {
    tensors.set(name, { dtype: 'F32', shape: shapes.get(name.slice(name.indexOf('/'))) ?? [], data });
  }
  const metadata = { format: FORMAT, plan: JSON.stringify(plan), progress: JSON.stringify(progress) };
  await writeSafetensors(path, tensors, metadata);
}

/**
 * Reads a state into the weights and their slots, and the copies that it holds.
 *
 * @returns how far that training had come
 * @throws UserError if the file is missing or damaged, or its plan is another: the message names the first difference
 */
export async function restoreState(path: string, resting: Resting, plan: PlanRecord): Promise<Progress> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT) {
    throw new UserError(`${path} is not an interrupted training (${FORMAT}); delete it to start anew`);
  }
  const difference = planDifference(parse(path, metadata.plan) as PlanRecord, plan);
  if (difference !== undefined) {
    throw new UserError(
      `${shortPath(path)} is of another training: ${difference}; go on with that plan, or delete the file to begin anew`,
    );
  }
  const progress = parse(path, metadata.progress);
  if (!isProgress(progress)) throw damaged(path, 'it does not say how far the training had come');
  const variables = variablesOf(resting);
  const read = (prefix: string, named: Variables): Snapshot =>
    new Map(
      [...named].map(([name, { shape }]) => {
        const tensor = tensors.get(prefix + name);
        if (tensor?.dtype === 'F32' && tensor.shape.join() === shape.join()) {
          return [name, tensor.data as Float32Array<ArrayBuffer>];
        }
        throw damaged(path, `${prefix}${name} is missing or of another shape`);
      }),
    );
  const values = read('', variables);
  for (const kind of COPIES) {
    const isThere = [...tensors.keys()].some((name) => name.startsWith(`${kind}/`));
    if (isThere || resting.copies[kind] !== undefined) resting.copies[kind] = read(`${kind}/`, resting.weights);
  }
  putBack(variables, values);
  return progress;
}

/**
 * What computed a training at rest: its plan's `backend`. Undefined if there is no such file or it does not tell;
 * `restoreState` says what is wrong then.
 */
export async function backendOfState(path: string): Promise<unknown> {
  try {
    const { metadata } = await withFile(path, readLayout);
    return (parse(path, metadata.plan) as PlanRecord).backend;
  } catch {
    return undefined;
  }
}

const damaged = (path: string, why: string): UserError =>
  new UserError(`${path} is damaged: ${why}; delete it to start anew`);

function parse(path: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw damaged(path, 'its description is not valid JSON');
  }
}

function isProgress(value: unknown): value is Progress {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Readonly<Record<string, unknown>>;
  const { command, epoch, batch, lossSum, correct, seconds, checks, updates, history } = record;
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  return (
    typeof command === 'string' &&
    [epoch, batch, updates].every(isCount) &&
    [lossSum, correct, seconds].every(Number.isFinite) &&
    [checks, history].every(Array.isArray)
  );
}
