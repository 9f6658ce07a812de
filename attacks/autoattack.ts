/**
 * AutoAttack, the standard version: Auto-PGD on cross-entropy, Auto-PGD on the targeted DLR loss at nine classes, FAB at nine
 * classes, and Square with 5,000 queries, each on the images that those before it have left standing. Their parameters are
 * fixed: a number made with others is no AutoAttack number, so there are none to choose.
 *
 * In L1 Auto-PGD has five random starts on cross-entropy, and is aimed at five classes.
 *
 * Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, section 4; in L1 "Mind the Box", ICML 2021, section 5, with the numbers of the authors' program.
 */
import { defineEnsemble } from '../src/core/attack.ts';

export default defineEnsemble({
  name: 'autoattack',
  title: 'AutoAttack',
  paper: 'https://arxiv.org/abs/2003.01690',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  params: {},
  stages: (_, norm) => [
    { attack: 'apgd', params: { steps: 100, loss: 'cross-entropy' }, ...(norm === 'L1' ? { restarts: 5 } : {}) },
    { attack: 'apgd-t', params: { steps: 100, targets: norm === 'L1' ? 5 : 9 } },
    { attack: 'fab-t', params: { steps: 100, targets: 9 } },
    { attack: 'square', params: { queries: 5000 } },
  ],
});
