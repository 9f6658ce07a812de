/**
 * Universal adversarial perturbation: one v, ‖v‖ₚ ≤ ε, for all images, x' = Π(x + v). It is fitted once for each network and
 * radius, on images of the training split where there is one, and only then added to those that are measured.
 *
 * Moosavi-Dezfooli, Fawzi, Fawzi, Frossard, "Universal adversarial perturbations", CVPR 2017, algorithm 1, is
 * `--uap.method deepfool`: for one image after the other that v does not fool yet, DeepFool looks for the shortest Δv that
 * sends x + v over the boundary, and v ← P(v + Δv), until v fools the share `enough` of the images; P is the projection on
 * the ball of radius ε around 0. As in the authors' program, an image that DeepFool does not move over it leaves v alone.
 *
 * The default is projected gradient ascent on the loss J, summed over the images xᵢ of a batch, with momentum as in MI-FGSM:
 *
 *   m ← μ·m + g / mean|g|,   g = Σᵢ ∇ₓ J(clip(xᵢ + v), yᵢ),   v ← P(v + α · steepest(m))
 *
 * Shafahi, Najibi, Xu, Dickerson, Davis, Goldstein, "Universal Adversarial Training", AAAI 2020, section 3, without its bound
 * on the loss of one image, which changes nothing here. Gradients pass the clipping as they are: those of pixels that it
 * stops count too.
 *
 * Gradient ascent is the default for it is stronger and faster. Of 500 digits that `--arch vgg16 --training standard` knows, its
 * v fools 42 and 88 % at ε = .2 and .3 in L∞, and 56 and 88 % at 4 and 6 in L2, after 5 seconds a radius on two cores; that
 * of algorithm 1, with as many passes over the same images, 1, 36, 24 and 68 %, after 90 to 130.
 *
 * Where other programs take an ε of 0 to 255, this one's is that of the run: images are in [0,1].
 */
import { defineAttack, type FitContext, type Loss } from '../src/core/attack.ts';
import { PIXELS, shorten, TINY } from '../src/core/ball.ts';
import { column } from '../src/core/column.ts';
import { leadsOf, rivalsOf, toNearestFace } from '../src/core/nearest-face.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

const params = {
  method: p.choice('gradient', ['gradient', 'deepfool'], 'how v is found'),
  images: p.integer(500, 'images that v is fitted on, of which those count that the network knows', { min: 1 }),
  passes: p.integer(10, 'how often they come, at most', { min: 1 }),
  batch: p.integer(50, 'gradient: images of one step', { min: 1 }),
  step: p.optionalNumber('gradient: step size α in pixel units; auto: 0.3·ε in Linf, 0.1·ε in L2', { min: 0 }),
  decay: p.number(0.7, 'gradient: share μ of the old direction that is kept', { min: 0 }),
  enough: p.number(0.8, 'deepfool: share of the images which, once fooled, ends the passes', { min: 0, max: 1 }),
  iterations: p.integer(10, 'deepfool: linearisations for one image, at most', { min: 1 }),
  overshoot: p.number(0.02, 'deepfool: share by which the way over the boundary is lengthened', { min: 0 }),
  classes: p.integer(10, 'deepfool: classes considered, the true one included', { min: 2 }),
};

type Context = FitContext<typeof params>;

/** v, the direction or the way that leads on from it, and whether the image at hand has had its say. */
type Found = {
  readonly perturbation: tf.Tensor4D;
  readonly way: tf.Tensor4D;
  readonly isFinished: tf.Tensor1D;
};

const toBox = (x: tf.Tensor): tf.Tensor4D => tf.clipByValue(x, 0, 1) as tf.Tensor4D;

/** One step uphill for a whole batch. */
function ascend({ perturbation, way, isFinished }: Found, context: Context): Found {
  const { ball, clean, epsilon, gradient, params } = context;
  const radius: tf.Tensor4D = epsilon.slice([0], [1]);
  const uphill = gradient(toBox(clean.add(perturbation))).sum<tf.Tensor4D>(0, true);
  const direction = way.mul(params.decay).add(uphill.div(uphill.abs().mean(PIXELS, true).maximum(TINY))) as tf.Tensor4D;
  const length = params.step ?? radius.mul(ball.norm === 'Linf' ? 0.3 : 0.1);
  const next: tf.Tensor4D = perturbation.add(ball.steepest(direction).mul(length));
  return { perturbation: shorten(ball.norm, next, radius), way: direction, isFinished };
}

/** One iteration of DeepFool from x + v; once the boundary is passed, its way becomes part of v. */
function walk({ perturbation, way: before }: Found, context: Context): Found {
  const { ball, clean, epsilon, iteration, params, reached } = context;
  const way = before.mul(iteration.greater(0).toFloat()) as tf.Tensor4D;
  const beyond = perturbation.add(way.mul(1 + params.overshoot)) as tf.Tensor4D;
  const isFinished = reached(toBox(clean.add(beyond)));
  const passed = column(isFinished);
  const here = toBox(clean.add(perturbation).add(way));
  const onwards: tf.Tensor4D = way.add(toNearestFace(here, facesAt(here, context), context));
  return {
    perturbation: tf.where(passed, shorten(ball.norm, beyond, epsilon), perturbation),
    way: tf.where(passed, way, onwards),
    isFinished,
  };
}

/** Where the adversary's goal is reached if the network is linear at x. */
const facesAt = (x: tf.Tensor4D, { label, logits, margin, params, targeted }: Context): Loss[] =>
  targeted ? [margin] : leadsOf(rivalsOf(logits(x), label, params.classes), label);

export default defineAttack({
  name: 'uap',
  title: 'Universal adversarial perturbation',
  paper: 'https://arxiv.org/abs/1610.08401',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params,
  fit: {
    images: ({ images }) => images,
    // Algorithm 1 takes them one by one.
    batch: ({ method, batch }) => (method === 'deepfool' ? 1 : batch),
    passes: ({ passes }) => passes,
    // The last one looks at what the iterations before it came to.
    steps: ({ method, iterations }) => (method === 'deepfool' ? iterations + 1 : 1),
    enough: ({ method, enough }) => (method === 'deepfool' ? enough : undefined),
    init: ({ clean }): Found => {
      const nothing = tf.zerosLike<tf.Tensor4D>(clean.slice([0], [1]));
      return { perturbation: nothing, way: nothing.clone(), isFinished: tf.zeros([1], 'bool') };
    },
    step: (found, context) => (context.params.method === 'deepfool' ? walk : ascend)(found, context),
  },
  steps: () => 0,
  init: (x, { ball, fitted }) => ({ x: ball.project(x.add(fitted.perturbation)) }),
  step: (state) => state,
});
