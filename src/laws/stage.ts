/** A stage for attacks: small classifiers, each hard in its own way, and a plain way to run an attack on them. */
import type { Attack, AttackContext, AttackState } from '../core/attack.ts';
import { attackContext } from '../core/attack-context.ts';
import type { Noise } from '../core/ball.ts';
import type { Classifier } from '../core/classifier.ts';
import { elements } from '../core/draws.ts';
import { resolveParams } from '../core/params.ts';
import { fillNoise } from '../core/rng.ts';
import { diameterOf, type Threat } from '../core/threat-model.ts';
import type { Made } from '../evaluate/pool/verify.ts';
import { tf } from '../tf.ts';
import { fittedFor } from './fitting.ts';

export const INPUT = [6, 5, 3] as const;
export const CLASSES = 5;
export const PIXELS = INPUT[0] * INPUT[1] * INPUT[2];

/** Enough to see what an attack does, of however many it would take: every iterate must obey the laws. */
const MOST_STEPS = 10;

/** The defaults, but for the steps, if they can be chosen: what is done midway and at the end must be seen too. */
export function paramsOf({ name, params }: Attack, steps = MOST_STEPS): Readonly<Record<string, unknown>> {
  return resolveParams(name, params, params.steps?.parse(steps) === undefined ? {} : { steps });
}

/** Radii that matter on this stage: some images fall to the first, nearly all to the second. */
export const RADII: Readonly<Record<Threat, readonly [number, number]>> = {
  Linf: [0.03, 0.3],
  L2: [0.3, 3],
  L1: [2, 20],
  spatial: [0.5, 3],
};

const drawn = new Map<string, Float32Array>();

/** Numbers that depend on their name alone. */
function draws(name: number, size: number, distribution: 'uniform' | 'normal'): Float32Array {
  const key = `${name} ${size} ${distribution}`;
  const values = drawn.get(key) ?? new Float32Array(size);
  if (!drawn.has(key)) fillNoise(values, { seed: 0, image: name, restart: 0, step: 0, draw: 0 }, distribution);
  drawn.set(key, values);
  return values;
}

/** Made anew at every call: the caller's scope frees it. */
const matrix = (name: number, inputs: number, outputs: number): tf.Tensor =>
  tf.tensor2d(draws(name, inputs * outputs, 'normal').slice(), [inputs, outputs]).div(Math.sqrt(inputs));

/** [1, K], one at one class. */
const onlyClass = (index: number): tf.Tensor => tf.oneHot([index], CLASSES).toFloat();

const flatten = (x: tf.Tensor4D): tf.Tensor => x.sub(0.5).reshape([x.shape[0], PIXELS]);

const classifier = (name: string, logits: (flat: tf.Tensor) => tf.Tensor): Classifier => ({
  name,
  classes: CLASSES,
  input: INPUT,
  logits: (x) => logits(flatten(x)) as tf.Tensor2D,
});

export const smooth = classifier('smooth', (x) => {
  const hidden = x
    .matMul(matrix(1, PIXELS, 12))
    .mul(3)
    .tanh();
  return hidden.matMul(matrix(2, 12, CLASSES)).mul(3);
});

/**
 * Class 1 gains along one direction, the others stay, each at its own height, class 2 above the rest: every loss is monotone
 * along it, the ratios of logits included.
 */
export const linear = classifier('linear', (x) =>
  x
    .matMul(matrix(3, PIXELS, 1))
    .mul(onlyClass(1))
    .add(tf.tensor1d([0.03, 0, 0.04, 0.02, 0.01])),
);

export const CLASSIFIERS: readonly Classifier[] = [
  smooth,
  linear,
  classifier('flat, with no gradient anywhere', (x) => x.matMul(tf.zeros([PIXELS, CLASSES])).add(onlyClass(0))),
  classifier('tied, all of whose logits are equal', (x) => x.matMul(matrix(3, PIXELS, 1)).tile([1, CLASSES])),
  classifier('sure, with margins in the thousands', (x) => x.matMul(matrix(1, PIXELS, CLASSES)).mul(1e4)),
];

/** Image number `id`: half of its pixels are exactly black or white. */
export const imageOf = (id: number): Float32Array =>
  draws(1000 + id, PIXELS, 'uniform').map((v) => Math.min(1, Math.max(0, 2 * v - 0.5)));

export interface Performance {
  readonly attack: Attack;
  readonly norm: Threat;
  readonly classifier: Classifier;
  /** Which images, in which order. */
  readonly ids: readonly number[];
  /** A radius per image. */
  readonly epsilons: readonly number[];
  readonly targeted: boolean;
  readonly seed?: number;
}

