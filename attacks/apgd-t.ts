/**
 * Auto-PGD aimed at one wrong class after the other, the likeliest first, on the targeted DLR loss: with many classes the
 * untargeted walk follows but one of them.
 *
 * Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, sections 3 and 4, equation 7.
 */
import { type AttackContext, defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';
import apgd from './apgd.ts';

const { loss: _, ...params } = apgd.params;

type Rest = AttackContext<typeof params>;

/** The same with the loss that is fixed here. */
const onDlr = (context: Rest): AttackContext<typeof apgd.params> => ({
  ...context,
  params: { ...context.params, loss: 'dlr' },
});

export default defineAttack({
  name: 'apgd-t',
  title: 'Auto-PGD, targeted',
  paper: apgd.paper,
  norms: apgd.norms,
  access: apgd.access,
  params: { ...params, targets: p.integer(9, 'classes aimed at, one after the other', { min: 1 }) },
  targets: ({ targets }) => targets,
  steps: ({ steps }) => steps,
  init: (x, context) => apgd.init(x, onDlr(context)),
  step: (state, context) => apgd.step(state, onDlr(context)),
});
