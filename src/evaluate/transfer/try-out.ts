/**
 * Adversarial images made against one network and shown to others. Here attacks take all their steps, for an image that fools
 * its network by a hair fools no other.
 */
import { blame } from '../../core/blame.ts';
import type { SelectedImage } from '../images.ts';
import type { Job } from '../job.ts';
import type { TransferRow } from '../journal/record.ts';
import {
  attackedOf,
  contenderName,
  isStandIn,
  type PlannedAttack,
  type PlannedStage,
  restartsOf,
  stageName,
  stagesOf,
} from '../plan.ts';
import { type Judge, prepareAttack } from '../pool/engine.ts';
import type { Assignment } from '../pool/lanes.ts';
import { type Outcome, runPool } from '../pool/pool.ts';
import { argMax, judgeAll, refusal } from '../pool/verify.ts';
import { rehearse } from '../rehearse/rehearse.ts';
import type { Known, Trials } from './transfer-matrix.ts';

/** One attack on one network, and who looks at what it makes. */
export interface Trial extends Job {
  /** What the trial is for: its records are called after it. */
  readonly kind: 'transfer' | 'naive';
  /** In pixel units: at each, the attack begins anew. */
  readonly epsilons: readonly number[];
  readonly planned: PlannedAttack;
  readonly source: Known;
  /** The source's judge. */
  readonly own: Judge;
  /** Of all networks that look, in order. */
  readonly judges: readonly Judge[];
}

/** What is tried at one radius. */
interface AtRadius {
  readonly epsilon: number;
  readonly trials: Map<number, TransferRow[1]>;
  /** Images that no stage so far is done with. */
  left: readonly number[];
}

/**
 * Every image that the source knows, made adversarial against it and shown to all networks: for each radius, in their order.
 * Finished work is taken from the journal. Each stage is compiled once for all radii.
 *
 * @throws Interrupted if the run is aborted; the journal then holds what was tried
 */
export async function tryOut(trial: Trial): Promise<Trials[]> {
  const { planned, source, epsilons } = trial;
  const radii = epsilons.map((epsilon): AtRadius => {
    const trials = new Map(triedBefore(trial, epsilon));
    return { epsilon, trials, left: source.attacked.filter((image) => !trials.has(image)) };
  });
  const stages = stagesOf(planned);
  for (const [place, stage] of stages.entries()) {
    const due = radii.filter(({ left }) => left.length > 0);
    if (due.length === 0) break;
    const isLast = place === stages.length - 1;
    await withAttack(trial, stage, async (attack) => {
      for (const radius of due) {
        const standing: number[] = [];
        const record = recorder(trial, radius);
        await attack(radius.epsilon, new Set(radius.left), async (made) => {
          // A later stage goes on with what withstands this one.
          standing.push(...made.filter(({ outcome }) => outcome.robust && !isLast).map(({ image }) => image.index));
          await record(made.filter(({ outcome }) => !outcome.robust || isLast));
        });
        radius.left = standing;
      }
    });
  }
  return radii.map(({ trials }) => trials);
}

/** What earlier attempts of the run have tried. */
function triedBefore({ kind, journal, planned, source, stopwatch }: Trial, epsilon: number): readonly TransferRow[] {
  return journal.records.flatMap((record) => {
    if (record.kind !== kind || record.contender !== contenderName(source.contender)) return [];
    if (record.attack !== planned.attack.name) return [];
    // A transfer has one radius.
    if (record.kind === 'naive' && record.epsilon !== epsilon) return [];
    stopwatch.add(kind, record.seconds);
    return record.rows;
  });
}

interface Made {
  readonly image: SelectedImage;
  readonly outcome: Outcome;
}

/** Shows candidates to all networks, and writes down what they see. The clock runs from record to record. */
function recorder(trial: Trial, { epsilon, trials }: AtRadius): (made: readonly Made[]) => Promise<void> {
  const { kind, plan, source, planned, judges, journal, stopwatch, harness } = trial;
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
    stopwatch.add(kind, seconds);
    await journal.append(
      kind === 'naive' ? { kind, ...names, epsilon, rows, seconds } : { kind, ...names, rows, seconds },
    );
    harness.onProgress?.({ phase: kind, ...names, done: trials.size, total: source.attacked.length });
  };
}

const classOf = (logits: Float32Array): number | null => (logits.some(Number.isNaN) ? null : argMax(logits));

/** Runs an attack, or a stage of one, on some of the images at a radius. */
type Attack = (
  epsilon: number,
  left: ReadonlySet<number>,
  onMade: (made: readonly Made[]) => Promise<void>,
) => Promise<void>;

/** Compiles it, for as long as it is used. */
async function withAttack(trial: Trial, stage: PlannedStage, use: (attack: Attack) => Promise<void>): Promise<void> {
  const { plan, harness, planned, source, own, stopwatch, fits } = trial;
  const { norm, goal, seed, batch } = plan;
  const classifier = attackedOf(source.contender);
  const targeted = goal.kind === 'targeted';
  const rehearsal = await blame(stage, 'cannot be rehearsed', () =>
    rehearse({ attack: stage.attack, params: stage.params, classifier, norm, targeted }),
  );
  const engine = await stopwatch.time('prepare', () =>
    blame(stage, 'cannot be compiled', () =>
      prepareAttack(harness.prepare, { ...stage, classifier, norm, targeted, batch, rehearsal }),
    ),
  );
  const attack: Attack = async (epsilon, left, onMade) => {
    const fitted = await fits.fitted({
      ...{ contender: source.contender, attack: planned.attack.name, epsilons: [epsilon] },
      stageName: stageName(planned, stage),
      ...{ stage, judge: own, engine, rehearsal },
    });
    // As many as the slots and the candidates that wait for their verification.
    const held = new Map<number, SelectedImage>();
    await runPool({
      isStandIn: isStandIn(source.contender),
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
  };
  try {
    await use(attack);
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
