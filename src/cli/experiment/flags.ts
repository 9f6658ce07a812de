/** The flags of `experiment`: names are fixed, tools read them. */

import { BACKENDS } from '../../backends/names.ts';
import { type Param, p, parseNumber } from '../../core/params.ts';
import { KEPT, ROUNDINGS } from '../../core/saved.ts';
import { THREATS } from '../../core/threat-model.ts';
import { configFlag } from '../config.ts';
import { type Flag, listOf, oneOf, optional, word } from '../flags.ts';
import { type Requirement, requirement } from './fail-under.ts';
import { imagesFlag } from './images.ts';

const SWITCH = (label: string): Flag<boolean> => p.boolean(false, label);

const number: Param<number> = {
  default: 0,
  label: '',
  accepts: 'a number such as 0.1 or 8/255',
  number: { whole: false },
  parse: parseNumber,
};

/** In a config file an index may stand as the number that it is. */
const className: Flag<string> = {
  default: '',
  label: 'class to be mistaken for: its index or name',
  accepts: 'a class',
  parse: (given) => {
    const text = Number.isSafeInteger(given) ? String(given) : given;
    return typeof text === 'string' && text.trim() !== '' ? text : undefined;
  },
};

export const experimentFlags = {
  attack: listOf(
    word('', '', 'an attack, a TypeScript file, or all'),
    ['fgsm', 'pgd'],
    'attacks: names, files, or all',
  ),
  arch: listOf(
    word('', '', "an architecture, a module, a model's folder, or all"),
    ['vgg16'],
    'networks: architectures, all that are trained, or your own',
  ),
  weights: optional(
    listOf(
      word('', '', 'a file, a URL, imagenet or imagenet-v2'),
      [],
      'weights instead of the bundled ones: checkpoints, PyTorch files, published ones',
    ),
    'the bundled ones; for photographs, imagenet',
  ),
  training: listOf(word('', '', 'a name'), ['standard', 'adversarial'], 'how the networks were trained'),
  defense: listOf(
    word('', '', 'a defense, a TypeScript file, none or all'),
    ['none'],
    'also behind these: names, files, or all; each against naive and adaptive attacks',
  ),
  dataset: word('mnist', 'what they are tested on: a name, or a folder of images', 'a dataset'),
  images: imagesFlag,
  epsilon: optional(
    listOf(number, [], 'radii of the ball in pixel units, images being in [0,1]'),
    'a grid for dataset and norm',
  ),
  norm: oneOf('Linf', THREATS, 'the norm that measures perturbations, or shifts and turns'),
  target: optional(className, 'any wrong class'),
  restarts: p.integer(1, 'random starts of each attack, the best counts', { min: 1 }),
  'early-stop': p.boolean(true, 'an image is done once it is fooled; false: the attack takes all its steps'),
  sanity: optional(
    p.integer(30, 'images of each network on which small extra attacks check the run; 0: none', { min: 0 }),
    '30, and 0 of photographs',
  ),
  transfer: SWITCH('try the images made against each network on all the others'),
  'transfer.epsilon': optional(
    { ...number, label: 'radius of the images that are tried on other networks' },
    'the radius of the headline',
  ),
  seed: p.integer(0, 'seed of the image order and of all noise', { min: 0, max: 0xffffffff }),
  batch: optional(
    p.integer(64, 'images in flight at once; changes speed and memory, never results', { min: 1 }),
    '64, and 8 of photographs',
  ),
  backend: oneOf('auto', BACKENDS, 'what computes; auto: the fastest that works here'),
  out: optional(word('', 'folder for run.json, report.html, CSV tables', 'a folder'), 'reports/DATE-ATTACKS-ARCHS'),
  config: configFlag,
  resume: SWITCH('go on with the interrupted run in --out'),
  'save-images': oneOf('none', ['none', ...KEPT], 'keep adversarial images, float32 and PNG, below --out'),
  'save-rounding': oneOf('nearest', ROUNDINGS, 'how the PNGs are rounded; inward: never farther from the clean image'),
  'dry-run': SWITCH('say what would be done, and do nothing'),
  json: SWITCH('print the run as JSON instead of the table'),
  open: SWITCH('open the report in the browser'),
  'fail-under': optional(
    listOf<Requirement>(
      requirement,
      [],
      "exit 1 if accuracy is lower: 'pgd@0.3=0.5', or 'worst@0.3=0.5' under all attacks",
    ),
    'no requirement',
  ),
  quiet: SWITCH('no progress on stderr'),
};
