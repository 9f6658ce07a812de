/** Trains a network: the loop over epochs and batches around one compiled step. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Prepare } from '../compile/types.ts';
import { UserError, usageError } from '../core/errors.ts';
import { writeAtomically } from '../core/files.ts';
import { datasetNames } from '../data/registry.ts';
import { saveCheckpoint } from '../models/checkpoint.ts';
import { buildNetwork, type Network, type NetworkSpec } from '../models/network.ts';
import { batchesPerEpoch, epochBatches, holdOut } from './batches.ts';
import { memoryOf } from './memory.ts';
import { checkPlan, type Means, planRecord, replaysOf, type TrainingPlan, trainingName } from './plan.ts';
import { preparedStep, type TrainBatch } from './prepared-step.ts';
import { scheduleOf } from './schedule.ts';
import { type Slot, slotsOf } from './sgd.ts';
import { learningOf, startFrom } from './start.ts';
import { type EpochRecord, freshEpoch, type Progress, restoreState, saveState } from './state.ts';
import { type Validator, validatorOf } from './validate.ts';

/** With what a plan is carried out, where its files go, and who is told. */
export interface TrainingHarness extends Means {
  readonly prepare: Prepare;
  /** The checkpoint to make: `checkpoints/mnist/vgg16-adversarial.safetensors`. */
  readonly out: string;
  /** The command line that asks for it: the one that began the training is written into the checkpoint. */
  readonly command: string;
  /** Go on from the state that an interrupted training left. */
  readonly resume?: boolean;
  /** Aborting it ends the training after the batch at hand, its state saved. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: TrainingEvent) => void;
  /** Makes the untrained network; by default from the registry of architectures. */
  readonly build?: (spec: NetworkSpec, seed: number) => Network;
}

/** What the training is at. Epochs and batches count from 1. */
export type TrainingEvent =
  | {
      /** Everything is compiled; `batch` of `epoch` comes first. */
      readonly kind: 'start';
      readonly parameters: number;
      readonly epoch: number;
      readonly epochs: number;
      readonly batch: number;
      readonly batches: number;
    }
  | {
      readonly kind: 'batch';
      readonly epoch: number;
      readonly batch: number;
      readonly loss: number;
      /** Share of the epoch's images so far that were classified correctly, as the loss saw them. */
      readonly accuracy: number;
      readonly rate: number;
    }
  | { readonly kind: 'epoch'; readonly record: EpochRecord };

/** How a training ended, and what it left. */
export interface TrainingResult {
  /** False if it was aborted; the state then lies in `files.state`. */
  readonly finished: boolean;
  readonly history: readonly EpochRecord[];
  readonly files: TrainingFiles;
}

export interface TrainingFiles {
  readonly checkpoint: string;
  /** One JSON line per epoch. */
  readonly log: string;
  /** The training at rest; gone once it is finished. */
  readonly state: string;
}

/** The three files of a training. */
export const trainingFiles = (out: string): TrainingFiles => ({
  checkpoint: out,
  log: `${out.replace(/\.safetensors$/, '')}.jsonl`,
  state: `${out}.state`,
});

/**
 * Carries a plan out, or goes on with it: state and log are written after every epoch and when aborted, the checkpoint at
 * the end. On one backend the same plan gives the same weights, bit for bit, interrupted or not.
 *
 * @throws UserError for a plan that cannot be carried out, files that stand in the way or cannot be written, a state of
 *   another plan, or a loss that is no longer a number (the last good state is kept)
 */
export async function train(plan: TrainingPlan, harness: TrainingHarness): Promise<TrainingResult> {
  checkPlan(plan);
  const files = trainingFiles(harness.out);
  checkFiles(files, harness.resume ?? false);
  const built = (harness.build ?? buildNetwork)(plan.network, plan.seed);
  let slots: readonly Slot[] = [];
  const memory = memoryOf(plan.defense, plan.network.input, plan.batch);
  const releases: (() => Promise<void>)[] = [];
  try {
    const network = plan.start === undefined ? built : await startFrom(built, plan.start);
    slots = slotsOf(learningOf(network, plan.start).learns);
    const record = await planRecord(plan, harness);
    const progress: Progress = harness.resume
      ? await restoreState(files.state, network.trained, slots, record, memory)
      : { ...freshEpoch, command: harness.command, epoch: 0, history: [] };
    const batches = batchesPerEpoch(plan.dataset, plan.validation.images, plan.batch) * replaysOf(plan);
    const heldOut = await holdOut(plan.dataset, plan.validation.images);
    const step = await preparedStep(plan, network, { slots, memory }, harness.prepare);
    releases.push(step.release);
    const validator = await validatorOf(plan, network, heldOut, harness.prepare);
    releases.push(validator.release);
    const save = (reached: Progress): Promise<void> =>
      saveState(files.state, network.trained, slots, record, reached, memory);
    // Before any work: a place that cannot be written to is an error now, not after the first epoch.
    await save(progress);

    const schedule = scheduleOf(plan.schedule.name, plan.schedule.params);
    const session: Session = {
      plan,
      harness,
      files,
      batches,
      heldOut: new Set(heldOut.map(({ id }) => id)),
      rate: (done) => plan.rate * schedule.share(done),
      step: step.run,
      validator,
      save,
    };
    const { parameters } = network;
    const { epoch, batch } = progress;
    harness.onProgress?.({
      kind: 'start',
      parameters,
      epoch: epoch + 1,
      epochs: plan.epochs,
      batch: batch + 1,
      batches,
    });
    const reached = await runEpochs(session, progress);
    const finished = reached.epoch === plan.epochs;
    if (finished) {
      await saveCheckpoint(files.checkpoint, network, {
        dataset: plan.dataset.name,
        training: trainingName(plan),
        command: reached.command,
        seed: plan.seed,
        epochs: plan.epochs,
        ...(datasetNames.includes(plan.dataset.name) ? {} : { classes: plan.dataset.classes }),
      });
      await rm(files.state, { force: true });
    }
    return { finished, history: reached.history, files };
  } finally {
    for (const release of releases) await release();
    for (const { velocity } of slots) velocity.dispose();
    for (const remembered of Object.values(memory)) remembered.dispose();
    built.dispose();
  }
}

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

