/**
 * Transfer: adversarial images made against each network of a run, tried on all the others.
 *
 * Papernot, McDaniel, Goodfellow, "Transferability in Machine Learning: from Phenomena to Black-Box Attacks using
 * Adversarial Samples", 2016. It is a pass of its own, after all cells are measured, for two reasons: here attacks take all
 * their steps, for an image that fools its network by a hair fools no other; and what the cells say does not depend on it.
 */
import { usageError } from '../core/errors.ts';
import type { Transfer } from '../core/run.ts';
import { isRadius, RADIUS } from '../core/threat-model.ts';
import { blame } from './blame.ts';
import { type Judge, prepareAttack, prepareJudge } from './engine.ts';
import type { SelectedImage } from './images.ts';
import type { Job } from './job.ts';
import type { TransferRow } from './journal.ts';
import type { Assignment } from './lanes.ts';
import {
  contenderName,
  type ExperimentPlan,
  type PlannedAttack,
  type PlannedStage,
  restartsOf,
  stageName,
  stagesOf,
} from './plan.ts';
import { type Outcome, runPool } from './pool.ts';
import { rehearse } from './rehearse.ts';
import { type Known, type Trials, transfersOf } from './transfer-matrix.ts';
import { argMax, judgeAll, refusal } from './verify.ts';

/** What is tried, in words. */
export const TRANSFER_RULE =
  'for each attack and pair of networks, the images that both classify correctly without attack (and, where no labels are ' +
  'known, alike); at one radius the attack takes all its steps against the source, and what is tried on the target is where ' +
  'it ended if that fools the source, else the surest image on its way that did, else where its last try ended; the clean ' +
  'image stands for one that is outside the ball or the box';

export interface TransferJob extends Job {
  /** In pixel units. */
  readonly epsilon: number;
  /** Every contender, in the order of the plan. */
  readonly networks: readonly Known[];
}

/** The attacks that look at a network: what aims at none carries over from none. */
const aimedAttacks = ({ attacks }: ExperimentPlan): readonly PlannedAttack[] =>
  attacks.filter(({ attack }) => attack.access !== 'none');

/**
 * Refuses a transfer that cannot be measured.
 *
 * @throws UserError (usage)
 */
export function requireTransfer(plan: ExperimentPlan): void {
  const { transferEpsilon: epsilon, contenders, norm } = plan;
  if (epsilon === undefined) return;
  if (!isRadius(norm, epsilon)) throw usageError(`the transfer's epsilon ${epsilon}: ${RADIUS}`);
  if (contenders.length < 2) {
    throw usageError('a transfer needs two networks: one that images are made against, one that they are tried on');
  }
  if (aimedAttacks(plan).length === 0) {
    const names = plan.attacks.map(({ attack }) => attack.name).join(', ');
    throw usageError(`a transfer needs an attack that looks at a network; ${names} aims at none`);
  }
}

/**
 * Makes the images and tries them. Finished work is taken from the journal.
 *
 * @throws Interrupted if the run is aborted; the journal then holds what was tried
 */
export async function measureTransfer(job: TransferJob): Promise<Transfer[]> {
  const { plan, harness, networks, epsilon, stopwatch } = job;
  const judges: Judge[] = [];
  try {
    for (const { contender } of networks) {
      const judge = await stopwatch.time('prepare', () =>
        prepareJudge(harness.prepare, contender.classifier, plan.batch),
      );
      judges.push(judge);
    }
    const found: Transfer[] = [];
    for (const planned of aimedAttacks(plan)) {
      const trials: Trials[] = [];
      for (const [place, source] of networks.entries()) {
        trials.push(await tryOut({ ...job, judges, planned, source, own: judges[place] as Judge }));
      }
      found.push(...transfersOf({ ...plan, attack: planned.attack.name, epsilon, networks, trials }));
    }
    return found;
  } finally {
    for (const judge of judges) await judge.release();
  }
}

/** One attack on one network, and who looks at what it makes. */
interface Trial extends TransferJob {
  readonly planned: PlannedAttack;
  readonly source: Known;
  /** The source's judge. */
  readonly own: Judge;
  /** Of all networks, in order. */
  readonly judges: readonly Judge[];
}

/** Every image that the source knows, made adversarial against it and shown to all networks. */
async function tryOut(trial: Trial): Promise<Trials> {
  const { planned, source } = trial;
  const trials = new Map(triedBefore(trial));
  const stages = stagesOf(planned);
  let left: readonly number[] = source.attacked.filter((image) => !trials.has(image));
  for (const [place, stage] of stages.entries()) {
    if (left.length === 0) break;
    const isLast = place === stages.length - 1;
    const standing: number[] = [];
    const record = recorder(trial, trials);
    await attack(trial, stage, new Set(left), async (made) => {
      // A later stage goes on with what withstands this one.
      standing.push(...made.filter(({ outcome }) => outcome.robust && !isLast).map(({ image }) => image.index));
      await record(made.filter(({ outcome }) => !outcome.robust || isLast));
    });
    left = standing;
  }
  return trials;
}

