/**
 * The sanity panel: signs that an evaluation is broken, computed from what it measured.
 *
 * Carlini, Athalye, Papernot et al., "On Evaluating Adversarial Robustness", 2019, sections 3 and 4.
 */
import type { Attack } from '../../core/attack.ts';
import type { Cell, Check, DefendedCell, Training, Transfer } from '../../core/run.ts';
import { isDefended } from '../../core/training.ts';
import { wasAdversarial } from '../../core/training-record.ts';

const CHECKLIST = 'https://arxiv.org/abs/1902.06705';

/** How far an accuracy may move the wrong way before it means something: one image in a hundred, and two in any case. */
const slack = (images: number): number => Math.max(0.01, 2 / images);

/** Share of claims that rounding at the decision boundary may leave unconfirmed. */
const UNCONFIRMED = 0.001;

/** What is known of an attack besides its cells. */
export interface AttackTraits {
  readonly name: string;
  readonly access: Attack['access'];
  readonly steps: number;
}

/** What tells against which radius a network means to be robust. */
export interface Intended {
  /** The radius that the report speaks of, in pixel units: of networks whose training is not known. */
  readonly reported?: number | undefined;
  readonly trainings?: readonly Training[];
}

/**
 * All checks; what the run has no cells for is `not-run`.
 *
 * @param defended - networks behind defenses; of none there is nothing to check
 */
export function sanityChecks(
  cells: readonly Cell[],
  attacks: readonly AttackTraits[],
  transfer: readonly Transfer[] = [],
  intended: Intended = {},
  defended: readonly DefendedCell[] = [],
): Check[] {
  const gradient = attacks.filter(({ access }) => access === 'gradient');
  const names = (chosen: readonly AttackTraits[]): string[] => chosen.map(({ name }) => name);
  const oneStep = names(gradient.filter(({ steps }) => steps === 1));
  const iterative = names(gradient.filter(({ steps }) => steps > 1));
  const blind = names(attacks.filter(({ access }) => access === 'none'));
  return [
    zeroRadius(cells),
    fallsWithRadius(cells),
    weaker(cells, blind, names(gradient), {
      name: 'noise is weaker than gradients',
      why: 'A perturbation that nobody aims should cost less accuracy than one that follows the gradient; if it does not, the gradient is of no use to the attack.',
    }),
    weaker(cells, oneStep, iterative, {
      name: 'many steps are at least as strong as one',
      why: 'Iterated attacks contain the single step as a special case; being weaker points at a step size, a masked gradient, or an attack that blurs its gradient to fool other networks.',
    }),
    overfitting(
      cells.filter((cell) => isMeant(cell, intended)),
      oneStep,
      iterative,
    ),
    transferIsWeaker(transfer),
    ...(defended.length === 0 ? [] : [naiveIsWeaker(defended)]),
    allVerified(cells),
  ];
}

/** Something measured, on how many images, and where. */
export interface Found {
  readonly value: number;
  readonly images: number;
  readonly at: string;
}

/** Whether a network was trained to withstand what this cell did to it. */
function isMeant({ arch, training, norm, epsilon }: Cell, { reported, trainings = [] }: Intended): boolean {
  if (!isDefended(training)) return false;
  const known = trainings.find((one) => one.arch === arch && one.training === training)?.record;
  if (known === undefined) return epsilon <= (reported ?? Number.POSITIVE_INFINITY);
  // Radii are computed, so that equal ones may differ by rounding.
  return wasAdversarial(known) && norm === known.norm && epsilon <= known.epsilon + 1e-9;
}

const place = ({ arch, training, attack, epsilon }: Cell): string => `${attack} on ${arch}/${training}, ε = ${epsilon}`;

/** The first of those for which the number is largest. */
function largest<T>(found: readonly T[], of: (one: T) => number): T | undefined {
  const [first, ...others] = found;
  return first && others.reduce((a, b) => (of(b) > of(a) ? b : a), first);
}

