/** A training whose numbers are none: which batch brought it about, and what is left. */
import { UserError } from '../core/errors.ts';
import { shortPath, writeAtomically } from '../core/files.ts';
import type { Batch } from './batches.ts';
import type { TrainingFiles } from './files.ts';
import type { Progress } from './state.ts';

/** Where it happened. Epochs and batches count from 1. */
export interface Failure {
  readonly epoch: number;
  readonly batch: Batch;
  /** Batches of an epoch. */
  readonly batches: number;
  /** Of the batch, before its update. */
  readonly loss: number;
  /** The learning rate of the batch, and the highest of the training. */
  readonly rate: number;
  readonly peakRate: number;
  /** The first weight that is no longer finite after the update, if the loss was. */
  readonly weight: string | undefined;
  /** What the state on disk holds. */
  readonly saved: Pick<Progress, 'epoch' | 'batch'>;
}

/**
 * Writes the batch down beside the state: the dataset's ids of its images, to be looked at.
 *
 * @returns the error that ends the training
 */
export async function failed(files: TrainingFiles, failure: Failure): Promise<UserError> {
  const { epoch, batch, batches, loss, rate, peakRate, weight, saved } = failure;
  const told = {
    ...{ epoch, batch: batch.index + 1, batches, rate },
    // JSON knows no such numbers.
    loss: String(loss),
    ...(weight === undefined ? {} : { weight }),
    ids: batch.ids,
    state: { file: files.state, epoch: saved.epoch, batch: saved.batch },
  };
  await writeAtomically(files.failure, (file) => file.writeFile(`${JSON.stringify(told, null, 2)}\n`));
  const state = shortPath(files.state);
  const what = weight === undefined ? 'the loss is' : `the weights are (${weight})`;
  return new UserError(
    `${what} no longer a number at epoch ${epoch}, batch ${batch.index + 1} of ${batches}: lower the learning rate ` +
      `(${peakRate}) or warm up for longer, in a new training with another --out, or with this one's state deleted. ` +
      `${state} holds the network ${placeOf(saved)}; ${shortPath(files.failure)} names the images of that batch`,
  );
}

function placeOf({ epoch, batch }: Failure['saved']): string {
  if (batch > 0) return `as it was after batch ${batch} of epoch ${epoch + 1}`;
  return epoch === 0 ? 'before its first batch' : `as it was after epoch ${epoch}`;
}
