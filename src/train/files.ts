/** The files of a training, by the name of the checkpoint that it is to make. */
import { existsSync } from 'node:fs';
import { usageError } from '../core/errors.ts';

export interface TrainingFiles {
  readonly checkpoint: string;
  /** One JSON line per epoch. */
  readonly log: string;
  /** The training at rest; gone once it is finished. */
  readonly state: string;
  /** Where its numbers ceased to be numbers, if they did. */
  readonly failure: string;
}

export const trainingFiles = (out: string): TrainingFiles => ({
  checkpoint: out,
  log: `${out.replace(/\.safetensors$/, '')}.jsonl`,
  state: `${out}.state`,
  failure: `${out}.failure.json`,
});

/** @throws UserError (usage) if a file stands in the way, or the one to go on from is missing */
export function checkFiles({ checkpoint, log, state }: TrainingFiles, resume: boolean): void {
  if (existsSync(checkpoint)) throw usageError(`${checkpoint} exists; move it away or name another --out`);
  if (resume && !existsSync(state)) {
    throw usageError(`there is no ${state} to go on from; leave --resume out to start the training`);
  }
  if (!resume && existsSync(state)) {
    throw usageError(`${state} holds an interrupted training; add --resume to go on with it, or delete it`);
  }
  if (!resume && existsSync(log)) {
    throw usageError(`${log} holds the history of another training; move it away or name another --out`);
  }
}
