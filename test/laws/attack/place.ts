/** Laws on where the candidates lie: every one of them, not the last alone, since every one counts. */
import type { Attack } from '../../../src/core/attack.ts';
import type { Norm } from '../../../src/core/threat-model.ts';
import { distance } from '../../../src/evaluate/verify.ts';
import { type Law, requires, type Subject } from './law.ts';
import { CLASSIFIERS, IDS, imageOf, type Performance, perform, RADII, repeated, smooth } from './stage.ts';

const TOLERANCE = 1e-6;

interface Scene {
  readonly performance: Performance;
  readonly iterates: readonly (readonly Float32Array[])[];
}

const played = new WeakMap<Attack, Map<Norm, readonly Scene[]>>();

/** The attack on every classifier, targeted or not, with a small and a large radius: run once for several laws. */
function scenes({ attack, norm }: Subject): readonly Scene[] {
  const known = played.get(attack) ?? new Map<Norm, readonly Scene[]>();
  played.set(attack, known);
  const found = known.get(norm);
  if (found !== undefined) return found;
  const radii = hasABall({ attack }) ? RADII[norm] : RADII[norm].slice(1);
  const settings = CLASSIFIERS.flatMap((classifier) =>
    [false, true].flatMap((targeted) => radii.map((epsilon) => ({ classifier, targeted, epsilon }))),
  );
  const made = settings.map(({ classifier, targeted, epsilon }) => {
    const performance = { attack, norm, classifier, ids: IDS, epsilons: repeated(epsilon, IDS.length), targeted };
    return { performance, iterates: perform(performance) };
  });
  known.set(norm, made);
  return made;
}

type Complaint = (x: Float32Array, id: number, epsilon: number) => string | undefined;

function everyCandidate(subject: Subject, complain: Complaint): void {
  for (const { performance, iterates } of scenes(subject)) {
    const { classifier, targeted, epsilons } = performance;
    iterates.forEach((images, step) => {
      images.forEach((x, row) => {
        const epsilon = epsilons[row] as number;
        const complaint = complain(x, IDS[row] as number, epsilon);
        const goal = targeted ? 'targeted' : 'untargeted';
        const where = `after ${step} steps on a classifier that is ${classifier.name}, ${goal}, radius ${epsilon}`;
        requires(complaint === undefined, () => `${complaint} (${where})`);
      });
    });
  }
}

/** Attacks of minimum norm are given a ball that holds all images. */
const hasABall = ({ attack }: Pick<Subject, 'attack'>): boolean => attack.minimumNorm !== true;

const staysAtRadiusZero: Law = {
  name: 'gives the images back at radius 0',
  check: (subject) => {
    if (!hasABall(subject)) return;
    const { attack, norm } = subject;
    const epsilons = repeated(0, IDS.length);
    const iterates = perform({ attack, norm, classifier: smooth, ids: IDS, epsilons, targeted: false });
    iterates.forEach((images, step) => {
      images.forEach((x, row) => {
        const moved = distance('Linf', x, imageOf(IDS[row] as number));
        requires(moved <= TOLERANCE, () => `a pixel has moved by ${moved} after ${step} steps; use ball.project`);
      });
    });
  },
};

const staysInTheBall: Law = {
  name: 'stays in the ball',
  check: (subject) => {
    if (!hasABall(subject)) return;
    everyCandidate(subject, (x, id, epsilon) => {
      const far = distance(subject.norm, x, imageOf(id));
      const allowed = epsilon + TOLERANCE * Math.max(1, epsilon);
      return far > allowed ? `the distance from the clean image is ${far}; use ball.project` : undefined;
    });
  },
};

const staysInTheBox: Law = {
  name: 'stays in the box',
  check: (subject) =>
    everyCandidate(subject, (x) => {
      const outside = x.find((value) => value < 0 || value > 1);
      return outside === undefined ? undefined : `a pixel is ${outside}, and images live in [0,1]; use ball.project`;
    }),
};

const staysFinite: Law = {
  name: 'stays finite',
  check: (subject) =>
    everyCandidate(subject, (x) => {
      const odd = x.find((value) => !Number.isFinite(value));
      return odd === undefined ? undefined : `a pixel is ${odd}; a gradient may be zero: use ball.steepest`;
    }),
};

export const PLACE: readonly Law[] = [staysAtRadiusZero, staysInTheBall, staysInTheBox, staysFinite];
