/** Attacks that are wrong on purpose, each in one way, to see that the laws notice. */
import { type Attack, type AttackContext, defineAttack, type Fit, type FitContext } from '../../src/core/attack.ts';
import { p } from '../../src/core/params.ts';
import { tf } from '../../src/tf.ts';

type Plain = AttackContext<Record<never, never>>;

/** The right attack from which the faulty ones differ. */
export const RIGHT = defineAttack({
  name: 'faulty',
  title: 'A right attack',
  paper: 'https://arxiv.org/abs/1412.6572',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  params: {},
  steps: () => 3,
  init: (x) => ({ x }),
  step: ({ x }, { ball, epsilon, gradient }) => ({ x: ball.project(x.add(ball.steepest(gradient(x)).mul(epsilon))) }),
});

/** A way to make the next candidate, projected as it should be. */
const moving = (move: (x: tf.Tensor4D, context: Plain) => tf.Tensor): Attack => ({
  ...RIGHT,
  step: ({ x }, context) => ({ x: context.ball.project(x.add(move(x, context))) }),
});

/** A way to make the next candidate. */
const stepping = (next: (x: tf.Tensor4D, context: Plain) => tf.Tensor): Attack => ({
  ...RIGHT,
  step: ({ x }, context) => ({ x: next(x, context) as tf.Tensor4D }),
});

type Push = { readonly push: tf.Tensor4D };

const fit: Fit<Record<never, never>, Push> = {
  images: () => 4,
  batch: () => 2,
  passes: () => 2,
  steps: () => 1,
  init: ({ clean }) => ({ push: tf.zerosLike<tf.Tensor4D>(clean.slice([0], [1])) }),
  step: ({ push }, { gradient, clean }) => ({ push: push.add(gradient(clean).sum(0, true)) }),
};

const fitted = (given: typeof fit): Attack =>
  defineAttack({
    ...RIGHT,
    fit: given,
    steps: () => 0,
    init: (x, { ball, epsilon, fitted: { push } }) => ({ x: ball.project(x.add(ball.steepest(push).mul(epsilon))) }),
    step: (state) => state,
  }) as Attack;

/** A right attack that is fitted first. */
export const FITTED = fitted(fit);

/** The same with another way to learn. */
const learning = (learn: (push: tf.Tensor4D, context: FitContext) => tf.Tensor): Attack =>
  fitted({ ...fit, step: ({ push }, context) => ({ push: learn(push, context) as tf.Tensor4D }) });

const uphill = (x: tf.Tensor4D, { ball, epsilon, gradient }: Plain): tf.Tensor =>
  ball.steepest(gradient(x)).mul(epsilon);
const rightly = (x: tf.Tensor4D, context: Plain): tf.Tensor => RIGHT.step({ x }, context).x;
const toBox = (x: tf.Tensor): tf.Tensor => tf.clipByValue(x, 0, 1);

export interface Faulty {
  /** The name of the law that it breaks. */
  readonly law: string;
  /** What the law says. */
  readonly complaint: RegExp;
  readonly attack: Attack;
}

