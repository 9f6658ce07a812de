/** Laws on where the candidates lie: every one of them, not the last alone, since every one counts. */
import { distance } from '../evaluate/verify.ts';
import { type Law, requires, type Subject } from './law.ts';
import { inScenes, iteratesOf, type Scene, scenesOf } from './scene.ts';
import { IDS, imageOf } from './stage.ts';

const TOLERANCE = 1e-6;

type Complaint = (x: Float32Array, id: number, epsilon: number) => string | undefined;

/** A law that every candidate of every scene must obey. */
const everyCandidate = (name: string, complain: (subject: Subject) => Complaint, scenes = scenesOf): Law =>
  inScenes(name, scenes, (subject, scene) => {
    const complaint = complain(subject);
    iteratesOf(subject, scene).forEach((images, step) => {
      images.forEach((x, row) => {
        const found = complaint(x, scene.ids[row] as number, scene.epsilon);
        requires(found === undefined, () => `after ${step} steps ${found}`);
      });
    });
  });

/** Attacks of minimum norm are given a ball that holds all images. */
const hasABall = ({ attack }: Subject): boolean => attack.minimumNorm !== true;

const pointScene: Scene = { classifier: 0, ids: IDS, epsilon: 0, targeted: false, seed: 1 };

const staysAtRadiusZero: Law = {
  name: 'gives the images back at radius 0',
  check: (subject) => {
    if (!hasABall(subject)) return;
    iteratesOf(subject, pointScene).forEach((images, step) => {
      images.forEach((x, row) => {
        const moved = distance('Linf', x, imageOf(IDS[row] as number));
        requires(moved <= TOLERANCE, () => `a pixel has moved by ${moved} after ${step} steps; use ball.project`);
      });
    });
  },
};

const staysInTheBall = everyCandidate('stays in the ball', (subject) => (x, id, epsilon) => {
  if (!hasABall(subject)) return undefined;
  const far = distance(subject.norm, x, imageOf(id));
  const allowed = epsilon + TOLERANCE * Math.max(1, epsilon);
  return far > allowed ? `the distance from the clean image is ${far}; use ball.project` : undefined;
});

const staysInTheBox = everyCandidate('stays in the box', () => (x) => {
  const outside = x.find((value) => value < 0 || value > 1);
  return outside === undefined ? undefined : `a pixel is ${outside}, and images live in [0,1]; use ball.project`;
});

const staysFinite = everyCandidate('stays finite', () => (x) => {
  const odd = x.find((value) => !Number.isFinite(value));
  return odd === undefined ? undefined : `a pixel is ${odd}; a gradient may be zero: use ball.steepest`;
});

export const PLACE: readonly Law[] = [staysAtRadiusZero, staysInTheBall, staysInTheBox, staysFinite];
