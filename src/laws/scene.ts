/** Scenes: what an attack is let loose on, so that a law can be tried in many and a broken one shown in the smallest. */

import type { Made } from '../evaluate/pool/verify.ts';
import { BrokenLaw, type Law, type Subject } from './law.ts';
import { CLASSIFIERS, IDS, type Performance, performed, RADII, repeated } from './stage.ts';

/** All of a performance but its attack and norm. */
export interface Scene {
  /** Index of one of `CLASSIFIERS`. */
  readonly classifier: number;
  /** Which images, in which order. */
  readonly ids: readonly number[];
  readonly epsilon: number;
  readonly targeted: boolean;
  readonly seed: number;
}

/** A law that must hold in every scene. */
export interface SceneLaw extends Law {
  /** @throws BrokenLaw saying how */
  inScene(subject: Subject, scene: Scene): void;
}

export const performanceOf = ({ attack, norm }: Subject, scene: Scene): Performance => ({
  ...{ attack, norm, ids: scene.ids, targeted: scene.targeted, seed: scene.seed },
  classifier: CLASSIFIERS[scene.classifier] as Performance['classifier'],
  epsilons: repeated(scene.epsilon, scene.ids.length),
});

/** Every classifier, targeted or not, with a small and a large radius; one where the attack is given none. */
export const scenesOf = ({ attack, norm }: Subject): Scene[] => {
  const radii = attack.minimumNorm === true ? RADII[norm].slice(1) : RADII[norm];
  return [...CLASSIFIERS.keys()].flatMap((classifier) =>
    [false, true].flatMap((targeted) => radii.map((epsilon) => ({ classifier, ids: IDS, epsilon, targeted, seed: 1 }))),
  );
};

/** A law that is tried in the scenes given. */
export const inScenes = (
  name: string,
  scenes: (subject: Subject) => readonly Scene[],
  inScene: SceneLaw['inScene'],
): SceneLaw => ({
  name,
  inScene,
  check: (subject) => {
    for (const scene of scenes(subject)) {
      try {
        inScene(subject, scene);
      } catch (error) {
        if (!(error instanceof BrokenLaw)) throw error;
        throw new BrokenLaw(`${error.message} (${sceneInWords(subject, scene)})`);
      }
    }
  },
});

export const isSceneLaw = (law: Law): law is SceneLaw => 'inScene' in law;

type Played = readonly (readonly Made[])[];

const played = new WeakMap<Subject['attack'], Map<string, Played>>();

/** What was made of every image at every step: performed once for all laws that look at it. */
export function iteratesOf(subject: Subject, scene: Scene): Played {
  const known = played.get(subject.attack) ?? new Map<string, Played>();
  played.set(subject.attack, known);
  const key = JSON.stringify([subject.norm, scene]);
  const iterates = known.get(key) ?? performed(performanceOf(subject, scene));
  known.set(key, iterates);
  return iterates;
}

/** A scene in words: `images 0, 2 on the smooth classifier, radius 0.03 in Linf, untargeted, seed 1`. */
export function sceneInWords({ norm }: Subject, { classifier, ids, epsilon, targeted, seed }: Scene): string {
  const images = ids.length === 1 ? `image ${ids[0]} alone` : `images ${ids.join(', ')}`;
  const goal = targeted ? 'targeted' : 'untargeted';
  return `${images}, a classifier that is ${CLASSIFIERS[classifier]?.name}, radius ${epsilon} in ${norm}, ${goal}, seed ${seed}`;
}
