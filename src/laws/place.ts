/** Laws on where the candidates lie: every one of them, not the last alone, since every one counts. */
import { distance, type Made, refusal, TOLERANCE } from '../evaluate/pool/verify.ts';
import { type Law, requires, type Subject } from './law.ts';
import { inScenes, iteratesOf, type Scene, scenesOf } from './scene.ts';
import { IDS, INPUT, imageOf } from './stage.ts';

type Complaint = (made: Made, id: number, epsilon: number) => string | undefined;

/** A law that every candidate of every scene must obey. */
const everyCandidate = (name: string, complain: (subject: Subject) => Complaint): Law =>
  inScenes(name, scenesOf, (subject, scene) => {
    const complaint = complain(subject);
    iteratesOf(subject, scene).forEach((images, step) => {
      images.forEach((made, row) => {
        const found = complaint(made, scene.ids[row] as number, scene.epsilon);
        requires(found === undefined, () => `after step ${step} ${found}`);
      });
    });
  });

/** Attacks of minimum norm are given a ball that holds all images. */
const hasABall = ({ attack }: Pick<Subject, 'attack'>): boolean => attack.minimumNorm !== true;

const pointScene: Scene = { classifier: 0, ids: IDS, epsilon: 0, targeted: false, seed: 1 };

const staysAtRadiusZero: Law = {
  name: 'gives the images back at radius 0',
  check: (subject) => {
    if (!hasABall(subject)) return;
    iteratesOf(subject, pointScene).forEach((images, step) => {
      images.forEach(({ x }, row) => {
        const moved = distance('Linf', x, imageOf(IDS[row] as number));
        requires(moved <= TOLERANCE, () => `a pixel has moved by ${moved} after step ${step}; use ball.project`);
      });
    });
  },
};

const staysInTheBall = everyCandidate('stays in the ball', ({ attack, norm }) => (made, id, epsilon) => {
  if (!hasABall({ attack }) || norm === 'spatial') return undefined;
  const far = distance(norm, made.x, imageOf(id));
  const allowed = epsilon + TOLERANCE * Math.max(1, epsilon);
  return far > allowed ? `the distance from the clean image is ${far}; use ball.project` : undefined;
});

const staysInItsPose = everyCandidate(
  'that shifts and turns makes nothing but the clean image in the pose it states',
  ({ norm }) =>
    (made, id, epsilon) => {
      if (norm !== 'spatial') return undefined;
      const refused = refusal(made, imageOf(id), { norm, epsilon, input: INPUT });
      return refused && `a candidate is ${refused}; give x as context.render(pose) and pose [B, 3] beside it`;
    },
);

const staysInTheBox = everyCandidate('stays in the box', () => ({ x }) => {
  const outside = x.find((value) => value < 0 || value > 1);
  return outside === undefined ? undefined : `a pixel is ${outside}, and images live in [0,1]; use ball.project`;
});

const staysFinite = everyCandidate('stays finite', () => ({ x }) => {
  const odd = x.find((value) => !Number.isFinite(value));
  return odd === undefined ? undefined : `a pixel is ${odd}; a gradient may be zero: use ball.steepest`;
});

export const PLACE: readonly Law[] = [staysAtRadiusZero, staysInTheBall, staysInItsPose, staysInTheBox, staysFinite];