/**
 * A check whose value must not exceed its threshold. Of all that was found it shows what exceeds it most, or comes nearest.
 *
 * @param allowed - the threshold for something measured on so many images: of few, one more may be chance
 */
export function atMost(
  allowed: (images: number) => number,
  found: readonly Found[],
  { name, why, link = CHECKLIST, otherwise }: { name: string; why: string; link?: string; otherwise: 'warn' | 'fail' },
): Check {
  const worst = largest(found, ({ value, images }) => value - allowed(images));
  const threshold = allowed(worst?.images ?? Number.POSITIVE_INFINITY);
  if (worst === undefined) return { name, verdict: 'not-run', value: null, threshold, why, link };
  const passed = worst.value <= threshold;
  const where = passed ? '' : ` Largest for ${worst.at}.`;
  return { name, verdict: passed ? 'pass' : otherwise, value: worst.value, threshold, why: why + where, link };
}

/** A threshold that is the same for any number of images. */
export const always = (threshold: number) => (): number => threshold;

function zeroRadius(cells: readonly Cell[]): Check {
  const found = cells
    .filter(({ epsilon }) => epsilon === 0)
    .map((cell) => ({
      value: Math.abs(cell.robustAccuracy - cell.cleanAccuracy),
      images: cell.images,
      at: place(cell),
    }));
  return atMost(always(0), found, {
    name: 'radius 0 changes nothing',
    why: 'The ball of radius 0 holds the clean image alone, so accuracy under attack must equal clean accuracy.',
    otherwise: 'fail',
  });
}

/** How much more accurate the first leaves its network, from the counts: both are of the same images. */
const lead = (cell: Cell, other: Cell): number => (cell.robustCorrect - other.robustCorrect) / cell.images;

const sameLine = (a: Cell, b: Cell): boolean =>
  a.arch === b.arch && a.training === b.training && a.attack === b.attack && a.norm === b.norm;

function fallsWithRadius(cells: readonly Cell[]): Check {
  const found = cells.flatMap((cell) => {
    const smaller = cells.filter((other) => sameLine(cell, other) && other.epsilon < cell.epsilon);
    return smaller.map((other) => ({ value: lead(cell, other), images: cell.images, at: place(cell) }));
  });
  return atMost(slack, found, {
    name: 'accuracy falls with the radius',
    why: 'A larger ball contains the smaller one, so accuracy may not rise with it, but for chance and for single steps that overshoot.',
    otherwise: 'warn',
  });
}

/** Whatever a contender did under one of `weak` and under one of `strong` at the same radius. */
function pairs(
  cells: readonly Cell[],
  weak: readonly string[],
  strong: readonly string[],
): readonly { readonly weak: Cell; readonly strong: Cell }[] {
  return cells
    .filter(({ attack }) => strong.includes(attack))
    .flatMap((cell) =>
      cells
        .filter((other) => weak.includes(other.attack) && sameLine({ ...cell, attack: other.attack }, other))
        .filter(({ epsilon }) => epsilon === cell.epsilon)
        .map((other) => ({ weak: other, strong: cell })),
    );
}

/** By how much any of `strong` leaves a contender more accurate than any of `weak` at the same radius. */
function weaker(
  cells: readonly Cell[],
  weak: readonly string[],
  strong: readonly string[],
  words: { name: string; why: string },
): Check {
  const found = pairs(cells, weak, strong).map((pair) => ({
    value: lead(pair.strong, pair.weak),
    images: pair.strong.images,
    at: place(pair.strong),
  }));
  return atMost(slack, found, { ...words, otherwise: 'warn' });
}

/** How much more accurate a single step may leave a trained defense than many do. */
const COLLAPSE = 0.2;

