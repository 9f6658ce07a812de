/** Laws on what an attack learns first. */
import type { Fitted } from '../core/attack.ts';
import { tf } from '../tf.ts';
import { performFit } from './fitting.ts';
import { type Law, requires, type Subject, sameBytes } from './law.ts';
import { contextOf, FIT_IDS, type Performance, RADII, repeated, smooth } from './stage.ts';

const onSmooth = ({ attack, norm }: Subject, ids = FIT_IDS): Performance => ({
  ...{ attack, norm, classifier: smooth, ids, targeted: false },
  epsilons: repeated(RADII[norm][1], ids.length),
});

const valuesOf = (tensor: tf.Tensor): Float32Array => Float32Array.from(tensor.dataSync());

/** All of it, in an order that does not depend on how it was made. */
const bytesOf = (fitted: Fitted): Float32Array[] =>
  Object.entries(fitted)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, tensor]) => valuesOf(tensor));

const fitsTheSame: Law = {
  name: 'is fitted the same twice, and leaves nothing else in memory',
  check: (subject) => {
    if (subject.attack.fit === undefined) return;
    const before = tf.memory().numTensors;
    const fits = [1, 2].map(() => {
      const fitted = performFit(onSmooth(subject), RADII[subject.norm][1]);
      const alive = tf.memory().numTensors - before;
      const promised = new Set(Object.values(fitted).map(({ id }) => id)).size;
      const bytes = bytesOf(fitted);
      tf.dispose(Object.values(fitted));
      requires(
        alive === promised,
        () => `${alive} tensors live on and ${promised} are fitted; do without tf.keep and tf.variable`,
      );
      return bytes;
    });
    const [once, again] = fits;
    requires(
      once?.every((values, i) => sameBytes(values, again?.[i])) === true,
      () => 'two fits differ; all randomness must come from context.noise',
    );
  },
};

const leavesItsInputs: Law = {
  name: 'is fitted without a change to what fit is given',
  check: (subject) =>
    tf.tidy(() => {
      const { fit } = subject.attack;
      if (fit === undefined) return;
      // Few enough for a fit that takes them one by one.
      const context = contextOf(onSmooth(subject, FIT_IDS.slice(0, 1)), [0], 'fit');
      const { clean, label, target, epsilon, iteration } = context;
      const fitted = fit.init(context);
      const inputs = Object.entries({ ...fitted, clean, label, target, epsilon, iteration });
      const before = inputs.map(([, tensor]) => valuesOf(tensor));
      fit.step(fitted, context);
      inputs.forEach(([name, tensor], i) => {
        requires(!tensor.isDisposed, () => `fit.step disposes of ${name}; the harness owns every tensor`);
        requires(sameBytes(valuesOf(tensor), before[i]), () => `fit.step changes ${name}`);
      });
    }),
};

export const FITTING: readonly Law[] = [fitsTheSame, leavesItsInputs];