interface Session {
  readonly plan: TrainingPlan;
  readonly harness: TrainingHarness;
  readonly files: TrainingFiles;
  /** Per epoch, every use of a batch counted. */
  readonly batches: number;
  readonly heldOut: ReadonlySet<string>;
  /** Learning rate as a function of progress, 0 to 1. */
  readonly rate: (progress: number) => number;
  readonly step: TrainBatch;
  readonly validator: Validator;
  readonly save: (progress: Progress) => Promise<void>;
}

/** Trains to the end, or until aborted; returns how far it came, which is saved. */
async function runEpochs(session: Session, start: Progress): Promise<Progress> {
  const { plan, harness, files, save } = session;
  let progress = start;
  while (progress.epoch < plan.epochs) {
    progress = await runBatches(session, progress);
    if (harness.signal?.aborted) {
      await save(progress);
      return progress;
    }
    requireProgress(session, progress);
    const record = await finishEpoch(session, progress);
    progress = { ...progress, ...freshEpoch, epoch: progress.epoch + 1, history: [...progress.history, record] };
    await save(progress);
    await writeAtomically(files.log, (file) =>
      file.writeFile(progress.history.map((line) => `${JSON.stringify(line)}\n`).join('')),
    );
    harness.onProgress?.({ kind: 'epoch', record });
  }
  return progress;
}

/** The rest of the epoch's batches, or as many as are done when aborted. */
async function runBatches(session: Session, start: Progress): Promise<Progress> {
  const { plan, harness, batches, heldOut, step } = session;
  const { batch: size, seed } = plan;
  const before = performance.now();
  let progress = start;
  for await (const batch of epochBatches(plan.dataset, {
    heldOut,
    size,
    seed,
    epoch: start.epoch,
    from: start.batch,
    replays: replaysOf(plan),
  })) {
    const rate = rateAt(session, progress.epoch, batch.index);
    const { loss, correct } = await step(batch, progress.epoch, rate);
    if (!Number.isFinite(loss)) throw diverged(session, progress, batch.index, start);
    progress = {
      ...progress,
      batch: batch.index + 1,
      lossSum: progress.lossSum + loss,
      correct: progress.correct + correct,
    };
    const accuracy = progress.correct / (progress.batch * size);
    harness.onProgress?.({ kind: 'batch', epoch: progress.epoch + 1, batch: progress.batch, loss, accuracy, rate });
    // Native calls and their promises never reach the event loop, where Ctrl-C is waiting to be heard.
    await setImmediate();
    if (harness.signal?.aborted || progress.batch === batches) break;
  }
  return { ...progress, seconds: progress.seconds + (performance.now() - before) / 1000 };
}

/** @throws UserError if the epoch had no batch, since too few files could be read */
function requireProgress({ plan: { dataset, batch } }: Session, progress: Progress): void {
  if (progress.batch > 0) return;
  const [first] = dataset.skipped?.() ?? [];
  const why = first === undefined ? '' : ` (${first.id}: ${first.why})`;
  throw new UserError(
    `${dataset.name} has fewer than ${batch} images to learn from: too many files gave none${why}; make the batch smaller`,
  );
}

async function finishEpoch(session: Session, progress: Progress): Promise<EpochRecord> {
  const { plan, validator } = session;
  const before = performance.now();
  const validation = await validator.run();
  return {
    epoch: progress.epoch + 1,
    loss: progress.lossSum / progress.batch,
    accuracy: progress.correct / (progress.batch * plan.batch),
    validation,
    rate: rateAt(session, progress.epoch, progress.batch - 1),
    seconds: progress.seconds + (performance.now() - before) / 1000,
  };
}

/** The learning rate of a batch: the schedule in the middle of the batch, so that neither end is spent on a rate of 0. */
const rateAt = ({ plan, batches, rate }: Session, epoch: number, batch: number): number =>
  rate((epoch * batches + batch + 0.5) / (plan.epochs * batches));

/** @param kept - what the state on disk holds: where these batches began */
const diverged = ({ plan, files, batches }: Session, { epoch }: Progress, batch: number, kept: Progress): UserError =>
  new UserError(
    `the loss is no longer a number at epoch ${epoch + 1}, batch ${batch + 1} of ${batches}: lower the learning rate ` +
      `(${plan.rate}) or warm up for longer. ${files.state} holds the network ${placeOf(kept)}`,
  );

function placeOf({ epoch, batch }: Progress): string {
  if (batch > 0) return `as it was after batch ${batch} of epoch ${epoch + 1}`;
  return epoch === 0 ? 'before its first batch' : `as it was after epoch ${epoch}`;
}
