/** The flags of `certify`: names are fixed, tools read them. */
import { CERTIFICATION_DEFAULTS as DEFAULTS, LARGEST_SIGMA, USUAL_SIGMA } from '../../certify/plan.ts';
import { p } from '../../core/params.ts';
import { experimentFlags } from '../experiment/flags.ts';
import { listOf, optional, word } from '../flags.ts';

const sigma = p.number(0, '', { above: 0, max: LARGEST_SIGMA });

const probability = p.number(DEFAULTS.alpha, 'probability that the radius of an image is too large', {
  above: 0,
  below: 1,
});

/** Images that are certified where nobody says: each takes as long as ten thousand others. */
const IMAGES = 200;

export const certifyFlags = {
  arch: experimentFlags.arch,
  weights: experimentFlags.weights,
  training: listOf(word('', '', 'a name'), ['randomized-smoothing'], 'how the networks were trained'),
  dataset: experimentFlags.dataset,
  images: p.integer(IMAGES, 'how many test images', { min: 1 }),
  sigma: optional(
    listOf(sigma, [], 'standard deviation of the noise in pixel units; several: each network at each'),
    `that of each network's training, else ${USUAL_SIGMA}`,
  ),
  samples: p.integer(DEFAULTS.samples, 'noisy copies of an image that bound the probability of its class', { min: 1 }),
  selection: p.integer(DEFAULTS.selectionSamples, 'noisy copies before those, which choose the class', { min: 1 }),
  alpha: probability,
  seed: experimentFlags.seed,
  batch: p.integer(DEFAULTS.batch, 'copies in one forward pass; changes speed and memory, never results', { min: 1 }),
  backend: experimentFlags.backend,
  out: optional(
    word('', 'folder for run.json, report.html, certificates.csv', 'a folder'),
    'reports/DATE-certify-ARCHS',
  ),
  config: experimentFlags.config,
  resume: experimentFlags.resume,
  json: experimentFlags.json,
  open: experimentFlags.open,
  quiet: experimentFlags.quiet,
};