export const FAULTY: readonly (readonly [fault: string, Faulty])[] = [
  [
    'is called otherwise than its file',
    { law: 'has its file’s name', complaint: /write name: 'faulty'/, attack: { ...RIGHT, name: 'other' } },
  ],
  [
    'links no paper',
    { law: 'links its paper', complaint: /no https URL/, attack: { ...RIGHT, paper: 'arxiv.org/abs/1412.6572' } },
  ],
  [
    'has a default out of its range',
    {
      law: 'has defaults that its parameters accept, and labels',
      complaint: /the default of steps is 0; it must be a whole number, at least 1/,
      attack: { ...RIGHT, params: { steps: p.integer(0, 'steps', { min: 1 }) } },
    },
  ],
  [
    'has a parameter without a label',
    {
      law: 'has defaults that its parameters accept, and labels',
      complaint: /steps has no label/,
      attack: { ...RIGHT, params: { steps: p.integer(1, ' ') } },
    },
  ],
  [
    'carries a tensor of the whole batch',
    {
      law: 'carries a state that the harness can carry',
      complaint: /first axis/,
      attack: { ...RIGHT, init: (x) => ({ x, mean: x.mean() }), step: (state) => state },
    },
  ],
  [
    'has another state after a step',
    {
      law: 'carries a state that the harness can carry',
      complaint: /last/,
      attack: { ...RIGHT, step: ({ x }) => ({ x, last: x }) },
    },
  ],
  [
    'ignores epsilon',
    {
      law: 'gives the images back at radius 0',
      complaint: /a pixel has moved by/,
      attack: stepping((x, { ball, gradient }) => toBox(x.add(ball.steepest(gradient(x)).mul(0.02)))),
    },
  ],
  [
    'leaves the ball in its second step',
    {
      law: 'stays in the ball',
      complaint: /after step 2 the distance from the clean image/,
      attack: stepping((x, context) => toBox(x.add(uphill(x, context)))),
    },
  ],
  [
    'starts outside the ball',
    {
      law: 'stays in the ball',
      complaint: /after step 0 the distance from the clean image/,
      attack: { ...RIGHT, init: (x, { epsilon }) => ({ x: toBox(x.add(epsilon.mul(2))) as tf.Tensor4D }) },
    },
  ],
  [
    'leaves the box',
    {
      law: 'stays in the box',
      complaint: /a pixel is (-0\.|1\.)/,
      attack: stepping((_, context) => context.clean.add(uphill(context.clean, context))),
    },
  ],
  [
    'divides by a zero gradient',
    {
      law: 'stays finite',
      complaint: /a pixel is NaN.*flat/,
      attack: moving((x, { epsilon, gradient }) => {
        const g = gradient(x);
        return g.div(g.square().sum([1, 2, 3], true).sqrt()).mul(epsilon);
      }),
    },
  ],
  [
    'draws from Math.random',
    {
      law: 'repeats itself under the same seed',
      complaint: /two runs differ after step 1/,
      // Small enough that the ball never clips two different draws to one point.
      attack: moving((_, { epsilon }) => epsilon.mul(0.01 * (Math.random() - 0.5))),
    },
  ],
  [
    'draws from TensorFlow.js',
    {
      law: 'repeats itself under the same seed',
      complaint: /two runs differ after step 1/,
      attack: moving((x, { epsilon }) => tf.randomNormal(x.shape).mul(epsilon)),
    },
  ],
  [
    'mixes the images of a batch',
    {
      law: 'takes every image on its own, with its own radius',
      complaint: /never over the batch/,
      attack: moving((x, { epsilon, gradient }) => {
        const g = gradient(x);
        return g.div(g.abs().mean().add(1e-12)).mul(epsilon).mul(0.1);
      }),
    },
  ],
  [
    'takes the first image’s radius for all',
    {
      law: 'takes every image on its own, with its own radius',
      complaint: /after step 1 image 0 differs/,
      attack: moving((x, { ball, epsilon, gradient }) => ball.steepest(gradient(x)).mul(epsilon.slice(0, 1)).mul(0.1)),
    },
  ],
  [
    'takes the first image’s iteration for all',
    {
      law: 'takes every image at its own iteration',
      complaint: /read context.iteration image by image/,
      attack: moving((x, context) => uphill(x, context).div(context.iteration.slice(0, 1).add(2))),
    },
  ],
  [
    'disposes of its state',
    {
      law: 'leaves its inputs as they were',
      complaint: /disposes of x/,
      attack: stepping((x, context) => {
        const next = rightly(x, context);
        x.dispose();
        return next;
      }),
    },
  ],
  [
    'writes into the clean images',
    {
      law: 'leaves its inputs as they were',
      complaint: /step changes (x|clean)/,
      attack: stepping((x, { clean }) => {
        clean.dataSync().fill(0.5);
        return x;
      }),
    },
  ],
  [
    'keeps a tensor',
    {
      law: 'leaves nothing in memory but its state',
      complaint: /3 tensors live on and its states have 2/,
      attack: stepping((x, context) => {
        tf.keep(context.gradient(x));
        return rightly(x, context);
      }),
    },
  ],
  [
    'learns by chance',
    {
      law: 'is fitted the same twice, and leaves nothing else in memory',
      complaint: /two fits differ/,
      attack: learning((push) => push.add(tf.randomNormal(push.shape))),
    },
  ],
  [
    'keeps a tensor while it is fitted',
    {
      law: 'is fitted the same twice, and leaves nothing else in memory',
      complaint: /tensors live on and 1 are fitted/,
      attack: learning((push, { gradient, clean }) => tf.keep(gradient(clean)).sum(0, true).add(push)),
    },
  ],
  [
    'disposes of what it has learnt',
    {
      law: 'is fitted without a change to what fit is given',
      complaint: /disposes of push/,
      attack: learning((push) => {
        const next = push.add(1);
        push.dispose();
        return next;
      }),
    },
  ],
  [
    'learns one thing per image',
    {
      law: 'carries a state that the harness can carry',
      complaint: /it is one for all images, so its first axis must be 1/,
      attack: learning((push, { gradient, clean }) => gradient(clean).add(push)),
    },
  ],
  [
    'learns to go downhill',
    {
      law: 'that aims never lowers the loss of the true class on a linear model',
      complaint: /it falls from/,
      attack: learning((push, { gradient, clean }) => push.sub(gradient(clean).sum(0, true))),
    },
  ],
  [
    'walks downhill',
    {
      law: 'that aims never lowers the loss of the true class on a linear model',
      complaint: /it falls from/,
      attack: moving((x, context) => uphill(x, context).neg()),
    },
  ],
  [
    'flees from its target',
    {
      law: 'that aims never raises the loss of its target on a linear model',
      complaint: /it rises from/,
      attack: moving((x, context) => uphill(x, context).mul(context.targeted ? -1 : 1)),
    },
  ],
  [
    'stands still',
    {
      law: 'that aims never raises the loss of its target on a linear model',
      complaint: /it falls for no image/,
      attack: stepping((x) => x.clone()),
    },
  ],
  [
    'gives up at large radii',
    {
      law: 'leaves no more images standing at a larger radius',
      complaint: /withstand one radius/,
      attack: stepping((_, context) => {
        const { ball, clean, epsilon } = context;
        return ball.project(clean.add(uphill(clean, context).mul(epsilon.less(2).toFloat())));
      }),
    },
  ],
];

