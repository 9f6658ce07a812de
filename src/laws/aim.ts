/** Laws on where an attack goes: up, for the adversary. */
import { crossEntropy } from '../core/losses.ts';
import { tf } from '../tf.ts';
import { fitIds } from './fitting.ts';
import { type Law, requires, type Subject } from './law.ts';
import { contextOf, IDS, INPUT, imageOf, imagesOf, linear, perform, RADII, repeated, smooth } from './stage.ts';

interface Change {
  readonly before: number;
  readonly after: number;
}

/**
 * The cross-entropy of every image's target, or true class, on a linear model: clean, and as the attack leaves it. What it
 * leaves is its last candidate; of attacks that see no gradient, which must try in order to know, and of those that look for
 * the nearest image, which come and go, the best one, the clean image among them. What is the same for all images can raise
 * the sum over those that it was fitted on alone.
 */
function changes({ attack, norm }: Subject, targeted: boolean): Change[] {
  const ids = attack.fit === undefined ? IDS : fitIds(linear);
  const epsilons = repeated(RADII[norm][1], ids.length);
  const performance = { attack, norm, classifier: linear, ids, epsilons, targeted };
  const iterates = perform(performance);
  const walksUphill = attack.access === 'gradient' && attack.minimumNorm !== true;
  const left = walksUphill ? iterates.slice(-1) : [ids.map(imageOf), ...iterates];
  return tf.tidy(() => {
    const { label, target, clean } = contextOf(performance, repeated(0, ids.length), 'step');
    const classes = targeted ? target : label;
    const lossOf = (x: tf.Tensor4D): number[] => [...crossEntropy(linear.logits(x), classes).dataSync()];
    const after = left.map((images) => lossOf(tf.stack(images as Float32Array[]).reshape([ids.length, ...INPUT])));
    const best = targeted ? Math.min : Math.max;
    const changes = lossOf(clean).map((before, i) => ({
      ...{ before, after: best(...after.map((losses) => losses[i] as number)) },
    }));
    return attack.fit === undefined ? changes : [changes.reduce(sum)];
  });
}

const sum = (a: Change, b: Change): Change => ({ before: a.before + b.before, after: a.after + b.after });

/** One that weighs loss against distance may stay where it is as long as the loss weighs little. */
const mayBide = ({ attack }: Subject): boolean => attack.minimumNorm === true;

/** Attacks without any access do not aim. */
const aims = ({ attack }: Subject): boolean => attack.access !== 'none';

const raisesTheLoss: Law = {
  name: 'that aims never lowers the loss of the true class on a linear model',
  check: (subject) => {
    if (!aims(subject)) return;
    const found = changes(subject, false);
    const worst = found.find(({ before, after }) => after < before - 1e-5);
    requires(worst === undefined, () => `it falls from ${worst?.before} to ${worst?.after}; ascend context.gradient`);
    requires(
      mayBide(subject) || found.some(({ before, after }) => after > before + 1e-3),
      () => 'it rises for no image',
    );
  },
};

const lowersTheTargets: Law = {
  name: 'that aims never raises the loss of its target on a linear model',
  check: (subject) => {
    if (!aims(subject)) return;
    const found = changes(subject, true);
    const worst = found.find(({ before, after }) => after > before + 1e-5);
    const mend = 'ascend context.gradient, which knows the goal';
    requires(worst === undefined, () => `it rises from ${worst?.before} to ${worst?.after}; ${mend}`);
    requires(
      mayBide(subject) || found.some(({ before, after }) => after < before - 1e-3),
      () => 'it falls for no image',
    );
  },
};

const CROWD = Array.from({ length: 40 }, (_, id) => id);
/** An attack that draws noise may be lucky: two standard deviations of a count of so many images. */
const LUCK = 6;

/** How many images keep their class at every iterate. */
function standing({ attack, norm }: Subject, epsilon: number): number {
  const epsilons = repeated(epsilon, CROWD.length);
  const iterates = perform({ attack, norm, classifier: smooth, ids: CROWD, epsilons, targeted: false });
  return tf.tidy(() => {
    const predict = (x: tf.Tensor4D): number[] => [...smooth.logits(x).argMax(1).dataSync()];
    const label = predict(imagesOf(CROWD));
    const predicted = iterates.map((images) =>
      predict(tf.stack(images as Float32Array[]).reshape([CROWD.length, ...INPUT])),
    );
    return CROWD.filter((_, i) => predicted.every((step) => step[i] === label[i])).length;
  });
}

const gainsWithTheRadius: Law = {
  name: 'leaves no more images standing at a larger radius',
  check: (subject) => {
    // An attack of minimum norm knows of no radius.
    if (subject.attack.minimumNorm === true) return;
    const [low, high] = RADII[subject.norm];
    const counts = [low, Math.sqrt(low * high), high].map((epsilon) => standing(subject, epsilon));
    counts.forEach((count, i) => {
      const before = counts[i - 1] ?? CROWD.length;
      requires(
        count <= before + LUCK,
        () => `of ${CROWD.length} images, ${before} withstand one radius, and ${count} a larger one`,
      );
    });
  },
};

export const AIM: readonly Law[] = [raisesTheLoss, lowersTheTargets, gainsWithTheRadius];
