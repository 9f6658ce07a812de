/** The loop: batches, looks of the guard, epochs, until the end or until something ends it. */
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import { writeAtomically } from '../core/files.ts';
import type { GuardCheck, Kept } from '../core/training-record.ts';
import { epochBatches } from './batches.ts';
import { bestOf, merit } from './best.ts';
import { collapse, isSafest } from './collapse.ts';
import type { TrainingEvent } from './events.ts';
import { failed } from './failure.ts';
import type { TrainingFiles } from './files.ts';
import type { Guard } from './guard.ts';
import { isAdversarial, keepsBest, type TrainingPlan } from './plan.ts';
import type { TrainBatch } from './prepared-step.ts';
import type { Saver } from './saving.ts';
import { notFinite, type Snapshot, snapshotOf, withWeights } from './snapshot.ts';
import { type EpochRecord, freshEpoch, type Progress, type Resting } from './state.ts';
import type { Validator } from './validate.ts';

/** What the loop works with. */
export interface Session {
  readonly plan: TrainingPlan;
  readonly files: TrainingFiles;
  /** How often each batch is used, and how many an epoch has, every use counted. */
  readonly replays: number;
  readonly batches: number;
  /** The ids of the images that are held out. */
  readonly heldOut: ReadonlySet<string>;
  /** Learning rate as a function of progress, 0 to 1. */
  readonly rate: (progress: number) => number;
  readonly step: TrainBatch;
  readonly validator: Validator;
  readonly guard: Guard | undefined;
  readonly resting: Resting;
  readonly saver: Saver;
  readonly signal: AbortSignal | undefined;
  readonly tell: (event: TrainingEvent) => void;
}

/** Trains to the end, or until it is stopped or aborted; returns how far it came, which is saved. */
export async function runEpochs(session: Session, start: Progress): Promise<Progress> {
  const { plan, files, saver, signal, tell } = session;
  let progress = start;
  while (progress.batch > 0 || !isOver(plan, progress)) {
    if (progress.stopped === undefined) progress = await runBatches(session, progress);
    if (signal?.aborted) {
      await saver.save(progress);
      return progress;
    }
    requireProgress(session, progress);
    progress = await closeEpoch(session, progress);
    // The log before the state: what an accident takes between them is an epoch that is done again, and no line of the log.
    await writeLog(files, plan, progress);
    await saver.save(progress);
    const record = progress.history.at(-1);
    if (record !== undefined) tell({ kind: 'epoch', record });
    const { stopped } = progress;
    if (stopped !== undefined) tell({ kind: 'stopped', stopped, kept: keptOf(plan, progress) });
  }
  return progress;
}

/** Whether nothing is left to be trained. */
export const isOver = ({ epochs }: TrainingPlan, { epoch, batch, stopped }: Progress): boolean =>
  batch === 0 && (epoch === epochs || stopped !== undefined);

