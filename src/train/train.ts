/** Trains a network, logs every epoch, saves the checkpoint, and can go on where it was interrupted. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Prepare } from '../compile/types.ts';
import { blame } from '../core/blame.ts';
import { resumable, shortPath } from '../core/files.ts';
import { resolveParams } from '../core/params.ts';
import { soleUse } from '../core/sole-use.ts';
import type { Kept, Stopped, TrainingRecord } from '../core/training-record.ts';
import { datasetNames } from '../data/registry.ts';
import { saveCheckpoint } from '../models/checkpoint.ts';
import { buildNetwork, type Network, type NetworkSpec } from '../models/network.ts';
import { batchesPerEpoch, holdOut } from './batches.ts';
import { checkPlan } from './check-plan.ts';
import { isOver, keptOf, runEpochs } from './epochs.ts';
import type { TrainingEvent } from './events.ts';
import { checkFiles, type TrainingFiles, trainingFiles } from './files.ts';
import { guardOf } from './guard.ts';
import {
  isAdversarial,
  keepsBest,
  type Means,
  planRecord,
  replaysOf,
  type TrainingPlan,
  trainingName,
} from './plan.ts';
import { preparedStep } from './prepared-step.ts';
import { saver } from './saving.ts';
import { scheduleOf } from './schedule.ts';
import { putBack, snapshotOf } from './snapshot.ts';
import { startFrom } from './start.ts';
import { type EpochRecord, freshEpoch, type Progress, type Resting, restoreState, saveState } from './state.ts';
import { validatorOf } from './validate.ts';
import { disposeOwn, type TrainingVariables, trainingVariables } from './variables.ts';

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
  /** Seconds of work after which the state is saved within an epoch, 60 by default; 0 saves after every batch. */
  readonly saveEvery?: number;
  /** Makes the untrained network; by default from the registry of architectures. */
  readonly build?: (spec: NetworkSpec, seed: number) => Network;
}

/** How a training ended, and what it left. */
export interface TrainingResult {
  /** False if it was aborted; the state then lies in `files.state`. */
  readonly finished: boolean;
  readonly history: readonly EpochRecord[];
  /** Why it ended before its last epoch, if it did. */
  readonly stopped?: Stopped;
  /** Which state of the network the checkpoint holds, if it is there. */
  readonly kept?: Kept;
  readonly files: TrainingFiles;
}

/**
 * Carries a plan out, or goes on with it: the state is written after every minute and every epoch and when aborted, the log
 * after every epoch, the checkpoint at the end. On one backend the same plan gives the same checkpoint, byte for byte,
 * interrupted or not.
 *
 * @throws UserError for a plan that cannot be carried out, files that stand in the way or cannot be written, a state of
 *   another plan, or numbers that are none any more (the last good state is kept, and the batch named)
 */
export async function train(plan: TrainingPlan, harness: TrainingHarness): Promise<TrainingResult> {
  checkPlan(plan);
  const files = trainingFiles(harness.out);
  const resume = harness.resume ?? false;
  checkFiles(files, resume);
  const leave = await soleUse(files.state);
  try {
    // Another training may have come and gone in between.
    checkFiles(files, resume);
    const kept = () =>
      existsSync(files.state) ? `${shortPath(files.state)} holds the training as it was last saved` : undefined;
    return await resumable(kept, '--resume', () => trainAlone(plan, harness, files));
  } finally {
    await leave();
  }
}

