/**
 * The radii measured when `--epsilon` names none: where curves of accuracy bend, each with the radius that the literature
 * compares networks at.
 *
 * Grey digits and clothes: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, figure
 * 6, up to Linf .4; Maini, Wong, Kolter, "Adversarial Robustness Against the Union of Multiple Perturbation Models", ICML
 * 2020, at Linf .3, L2 2, L1 10. In equal steps for the most part, for these networks fall slowly.
 *
 * Colour: an undefended network on ImageNet has about nothing left under PGD from 1/255 on, and a defended one is compared
 * at 4/255 or 8/255, so each radius is twice the one before. RobustBench (Croce et al., NeurIPS 2021) compares at Linf 8/255
 * and L2 .5 on CIFAR-10, at Linf 4/255 on ImageNet; Maini et al. at L1 12 on CIFAR-10; Engstrom et al., "Robustness (Python
 * Library)", 2019, at L2 3 on ImageNet.
 */
import type { Threat } from '../../core/threat-model.ts';

type Grid = Readonly<Record<Threat, readonly number[]>>;

/** From nothing to the most of Engstrom et al., "Exploring the Landscape of Spatial Robustness", ICML 2019. */
const SPATIAL = [0, 0.25, 0.5, 0.75, 1];

const GREY: Grid = {
  Linf: [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4],
  L2: [0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3],
  L1: [0, 2, 4, 6, 8, 10, 15, 20],
  spatial: SPATIAL,
};

const COLOUR: Grid = {
  Linf: [0, 0.125, 0.25, 0.5, 1, 2, 4, 8].map((levels) => levels / 255),
  L2: [0, 0.0625, 0.125, 0.25, 0.5, 1, 2, 3],
  L1: [0, 0.75, 1.5, 3, 6, 12, 24, 48],
  spatial: SPATIAL,
};

const GRIDS: Readonly<Record<string, Grid>> = { mnist: GREY, 'fashion-mnist': GREY };

/** The grid of a dataset in a norm, ascending from 0; that of colour images for CIFAR-10 and for folders. */
export const gridOf = (dataset: string, norm: Threat): readonly number[] => (GRIDS[dataset] ?? COLOUR)[norm];
