/**
 * Transfer: adversarial images made against each network of a run, tried on all the others.
 *
 * Papernot, McDaniel, Goodfellow, "Transferability in Machine Learning: from Phenomena to Black-Box Attacks using
 * Adversarial Samples", 2016. It is a pass of its own, after all cells are measured, for two reasons: here attacks take all
 * their steps, for an image that fools its network by a hair fools no other; and what the cells say does not depend on it.
 */
import { usageError } from '../../core/errors.ts';
import type { Transfer } from '../../core/run.ts';
import { isRadius, RADIUS } from '../../core/threat-model.ts';
import type { Job } from '../job.ts';
import type { ExperimentPlan, PlannedAttack } from '../plan.ts';
import { type Judge, prepareJudge } from '../pool/engine.ts';
import { type Known, type Trials, transfersOf } from './transfer-matrix.ts';
import { tryOut } from './try-out.ts';

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
export const aimedAttacks = ({ attacks }: ExperimentPlan): readonly PlannedAttack[] =>
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
        const own = judges[place] as Judge;
        trials.push(...(await tryOut({ ...job, kind: 'transfer', epsilons: [epsilon], judges, planned, source, own })));
      }
      found.push(...transfersOf({ ...plan, attack: planned.attack.name, epsilon, networks, trials }));
    }
    return found;
  } finally {
    for (const judge of judges) await judge.release();
  }
}