/**
 * Catastrophic overfitting: a network that is trained on single steps learns to spoil the single step, and falls to many
 * (Wong, Rice, Kolter, "Fast is better than free", ICLR 2020, section 5, where a loss of 20 points under PGD stops the
 * training; Andriushchenko, Flammarion, "Understanding and Improving Fast Adversarial Training", NeurIPS 2020).
 *
 * Plainly trained networks show the same gap, and for them it is no sign of anything: at middle radii FGSM leaves the
 * bundled ones up to 72 points more accurate than PGD. Nor is it one beyond the radius of the training, where the single
 * step overshoots: at .4 the bundled network that is trained against .3 keeps 90 % under FGSM and nothing under PGD. So
 * contenders count whose training is stated and had an adversary, at radii up to that which they were trained against, or where
 * their checkpoints do not tell, up to the one that the report speaks of. There that network's gap is 2 points.
 */
function overfitting(cells: readonly Cell[], oneStep: readonly string[], iterated: readonly string[]): Check {
  const found = pairs(cells, oneStep, iterated).map(({ weak, strong }) => ({
    value: lead(weak, strong),
    images: strong.images,
    at: `${place(strong)}, against ${weak.attack}`,
  }));
  return atMost(always(COLLAPSE), found, {
    name: 'what withstands one step withstands many',
    why: 'A defense that loses far more to many steps than to one has learned to spoil the single step (catastrophic overfitting), or, where its checkpoint does not tell, was trained for a smaller radius. Believe the attack of many steps.',
    link: 'https://arxiv.org/abs/2001.03994',
    otherwise: 'warn',
  });
}

function transferIsWeaker(transfer: readonly Transfer[]): Check {
  const named = ({ arch, training }: Transfer['source']): string => `${arch}/${training}`;
  const found = transfer
    .filter(({ source, target }) => named(source) !== named(target))
    .map(({ source, target, attack, epsilon, images, fooled, whiteBoxFooled }) => ({
      value: (fooled - whiteBoxFooled) / images,
      images,
      at: `${attack} from ${named(source)} on ${named(target)}, ε = ${epsilon}`,
    }));
  return atMost(slack, found, {
    name: 'transfer is weaker than white box',
    why: 'Images made against another network should fool fewer than those made against the network itself; if they fool more, its gradient is masked, or the attack needs more steps.',
    otherwise: 'warn',
  });
}

function naiveIsWeaker(defended: readonly DefendedCell[]): Check {
  const found = defended.map(({ adaptiveCorrect, naiveCorrect, images, ...rest }) => ({
    value: (adaptiveCorrect - naiveCorrect) / images,
    images,
    at: `${rest.attack} on ${rest.arch}/${rest.training}, ε = ${rest.epsilon}`,
  }));
  return atMost(slack, found, {
    name: 'a naive attack is weaker than an adaptive one',
    why: 'Who knows the defense can do all that who does not can do; if images made without it fool more, it masks the gradient that the attack follows: give it one (BPDA), or average over its randomness (EOT).',
    link: 'https://arxiv.org/abs/1802.00420',
    otherwise: 'warn',
  });
}

function allVerified(cells: readonly Cell[]): Check {
  const unverified = cells.reduce((sum, cell) => sum + cell.unverified, 0);
  const claimsOf = (cell: Cell): number => cell.cleanCorrect - cell.robustCorrect + cell.unverified;
  const claims = cells.reduce((sum, cell) => sum + claimsOf(cell), 0);
  const refused = (cell: Cell): string => `${cell.unverified} of ${claimsOf(cell)} candidates refused`;
  const worst = largest(cells, (cell) => cell.unverified);
  const verdict = unverified === 0 ? 'pass' : unverified <= UNCONFIRMED * claims ? 'warn' : 'fail';
  const where = unverified === 0 || worst === undefined ? '' : ` Most for ${place(worst)}: ${refused(worst)}.`;
  return {
    name: 'every claimed success is confirmed',
    verdict,
    value: unverified,
    threshold: 0,
    why: `A separate pass checks that each adversarial image is finite, in the ball, in [0,1] and misclassified; what it refuses counts as robust.${where}`,
    link: CHECKLIST,
  };
}
