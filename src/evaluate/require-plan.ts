/** Which experiments are refused before any work. */
import { requireNorm } from '../core/attack.ts';
import { usageError } from '../core/errors.ts';
import { isRadius, RADIUS } from '../core/threat-model.ts';
import { contenderName, type ExperimentPlan } from './plan.ts';
import { requireUndefended } from './transfer/naive.ts';
import { requireTransfer } from './transfer/transfer.ts';

/**
 * Refuses a plan that cannot be carried out, or whose run would be meaningless.
 *
 * @throws UserError (usage) naming what is wrong
 */
export function requirePlan(plan: ExperimentPlan): void {
  const { attacks, contenders, epsilons, norm, goal, restarts, batch, galleryEpsilon } = plan;
  const nothing = [
    ['attack', attacks],
    ['network', contenders],
    ['epsilon', epsilons],
  ] as const;
  for (const [what, list] of nothing)
    if (list.length === 0) throw usageError(`no ${what} was given: give at least one`);
  for (const { attack } of attacks) requireNorm(attack, norm);
  requireDistinct(
    'attack',
    attacks.map(({ attack }) => attack.name),
  );
  requireDistinct('network', contenders.map(contenderName));
  requireDistinct('epsilon', epsilons.map(String));
  for (const epsilon of epsilons) {
    if (!isRadius(norm, epsilon)) throw usageError(`epsilon ${epsilon}: ${RADIUS}`);
  }
  for (const [name, value] of Object.entries({ restarts, batch })) {
    if (!(Number.isSafeInteger(value) && value > 0))
      throw usageError(`${name} is ${value}; give a whole number above 0`);
  }
  if (galleryEpsilon !== undefined && !epsilons.includes(galleryEpsilon)) {
    throw usageError(`the gallery's epsilon ${galleryEpsilon} is none of ${epsilons.join(', ')}`);
  }
  requireTransfer(plan);
  requireUndefended(plan);
  for (const { name, planned } of plan.sanity?.probes ?? []) {
    if (planned.attack.fit !== undefined)
      throw usageError(`the probe "${name}": ${planned.attack.name} is fitted first; take another attack`);
  }
  for (const contender of contenders) {
    if (goal.kind !== 'targeted' || goal.target < contender.classifier.classes) continue;
    throw usageError(
      `target ${goal.target}: ${contenderName(contender)} has ${contender.classifier.classes} classes, from 0`,
    );
  }
}

/** @throws UserError (usage) naming what stands twice */
export function requireDistinct(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw usageError(`${what} ${twice} is given twice; give each once`);
}
