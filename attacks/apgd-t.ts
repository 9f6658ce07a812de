/**
 * Auto-PGD aimed at one wrong class after the other, the likeliest first, on the targeted DLR loss: with many classes the
 * untargeted walk follows but one of them.
 *
 * Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, sections 3 and 4, equation 7.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';
import apgd from './apgd.ts';

const { loss: _, ...params } = apgd.params;

export default defineAttack({
  ...apgd,
  name: 'apgd-t',
  title: 'Auto-PGD, targeted',
  params: { ...params, targets: p.integer(9, 'classes aimed at, one after the other', { min: 1 }) },
  targets: ({ targets }) => targets,
  step: (state, context) => apgd.step(state, { ...context, params: { ...context.params, loss: 'dlr' } }),
});