/** What earlier attempts of the run have tried. */
function triedBefore({ journal, planned, source, stopwatch }: Trial): readonly TransferRow[] {
  return journal.records.flatMap((record) => {
    if (record.kind !== 'transfer' || record.contender !== contenderName(source.contender)) return [];
    if (record.attack !== planned.attack.name) return [];
    stopwatch.add('transfer', record.seconds);
    return record.rows;
  });
}

interface Made {
  readonly image: SelectedImage;
  readonly outcome: Outcome;
}

/** Shows candidates to all networks, and writes down what they see. The clock runs from record to record. */
function recorder(trial: Trial, trials: Map<number, TransferRow[1]>): (made: readonly Made[]) => Promise<void> {
  const { plan, epsilon, source, planned, judges, journal, stopwatch, harness } = trial;
  const names = { contender: contenderName(source.contender), attack: planned.attack.name };
  let began = performance.now();
  return async (made) => {
    if (made.length === 0) return;
    const allowed = { norm: plan.norm, epsilon, input: source.contender.classifier.input };
    const candidates = made.map(({ image: { pixels }, outcome }) =>
      refusal(outcome.made, pixels, allowed) === undefined ? outcome.made.x : pixels,
    );
    const seen: (number | null)[][] = [];
    for (const judge of judges) seen.push((await judgeAll(judge, candidates)).map(classOf));
    const rows = made.map(({ image }, i): TransferRow => [image.index, seen.map((of) => of[i] ?? null)]);
    for (const [image, predicted] of rows) trials.set(image, predicted);
    const now = performance.now();
    const seconds = (now - began) / 1000;
    began = now;
    stopwatch.add('transfer', seconds);
    await journal.append({ kind: 'transfer', ...names, rows, seconds });
    harness.onProgress?.({ phase: 'transfer', ...names, done: trials.size, total: source.attacked.length });
  };
}

const classOf = (logits: Float32Array): number | null => (logits.some(Number.isNaN) ? null : argMax(logits));

/** Runs an attack, or a stage of one, on some of the images at the one radius. */
async function attack(
  trial: Trial,
  stage: PlannedStage,
  left: ReadonlySet<number>,
  onMade: (made: readonly Made[]) => Promise<void>,
): Promise<void> {
  const { plan, harness, planned, source, own, epsilon, stopwatch, fits } = trial;
  const { norm, goal, seed, batch } = plan;
  const { classifier } = source.contender;
  const targeted = goal.kind === 'targeted';
  const rehearsal = await blame(stage, 'cannot be rehearsed', () =>
    rehearse({ attack: stage.attack, params: stage.params, classifier, norm, targeted }),
  );
  const engine = await stopwatch.time('prepare', () =>
    blame(stage, 'cannot be compiled', () =>
      prepareAttack(harness.prepare, { ...stage, classifier, norm, targeted, batch, rehearsal }),
    ),
  );
  // As many as the slots and the candidates that wait for their verification.
  const held = new Map<number, SelectedImage>();
  try {
    const fitted = await fits.fitted({
      ...{ contender: source.contender, attack: planned.attack.name, epsilons: [epsilon] },
      stageName: stageName(planned, stage),
      ...{ stage, judge: own, engine, rehearsal },
    });
    await runPool({
      ...{ engine, rehearsal, judge: own, norm, goal, seed, fitted, signal: harness.signal },
      ...{ epsilons: [epsilon], earlyStop: false, restarts: restartsOf(plan, stage) },
      input: classifier.input,
      work: assignments(trial, left, held),
      onSettled: async (outcomes) => {
        const made = outcomes.flatMap((outcome): Made[] => {
          const image = held.get(outcome.image);
          return image === undefined ? [] : [{ image, outcome }];
        });
        for (const { image } of made) held.delete(image.index);
        await onMade(made);
      },
    });
  } finally {
    await engine.release();
  }
}

/** The images that are left, as they come, each held until it is settled; what follows the last of them is not read. */
async function* assignments(
  { selection, source }: Trial,
  left: ReadonlySet<number>,
  held: Map<number, SelectedImage>,
): AsyncGenerator<Assignment> {
  let given = 0;
  for await (const streamed of selection.stream()) {
    if (!left.has(streamed.index)) continue;
    const image = { ...streamed, label: source.labels[streamed.index] as number };
    held.set(image.index, image);
    yield { image, radii: [0] };
    given += 1;
    if (given === left.size) return;
  }
}
