/** The attack of several steps that makes the images of a training: its parameters, and how it is asked for. */
import type { PerturbRequest } from './defense.ts';
import { type Param, p } from './params.ts';

export interface InnerAttack {
  readonly attack: string;
  readonly steps: number;
  readonly step: number | null;
}

/**
 * The parameters of a defense that employs one.
 *
 * @param usual - how many steps it takes, and how long they are all together, in radii
 */
export const innerAttack = ({ steps, walk }: { readonly steps: number; readonly walk: number }) =>
  ({
    attack: p.text('pgd', 'inner attack, one that has `steps`'),
    steps: p.integer(steps, 'inner gradient steps', { min: 1 }),
    step: p.optionalNumber(
      `inner step size in pixel units; auto: ${walk}·ε/steps, or the attack's own where it has no \`step\``,
      { min: 0 },
    ),
  }) satisfies Readonly<Record<keyof InnerAttack, Param<unknown>>>;

/**
 * What to ask of `perturb`.
 *
 * @param walk - how long all steps are together, in pixel units, where no step is given
 */
export const requestOf = ({ attack, steps, step }: InnerAttack, walk: number): PerturbRequest =>
  step === null ? { attack, params: { steps }, usual: { step: walk / steps } } : { attack, params: { steps, step } };
