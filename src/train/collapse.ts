/**
 * Catastrophic overfitting: within a few batches the network learns to spoil the one step that it is attacked by, and several
 * steps find all its images again. Its own training does not show it: there accuracy is high.
 *
 * Wong, Rice, Kolter, "Fast is better than free: Revisiting adversarial training", ICLR 2020, section 5, where a fall of 20
 * points under PGD with 5 steps on a batch stops the training. A network that collapses before it was ever robust has nothing
 * to fall from; it is told by the gap between one step and several (Andriushchenko, Flammarion, "Understanding and Improving
 * Fast Adversarial Training", NeurIPS 2020, section 3).
 */
import type { GuardCheck, Stopped } from '../core/training-record.ts';

/** How far robust accuracy may fall below the best that was seen. */
const FALL = 0.2;
/** Of the images that withstand one step, when they are at least so many, at least this share must withstand several. */
const ONE_STEP = 0.5;
const LEAST_SHARE = 0.1;

/** What is no more than chance on so few images: two standard deviations of a difference of two shares about a half. */
const chance = (images: number): number => Math.sqrt(2 / images);

type Seen = Pick<GuardCheck, 'oneStep' | 'manySteps'>;
/** What is wrong, and between which two accuracies. */
export type Collapse = Pick<Stopped, 'why' | 'from' | 'to'>;

/**
 * What the last of several checks says, if anything is wrong.
 *
 * @param images - how many the guard looks at: of few, one more may be chance
 */
export function alarm(checks: readonly Seen[], images: number): Collapse | undefined {
  const last = checks.at(-1);
  if (last === undefined) return undefined;
  const { oneStep, manySteps } = last;
  const best = Math.max(...checks.map((check) => check.manySteps));
  if (best - manySteps > Math.max(FALL, chance(images))) return { why: 'fall', from: best, to: manySteps };
  if (oneStep >= Math.max(ONE_STEP, chance(images)) && manySteps < LEAST_SHARE * oneStep) {
    return { why: 'gap', from: oneStep, to: manySteps };
  }
  return undefined;
}

/**
 * Whether the network has collapsed: what is wrong at the last check was so at the one before it, since networks on their way
 * up stumble and recover; of the last check of a training there is none after it to wait for. A VGG-16 of 1/8 width that
 * learns digits at ε = 0.3 from single steps, for instance, stands at 84 % under one step and 20 % under several in its second
 * epoch, and at 88 and 58 % a quarter of an epoch later.
 */
export function collapse(checks: readonly Seen[], images: number, isLast: boolean): Collapse | undefined {
  const found = alarm(checks, images);
  return isLast || alarm(checks.slice(0, -1), images) !== undefined ? found : undefined;
}

/** Whether no check before the last one saw the network as robust. */
export const isSafest = (checks: readonly Seen[]): boolean =>
  checks.slice(0, -1).every(({ manySteps }) => manySteps < (checks.at(-1)?.manySteps ?? 0));