/** The right attack of the threat `spatial`. */
export const RIGHT_POSE = defineAttack({
  ...RIGHT,
  norms: ['spatial'],
  access: 'decision',
  init: (x) => ({ x, pose: tf.zeros<tf.Rank.R2>([x.shape[0], 3]) }),
  step: ({ pose }, { epsilon, render }) => {
    const next = pose.add<tf.Tensor2D>(epsilon.reshape([-1, 1]).div(3));
    return { x: render(next), pose: next };
  },
});

const LAW_OF_POSES = 'that shifts and turns makes nothing but the clean image in the pose it states';

/** Attacks of the threat `spatial` that are wrong on purpose. */
export const FAULTY_POSES: readonly (readonly [fault: string, Faulty])[] = [
  [
    'states a pose that its image is not in',
    {
      law: LAW_OF_POSES,
      complaint: /a candidate is not in its pose/,
      attack: {
        ...RIGHT_POSE,
        step: (state, context) => ({
          ...RIGHT_POSE.step(state as never, context as never),
          pose: (state as { pose: tf.Tensor2D }).pose,
        }),
      },
    },
  ],
  [
    'goes on painting',
    {
      law: LAW_OF_POSES,
      complaint: /a candidate is not in its pose/,
      attack: {
        ...RIGHT_POSE,
        step: (state, context) => {
          const next = RIGHT_POSE.step(state as never, context as never);
          return { ...next, x: next.x.mul(0.9) };
        },
      },
    },
  ],
];
