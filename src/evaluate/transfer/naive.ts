/**
 * Naive against adaptive: what a defense seems to be worth to an adversary who does not know of it, and what it is worth to one
 * who does.
 *
 * The naive adversary makes images against the undefended network, with all of an attack's steps; they are tried on the same
 * network behind each of its defenses. What the adaptive one does, who looks at the defended network itself, the cells say.
 *
 * Athalye, Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018; Tramèr, Carlini, Brendel, Madry,
 * "On Adaptive Attacks to Adversarial Example Defenses", NeurIPS 2020.
 */
import { usageError } from '../../core/errors.ts';
import type { Cell, DefendedCell } from '../../core/run.ts';
import { wilson95 } from '../../core/statistics.ts';
import type { Goal } from '../../core/threat-model.ts';
import type { Job } from '../job.ts';
import { type Contender, contenderName, type ExperimentPlan, undefendedOf } from '../plan.ts';
import { type Judge, prepareJudge } from '../pool/engine.ts';
import { reaches } from '../pool/verify.ts';
import { aimedAttacks } from './transfer.ts';
import type { Known, Trials } from './transfer-matrix.ts';
import { tryOut } from './try-out.ts';

/** What is compared, in words. */
export const NAIVE_RULE =
  'naive: at each radius the attack takes all its steps against the network without the defense, and the defended network is ' +
  'shown where it ended if that fools the undefended one, else the surest image on its way that did, else where its last try ' +
  'ended; an image that the undefended network misclassifies is shown as it is. Adaptive: the attack looks at the defended ' +
  'network, as the cells say. Both count images that the defended network classifies correctly without attack and under it';

/**
 * Refuses defended networks that there is nothing to compare with.
 *
 * @throws UserError (usage)
 */
export function requireUndefended({ contenders }: ExperimentPlan): void {
  for (const contender of contenders) {
    if (contender.defended === undefined || undefendedOf(contender, contenders) !== undefined) continue;
    const { architecture, defended } = contender;
    throw usageError(
      `${contenderName(contender)} is defended, and ${architecture.name}/${defended.undefended}, the same network without ` +
        'its defense, is not in the run: add it',
    );
  }
}

export interface NaiveJob extends Job {
  /** Every contender, in the order of the plan. */
  readonly networks: readonly Known[];
  /** What the adaptive adversary did. */
  readonly cells: readonly Cell[];
}

/**
 * Makes the images and tries them; nothing where no contender is defended. Finished work is taken from the journal.
 *
 * @throws Interrupted if the run is aborted; the journal then holds what was tried
 */
export async function measureNaive(job: NaiveJob): Promise<DefendedCell[]> {
  const { plan, networks } = job;
  const found: DefendedCell[] = [];
  for (const source of networks) {
    const behind = networks.filter(
      ({ contender }) =>
        undefendedOf(contender, plan.contenders) === source.contender && contender.defended !== undefined,
    );
    if (behind.length > 0) found.push(...(await compare(job, source, behind)));
  }
  return found;
}

/** One network, and the same behind its defenses. */
async function compare(job: NaiveJob, source: Known, behind: readonly Known[]): Promise<DefendedCell[]> {
  const { plan, harness, stopwatch, cells } = job;
  const judges: Judge[] = [];
  try {
    for (const { contender } of [source, ...behind]) {
      judges.push(
        await stopwatch.time('prepare', () => prepareJudge(harness.prepare, contender.classifier, plan.batch)),
      );
    }
    const trials = new Map<string, Trials>();
    for (const planned of aimedAttacks(plan)) {
      const { epsilons } = plan;
      const tried = await tryOut({ ...job, kind: 'naive', epsilons, planned, source, judges, own: judges[0] as Judge });
      for (const [i, seen] of tried.entries()) trials.set(keyOf(planned.attack.name, epsilons[i] as number), seen);
    }
    return behind.flatMap((known, i) =>
      cells
        .filter((cell) => isOf(known.contender, cell) && trials.has(keyOf(cell.attack, cell.epsilon)))
        .map((cell) => {
          const seen = trials.get(keyOf(cell.attack, cell.epsilon)) ?? new Map();
          return defendedCell(cell, known, withstood(plan.goal, known, seen, i + 1));
        }),
    );
  } finally {
    for (const judge of judges) await judge.release();
  }
}

const keyOf = (attack: string, epsilon: number): string => JSON.stringify([attack, epsilon]);

const isOf = ({ architecture, training }: Contender, cell: Cell): boolean =>
  cell.arch === architecture.name && cell.training === training;

/** How many images a defended network classifies correctly as they are and as the naive adversary made them. */
function withstood(goal: Goal, { labels, attacked }: Known, trials: Trials, place: number): number {
  return attacked.filter((image) => {
    const predicted = trials.get(image)?.[place] ?? null;
    return predicted === null || !reaches(goal, labels[image] as number, predicted);
  }).length;
}

function defendedCell(cell: Cell, { contender }: Known, naiveCorrect: number): DefendedCell {
  const { arch, training, attack, norm, epsilon, images, cleanCorrect, robustCorrect } = cell;
  return {
    ...{ arch, training, undefended: contender.defended?.undefended ?? '' },
    ...{ defense: contender.defended?.defense.name ?? '', attack, norm, epsilon, images, cleanCorrect, naiveCorrect },
    adaptiveCorrect: robustCorrect,
    naiveAccuracy: naiveCorrect / images,
    adaptiveAccuracy: cell.robustAccuracy,
    naiveWilson95: wilson95(naiveCorrect, images),
    adaptiveWilson95: cell.wilson95,
  };
}
