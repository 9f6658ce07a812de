/** Which trainings are refused before any work. */
import { usageError } from '../core/errors.ts';
import { isRadius, NORMS, RADIUS } from '../core/threat-model.ts';
import type { TrainingPlan } from './plan.ts';

/**
 * Refuses a plan that cannot be carried out.
 *
 * @throws UserError (usage) naming what is wrong and what is accepted
 */
export function checkPlan(plan: TrainingPlan): void {
  const whole = (name: string, value: number, least: number) =>
    check(name, value, Number.isSafeInteger(value) && value >= least, `a whole number, at least ${least}`);
  const between = (name: string, value: number, low: number, high: number) =>
    check(name, value, value >= low && value <= high, `a number, ${low} to ${high}`);

  const { name: defense, adversarial, trainingLoss, wrap } = plan.defense;
  const remedy = 'name a defense that is a way of training alone';
  if (wrap !== undefined) {
    const instead = `gibbon experiment --defense ${defense} measures trained networks behind it`;
    throw usageError(`${defense} trains nothing: ${instead}; ${remedy}`);
  }
  if (trainingLoss === undefined) throw usageError(`${defense} has no training loss; ${remedy}`);
  if (adversarial === undefined) {
    throw usageError(
      `${defense} does not say whether it trains against an adversary: give it adversarial: true or false`,
    );
  }
  if (plan.dataset.labels === 'predicted') {
    throw usageError(
      `${plan.dataset.name} says nothing of its images' classes, so nothing can be learnt from it: sort them into class folders`,
    );
  }
  const { name: images, classes } = plan.dataset;
  if (classes.length < 2) {
    throw usageError(
      `${images} has ${classes.length === 0 ? 'no class' : `the class ${classes[0]} alone`}: two at least can be told apart`,
    );
  }
  check('norm', plan.norm, NORMS.includes(plan.norm), `one of ${NORMS.join(', ')}`);
  check('epsilon', plan.epsilon, isRadius(plan.norm, plan.epsilon), `a radius: ${RADIUS}`);
  whole('epochs', plan.epochs, 1);
  whole('batch', plan.batch, 2);
  check('rate', plan.rate, plan.rate > 0 && Number.isFinite(plan.rate), 'a number above 0');
  check('momentum', plan.momentum, plan.momentum >= 0 && plan.momentum < 1, 'a number, at least 0 and below 1');
  between('weight decay', plan.weightDecay, 0, 1);
  between('label smoothing', plan.labelSmoothing, 0, 1);
  const { clip } = plan;
  check('clip', clip, clip === null || (clip > 0 && Number.isFinite(clip)), 'a number above 0, or null for none');
  whole('seed', plan.seed, 0);
  whole('validation images', plan.validation.images, 0);
  if (plan.ema !== null) check('ema', plan.ema, plan.ema > 0 && plan.ema < 1, 'a number above 0 and below 1');
  if (plan.patience !== null) whole('patience', plan.patience, 1);
  if (plan.validation.images > 0) return;
  const asked = plan.keep === 'best' ? 'the best epoch is to be kept' : 'patience is given';
  if (plan.keep === 'best' || plan.patience !== null) {
    throw usageError(`${asked}, and no image is held out to tell which epoch is better: give a --validation above 0`);
  }
}

function check(name: string, value: unknown, holds: boolean, accepts: string): void {
  if (!holds) throw usageError(`the training's ${name} is ${JSON.stringify(value)}; it must be ${accepts}`);
}
