/**
 * A training at rest: weights, batch-norm averages, velocities, the defense's memory, and how far it has come, in one safetensors file. Going on
 * from it gives the same final weights, bit for bit, as never having stopped.
 */
import { UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../weights/safetensors.ts';
import type { Memory } from './memory.ts';
import { type PlanRecord, planDifference } from './plan.ts';
import type { Slot } from './sgd.ts';
import type { Validation } from './validate.ts';

const FORMAT = 'gibbon.training/1';

/** What is told about an epoch: one line of the log. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss, and the share of the training images classified correctly as the loss saw them. */
  readonly loss: number;
  readonly accuracy: number;
  /** On the held-out images; null if there are none. */
  readonly validation: Validation | null;
  /** The learning rate of its last batch. */
  readonly rate: number;
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
  readonly history: readonly EpochRecord[];
}

/** An epoch of which nothing is done. */
export const freshEpoch = { batch: 0, lossSum: 0, correct: 0, seconds: 0 } as const;

/** All variables that training changes, by names that are stable across processes. */
function variablesOf(model: tf.LayersModel, slots: readonly Slot[], memory: Memory): ReadonlyMap<string, tf.Variable> {
  const weights = model.weights.map((w) => [`weight/${w.originalName}`, w.read() as tf.Variable] as const);
  const velocities = slots.map(({ name, velocity }) => [`velocity/${name}`, velocity] as const);
  const remembered = Object.entries(memory).map(([name, variable]) => [`memory/${name}`, variable] as const);
  const all = [...weights, ...velocities, ...remembered];
  const variables = new Map(all);
  if (variables.size !== all.length) throw new Error('two weights of the model have one name');
  return variables;
}

/**
 * Writes the state, atomically.
 *
 * @throws UserError if it cannot be written, or if it is not worth it: a variable that is no longer finite
 */
export async function saveState(
  path: string,
  model: tf.LayersModel,
  slots: readonly Slot[],
  plan: PlanRecord,
  progress: Progress,
  memory: Memory = {},
): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, variable] of variablesOf(model, slots, memory)) {
    const data = new Float32Array(await variable.data<'float32'>());
    if (!data.every(Number.isFinite)) {
      throw new UserError(`${name} is no longer finite: lower the learning rate. ${path} is left as it was before`);
    }
    tensors.set(name, { dtype: 'F32', shape: variable.shape, data });
  }
  const metadata = { format: FORMAT, plan: JSON.stringify(plan), progress: JSON.stringify(progress) };
  await writeSafetensors(path, tensors, metadata);
}

/**
 * Reads a state into the model and its slots.
 *
 * @returns how far that training had come
 * @throws UserError if the file is missing or damaged, or its plan is another: the message names the first difference
 */
export async function restoreState(
  path: string,
  model: tf.LayersModel,
  slots: readonly Slot[],
  plan: PlanRecord,
  memory: Memory = {},
): Promise<Progress> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT) {
    throw new UserError(`${path} is not an interrupted training (${FORMAT}); delete it to start anew`);
  }
  const difference = planDifference(parse(path, metadata.plan) as PlanRecord, plan);
  if (difference !== undefined) {
    throw new UserError(`${path} is of another training: ${difference}; go on with that plan, or delete the file`);
  }
  const variables = variablesOf(model, slots, memory);
  for (const [name, { shape }] of variables) {
    if (tensors.get(name)?.shape.join() !== shape.join()) throw damaged(path, `${name} is missing or of another shape`);
  }
  for (const [name, variable] of variables) {
    const { data, shape } = tensors.get(name) as StoredTensor;
    tf.tidy(() => variable.assign(tf.tensor(data as Float32Array, [...shape])));
  }
  const progress = parse(path, metadata.progress);
  if (!isProgress(progress)) throw damaged(path, 'it does not say how far the training had come');
  return progress;
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
  const { command, epoch, batch, lossSum, correct, seconds, history } = record;
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  return (
    typeof command === 'string' &&
    [epoch, batch].every(isCount) &&
    [lossSum, correct, seconds].every(Number.isFinite) &&
    Array.isArray(history)
  );
}
