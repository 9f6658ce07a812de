/** Laws on what an image's candidates may depend on: its own image, radius, iteration and seed, and nothing beside it. */
import type { AttackState } from '../core/attack.ts';
import { tf } from '../tf.ts';
import { type Law, requires, type Subject, sameBytes } from './law.ts';
import { inScenes, performanceOf, type Scene } from './scene.ts';
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

const onLarge = ({ norm }: Subject): Scene[] =>
  [false, true].map((targeted) => ({ classifier: 0, ids: IDS, epsilon: RADII[norm][1], targeted, seed: 1 }));

const repeatsItself = inScenes('repeats itself under the same seed', onLarge, (subject, scene) => {
  const again = perform(performanceOf(subject, scene));
  perform(performanceOf(subject, scene)).forEach((images, step) => {
    images.forEach((x, row) => {
      requires(
        sameBytes(x, again[step]?.[row]),
        () => `two runs differ after step ${step}; all randomness must come from context.noise`,
      );
    });
  });
});

/** The candidates of every image, under a radius of its own. */
function trails(subject: Subject, scene: Scene, ids: readonly number[]): Map<number, Float32Array[]> {
  const epsilons = ids.map((id) => (scene.epsilon * (1 + id)) / (1 + Math.max(...scene.ids)));
  const iterates = perform({ ...performanceOf(subject, scene), ids, epsilons });
  return new Map(ids.map((id, row) => [id, iterates.map((images) => images[row] as Float32Array)]));
}

const keepsImagesApart = inScenes('takes every image on its own, with its own radius', onLarge, (subject, scene) => {
  const together = trails(subject, scene, scene.ids);
  const backwards = trails(subject, scene, scene.ids.toReversed());
  for (const id of scene.ids) {
    const alone = trails(subject, scene, [id]).get(id);
    together.get(id)?.forEach((x, step) => {
      const same = sameBytes(x, alone?.[step]) && sameBytes(x, backwards.get(id)?.[step]);
      const fault = `after step ${step} image ${id} differs from the same one alone or in another order`;
      requires(same, () => `${fault}; reduce over the axes of the image, never over the batch`);
    });
  }
});

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
      const beside = candidates(
        advance(onSmooth(subject, [0, 1]), Object.fromEntries(joined) as AttackState, [last, 0]),
        [0, 1],
      );
      const alone = [
        ...candidates(advance(onSmooth(subject, [0]), old, [last]), [0]),
        ...candidates(advance(onSmooth(subject, [1]), fresh, [0]), [1]),
      ];
      beside.forEach(({ x }, row) => {
        requires(
          sameBytes(x, alone[row]?.x),
          () => 'an image differs beside one that is at another step; read context.iteration image by image',
        );
      });
    }),
};

export const INDEPENDENCE: readonly Law[] = [repeatsItself, keepsImagesApart, keepsIterationsApart];