async function trainAlone(plan: TrainingPlan, harness: TrainingHarness, files: TrainingFiles): Promise<TrainingResult> {
  const built = (harness.build ?? buildNetwork)(plan.network, plan.seed);
  let variables: TrainingVariables | undefined;
  const releases: (() => Promise<void>)[] = [];
  try {
    const network = plan.start === undefined ? built : await startFrom(built, plan.start);
    const trained = await blame(plan, 'cannot be prepared', async () => trainingVariables(plan, network));
    variables = trained;
    const record = await planRecord(plan, harness);
    const resting: Resting = { ...variables, copies: {} };
    const progress: Progress = harness.resume
      ? await restoreState(files.state, resting, record)
      : { ...freshEpoch, command: harness.command, epoch: 0, updates: 0, history: [] };
    const replays = await blame(plan, 'cannot be prepared', async () => replaysOf(plan));
    const batches = batchesPerEpoch(plan.dataset, plan.validation.images, plan.batch) * replays;
    const heldOut = await holdOut(plan.dataset, plan.validation.images);
    const { prepare } = harness;
    const step = await blame(plan, 'cannot be compiled', () => preparedStep(plan, network, trained, prepare));
    releases.push(step.release);
    const validator = await validatorOf(plan, network, heldOut, harness.prepare);
    releases.push(validator.release);
    const guard = await guardOf(plan, network, heldOut, batches, harness.prepare);
    if (guard !== undefined) releases.push(guard.release);
    const saving = saver(progress, (reached) => saveState(files.state, resting, record, reached), harness.saveEvery);
    // Before any work: a place that cannot be written to is an error now, not after the first epoch.
    await saving.save(progress);

    const schedule = scheduleOf(plan.schedule.name, plan.schedule.params);
    const { parameters } = network;
    const { epoch, batch } = progress;
    const { onProgress: tell = () => undefined } = harness;
    const from = { epoch: epoch + 1, epochs: plan.epochs, batch: batch + 1, batches };
    tell({ kind: 'start', parameters, ...from, keepsBest: keepsBest(plan) });
    const reached = await runEpochs(
      {
        ...{ plan, files, replays, batches, validator, guard, resting, tell, signal: harness.signal, saver: saving },
        heldOut: new Set(heldOut.map(({ id }) => id)),
        rate: (done) => plan.rate * schedule.share(done),
        step: step.run,
      },
      progress,
    );
    const { history, stopped } = reached;
    if (!isOver(plan, reached)) return { finished: false, history, files };
    const kept = await finish({ plan, network, resting, batches, files }, reached);
    return { finished: true, history, kept, files, ...(stopped === undefined ? {} : { stopped }) };
  } finally {
    for (const release of releases) await release();
    if (variables !== undefined) disposeOwn(variables);
    built.dispose();
  }
}

interface Finished {
  readonly plan: TrainingPlan;
  readonly network: Network;
  readonly resting: Resting;
  /** Per epoch, every use of a batch counted. */
  readonly batches: number;
  readonly files: TrainingFiles;
}

const COPY_OF = { best: 'best', 'rolled back': 'safest' } as const;

/** Saves the checkpoint of what is kept; the state, from which that could be done again, goes last. */
async function finish({ plan, network, resting, batches, files }: Finished, reached: Progress): Promise<Kept> {
  const { weights, average = weights, copies } = resting;
  const kept = keptOf(plan, reached);
  const chosen = kept.why === 'last' ? await snapshotOf(average) : copies[COPY_OF[kept.why]];
  if (chosen === undefined) throw new Error(`the copy of the weights of epoch ${kept.epoch} is missing`);
  putBack(weights, chosen);
  const { dataset, seed, epochs } = plan;
  await saveCheckpoint(files.checkpoint, network, {
    dataset: dataset.name,
    training: trainingName(plan),
    command: reached.command,
    ...{ seed, epochs },
    ...(datasetNames.includes(dataset.name) ? {} : { classes: dataset.classes }),
    record: recordOf(plan, reached, kept, batches),
  });
  await rm(files.state, { force: true });
  await rm(files.failure, { force: true });
  return kept;
}

function recordOf(plan: TrainingPlan, { history, stopped }: Progress, kept: Kept, batches: number): TrainingRecord {
  const { defense, norm, epsilon, epochs, ema, validation } = plan;
  return {
    defense: {
      name: defense.name,
      params: resolveParams(defense.name, defense.params, plan.params),
      adversarial: isAdversarial(plan),
    },
    ...{ norm, epsilon, epochs, batches },
    ...(ema === null ? {} : { ema }),
    ...(validation.images === 0 ? {} : { validation: { ...validation, params: { ...validation.params } } }),
    history: history.map(({ seconds: _, ...epoch }) => epoch),
    kept,
    ...(stopped === undefined ? {} : { stopped }),
  };
}
