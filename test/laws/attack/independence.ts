/** Laws on what an image's candidates may depend on: its own image, radius, iteration and seed, and nothing beside it. */
import { tf } from '../../../src/tf.ts';
import { type Law, requires, type Subject, sameBytes } from './law.ts';
import {
  advance,
  begin,
  candidates,
  IDS,
  type Performance,
  perform,
  RADII,
  repeated,
  smooth,
  stepsOf,
} from './stage.ts';

const onSmooth = ({ attack, norm }: Subject, ids: readonly number[]): Performance => ({
  attack,
  norm,
  classifier: smooth,
  ids,
  epsilons: repeated(RADII[norm][1], ids.length),
  targeted: false,
});

const repeatsItself: Law = {
  name: 'repeats itself under the same seed',
  check: (subject) => {
    const again = perform(onSmooth(subject, IDS));
    perform(onSmooth(subject, IDS)).forEach((images, step) => {
      images.forEach((x, row) => {
        requires(
          sameBytes(x, again[step]?.[row]),
          () => `two runs differ after ${step} steps; all randomness must come from context.noise`,
        );
      });
    });
  },
};

/** The candidates of every image, under a radius of its own. */
function trails(subject: Subject, ids: readonly number[], targeted: boolean): Map<number, Float32Array[]> {
  const [low, high] = RADII[subject.norm];
  const epsilons = ids.map((id) => high - ((high - low) * id) / IDS.length);
  const iterates = perform({ ...onSmooth(subject, ids), epsilons, targeted });
  return new Map(ids.map((id, row) => [id, iterates.map((images) => images[row] as Float32Array)]));
}

const keepsImagesApart: Law = {
  name: 'takes every image on its own, with its own radius',
  check: (subject) => {
    for (const targeted of [false, true]) {
      const together = trails(subject, IDS, targeted);
      const backwards = trails(subject, [...IDS].reverse(), targeted);
      for (const id of IDS) {
        const alone = trails(subject, [id], targeted).get(id);
        together.get(id)?.forEach((x, step) => {
          const same = sameBytes(x, alone?.[step]) && sameBytes(x, backwards.get(id)?.[step]);
          const fault = `after ${step} steps an image differs from the same one alone or in another order`;
          requires(same, () => `${fault}; reduce over the axes of the image, never over the batch`);
        });
      }
    }
  },
};

const keepsIterationsApart: Law = {
  name: 'takes every image at its own iteration',
  check: (subject) =>
    tf.tidy(() => {
      const last = stepsOf(subject) - 1;
      if (last < 0) return;
      // Image 0 is about to take its last step when image 1 comes into the slot beside it.
      let old = begin(onSmooth(subject, [0]));
      for (let step = 0; step < last; step++) old = advance(onSmooth(subject, [0]), old, [step]);
      const fresh = begin(onSmooth(subject, [1]));
      const joined = Object.entries(old).map(([name, tensor]) => [name, tf.concat([tensor, fresh[name] as tf.Tensor])]);
      const beside = candidates(advance(onSmooth(subject, [0, 1]), Object.fromEntries(joined), [last, 0]));
      const alone = [
        ...candidates(advance(onSmooth(subject, [0]), old, [last])),
        ...candidates(advance(onSmooth(subject, [1]), fresh, [0])),
      ];
      beside.forEach((x, row) => {
        requires(
          sameBytes(x, alone[row]),
          () => 'an image differs beside one that is at another step; read context.iteration image by image',
        );
      });
    }),
};

export const INDEPENDENCE: readonly Law[] = [repeatsItself, keepsImagesApart, keepsIterationsApart];