/** Writes a JSON line per epoch; the last one says why it is the last, where it was not meant to be. */
async function writeLog({ log }: TrainingFiles, plan: TrainingPlan, progress: Progress): Promise<void> {
  const { history, stopped } = progress;
  const end = stopped === undefined ? {} : { stopped, kept: keptOf(plan, progress) };
  const lines = history.map((record, i) => (i === history.length - 1 ? { ...record, ...end } : record));
  await writeAtomically(log, (file) => file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
}

/** The rest of the epoch's batches, or as many as are done when it is aborted or stopped. */
async function runBatches(session: Session, start: Progress): Promise<Progress> {
  const { plan, replays, batches, heldOut, step, guard, saver, signal, tell } = session;
  const { batch: size, seed } = plan;
  const { weights } = session.resting;
  const before = performance.now();
  let progress = start;
  const options = { heldOut, size, seed, epoch: start.epoch, from: start.batch, replays };
  for await (const batch of epochBatches(plan.dataset, options)) {
    const { epoch, updates } = progress;
    const rate = rateAt(session, epoch, batch.index);
    const { loss, correct, isSound } = await step(batch, { epoch, updates, rate });
    if (!(Number.isFinite(loss) && isSound)) {
      const weight = Number.isFinite(loss) ? notFinite(await snapshotOf(weights)) : undefined;
      const where = { epoch: progress.epoch + 1, batch, batches };
      const numbers = { loss, rate, peakRate: plan.rate, weight };
      throw await failed(session.files, { ...where, ...numbers, saved: saver.saved });
    }
    progress = {
      ...progress,
      batch: batch.index + 1,
      lossSum: progress.lossSum + loss,
      correct: progress.correct + correct,
      updates: updates + 1,
    };
    const accuracy = progress.correct / (progress.batch * size);
    tell({ kind: 'batch', epoch: progress.epoch + 1, batch: progress.batch, loss, accuracy, rate });
    if (guard?.isDue(progress.batch)) progress = await watch(session, guard, progress);
    progress = { ...progress, seconds: start.seconds + (performance.now() - before) / 1000 };
    // Native calls and their promises never reach the event loop, where Ctrl-C is waiting to be heard.
    await setImmediate();
    if (signal?.aborted || progress.stopped !== undefined || progress.batch === batches) break;
    await saver.saveIfDue(progress);
  }
  return progress;
}

/** What would be saved of the network as it is now. */
const shown = ({ weights, average = weights }: Resting): Promise<Snapshot> => snapshotOf(average);

/** A look of the guard at the weights themselves: they collapse long before their average. */
async function watch(session: Session, guard: Guard, progress: Progress): Promise<Progress> {
  const { plan, batches, resting, tell } = session;
  const { batch } = progress;
  const epoch = progress.epoch + 1;
  const seen: GuardCheck = { batch, ...(await guard.look()) };
  const checks = [...progress.checks, seen];
  const all = [...progress.history.flatMap((record) => record.checks ?? []), ...checks];
  if (isSafest(all)) resting.copies.safest = await shown(resting);
  tell({ kind: 'check', epoch, check: seen });
  const found = collapse(all, guard.images, epoch === plan.epochs && batch === batches);
  return { ...progress, checks, ...(found === undefined ? {} : { stopped: { ...found, epoch, batch } }) };
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

/** Validates what would be saved, and looks whether it is the best so far, or the time to stop. */
async function closeEpoch(session: Session, progress: Progress): Promise<Progress> {
  const { plan, validator, guard, resting } = session;
  const { weights, average, copies } = resting;
  const { batch: batches, checks, history } = progress;
  const before = performance.now();
  const averaged = average && (await snapshotOf(average));
  const validation =
    averaged === undefined ? await validator.run() : await withWeights(weights, averaged, () => validator.run());
  const record: EpochRecord = {
    epoch: progress.epoch + 1,
    batches,
    loss: progress.lossSum / batches,
    accuracy: progress.correct / (batches * plan.batch),
    validation,
    rate: rateAt(session, progress.epoch, batches - 1),
    ...(guard === undefined ? {} : { checks }),
    seconds: progress.seconds + (performance.now() - before) / 1000,
  };
  const best = bestOf([...history, record], isAdversarial(plan));
  const isBest = best === record && progress.stopped === undefined;
  if (isBest && keepsBest(plan)) copies.best = averaged ?? (await snapshotOf(weights));
  const told = validation === null ? record : { ...record, best: isBest };
  const closed = { ...progress, ...freshEpoch, epoch: progress.epoch + 1, history: [...history, told] };
  const isImpatient = plan.patience !== null && best !== undefined && record.epoch - best.epoch >= plan.patience;
  if (!isImpatient || progress.stopped !== undefined || record.epoch === plan.epochs) return closed;
  const accuracies = { from: merit(best, isAdversarial(plan)), to: merit(record, isAdversarial(plan)) };
  return { ...closed, stopped: { why: 'patience', epoch: record.epoch, batch: batches, ...accuracies } };
}

/** The learning rate of a batch: the schedule in the middle of the batch, so that neither end is spent on a rate of 0. */
const rateAt = ({ plan, batches, rate }: Session, epoch: number, batch: number): number =>
  rate((epoch * batches + batch + 0.5) / (plan.epochs * batches));

/** Which state of the network is saved in the end: that of the copy, or where it is the last, the network as it is. */
export function keptOf(plan: TrainingPlan, { history, stopped }: Progress): Kept {
  const at = ({ epoch, batches }: Pick<EpochRecord, 'epoch' | 'batches'>) => ({ epoch, batch: batches });
  const last = history.at(-1);
  if (last === undefined) throw new Error('nothing was trained');
  if (stopped !== undefined && stopped.why !== 'patience') {
    const checks = history.flatMap(({ epoch, checks = [] }) => checks.map((check) => ({ epoch, ...check })));
    const safest = checks.findLast((_, i) => isSafest(checks.slice(0, i + 1)));
    if (safest !== undefined) return { why: 'rolled back', epoch: safest.epoch, batch: safest.batch };
  }
  const best = keepsBest(plan) ? bestOf(history, isAdversarial(plan)) : undefined;
  return best === undefined ? { why: 'last', ...at(last) } : { why: 'best', ...at(best) };
}