/**
 * What an attack is called with, step after step. Tensors are made anew at every call: call it inside `tf.tidy`.
 *
 * @param part - `fit` is given nothing that was fitted
 */
export function contextOf(
  performance: Performance,
  iterations: readonly number[],
  part: 'init' | 'step' | 'fit',
): AttackContext {
  const { attack, norm, classifier: victim, ids, seed = 1 } = performance;
  const aimsItself = attack.targets !== undefined;
  // What an attack of minimum norm is given holds all images.
  const epsilons = attack.minimumNorm === true ? ids.map(() => diameterOf(norm, PIXELS)) : performance.epsilons;
  const clean = imagesOf(ids);
  const label = victim.logits(clean).argMax<tf.Tensor1D>(1);
  const column = (values: readonly number[]): tf.Tensor4D => tf.tensor4d([...values], [ids.length, 1, 1, 1]);
  const noise = (
    (draw: number): Noise =>
    (shape, distribution) => {
      const size = elements(shape);
      const values = new Float32Array(ids.length * size);
      ids.forEach((image, row) => {
        const step = part === 'init' ? 0 : (iterations[row] as number) + 1;
        fillNoise(values.subarray(row * size, (row + 1) * size), { seed, image, restart: 0, step, draw }, distribution);
      });
      draw += 1;
      return tf.tensor(values, [ids.length, ...shape]);
    }
  )(0);
  return attackContext({
    access: attack.access,
    logits: (x) => victim.logits(x),
    norm,
    ...{ targeted: performance.targeted, aimsItself },
    params: paramsOf(attack),
    noise,
    clean,
    label,
    target: performance.targeted || aimsItself ? targetsFor(label) : label,
    epsilon: column(epsilons),
    iteration: column(iterations),
    fitted: part === 'fit' ? {} : fittedFor(performance),
  });
}

export const imagesOf = (ids: readonly number[]): tf.Tensor4D =>
  tf.stack(ids.map((id) => tf.tensor3d(imageOf(id), [...INPUT]))) as tf.Tensor4D;

/** Class 1, which the linear classifier can be led to, or for images of class 1 the next. */
const targetsFor = (label: tf.Tensor1D): tf.Tensor1D => label.equal(1).toInt().add(tf.scalar(1, 'int32'));

export const begin = (performance: Performance): AttackState =>
  tf.tidy(() => {
    const context = contextOf(performance, repeated(0, performance.ids.length), 'init');
    return { ...performance.attack.init(context.clean, context) };
  });

export const advance = (performance: Performance, state: AttackState, iterations: readonly number[]): AttackState =>
  tf.tidy(() => ({ ...performance.attack.step(state, contextOf(performance, iterations, 'step')) }));

export const repeated = (value: number, times: number): number[] => new Array<number>(times).fill(value);

export const stepsOf = ({ attack }: Pick<Performance, 'attack'>): number =>
  Math.min(MOST_STEPS, attack.steps(paramsOf(attack)));

/** What the attack has made of every image at every step, the start included: `[step][image]`. */
export function performed(performance: Performance): Made[][] {
  const { ids } = performance;
  let state = begin(performance);
  const made = [candidates(state, ids)];
  for (let step = 0; step < stepsOf(performance); step++) {
    const next = advance(performance, state, repeated(step, ids.length));
    // What a step hands on as it is lives on.
    const kept = new Set(Object.values(next).map(({ id }) => id));
    tf.dispose(Object.values(state).filter(({ id }) => !kept.has(id)));
    state = next;
    made.push(candidates(state, ids));
  }
  tf.dispose(state);
  return made;
}

/** The same, of which only the pixels matter. */
export const perform = (performance: Performance): Float32Array[][] => performed(performance).map(pixelsOf);

/** The candidate of every image, or the clean image where there is none. */
export function candidates({ x, pose, isCandidate }: AttackState, ids: readonly number[]): Made[] {
  const [values, poses, flags] = [x, pose, isCandidate].map((tensor) => tensor?.dataSync());
  return ids.map((id, i): Made => {
    if (flags?.[i] === 0) return { x: imageOf(id).slice(), pose: [0, 0, 0] };
    const [right = 0, down = 0, turn = 0] = poses?.slice(3 * i, 3 * i + 3) ?? [];
    const pixels = values?.slice(i * PIXELS, (i + 1) * PIXELS) as Float32Array;
    return { x: pixels, ...(poses && { pose: [right, down, turn] }) };
  });
}

export const pixelsOf = (made: readonly Made[]): Float32Array[] => made.map(({ x }) => x);

export const IDS: readonly number[] = [0, 1, 2, 3];

/** What attacks are fitted on that are. */
export const FIT_IDS: readonly number[] = [100, 101, 102, 103, 104, 105];
