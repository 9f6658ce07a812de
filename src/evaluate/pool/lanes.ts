/**
 * Lanes: an image on its way through the radii, from the smallest up. An image that has fallen at one radius has fallen at
 * all larger ones, whose balls hold the same adversarial image, and is attacked no more.
 */
import { elements } from '../../core/draws.ts';
import { diameterOf } from '../../core/threat-model.ts';
import type { SelectedImage } from '../images.ts';
import { stepsAt, triesAt } from '../rehearse/rehearse.ts';
import type { Judge } from './engine.ts';
import type { PoolSpec } from './pool.ts';
import { Trace } from './trace.ts';
import { judgeAll, type Made } from './verify.ts';

/** An image and the radii to attack it at, by index. */
export interface Assignment {
  readonly image: SelectedImage;
  /** By ascending radius. */
  readonly radii: readonly number[];
  /** A radius that is attacked even if a smaller one has fallen: its picture is wanted. */
  readonly exhibited?: number | undefined;
  /** What is known of a smaller radius that fell in an earlier attempt of the run. */
  readonly fallen?: Fallen | undefined;
}

/** An adversarial image of a smaller radius. */
export interface Fallen {
  /** Whether the image stands once the adversarial one is rounded to 8 bits. */
  readonly robust8bit: boolean;
  /** What it is taken for, if that is known. */
  readonly predicted: number | null;
  /** Absent if an earlier attempt of the run found it. */
  readonly made?: Made;
}

/** An image at one radius, or of an attack of minimum norm at all radii at once, and what was spent on it. */
export interface Lane extends Assignment {
  /** Of the ball that is attacked: that of the first of `radii`, or one that holds all images. */
  readonly epsilon: number;
  /** The classes that its tries are aimed at in turn; its label where they are not aimed. */
  readonly targets: readonly number[];
  /** Tries that have ended. */
  tries: number;
  gradients: number;
  forwards: number;
  unverified: number;
  /** Whether a claim of the try at hand was not confirmed, so that it went on. */
  isDoubted: boolean;
  /** The best candidates that reached the goal on the way of a try that went on, the best first. */
  readonly passed: Passed[];
  /** Of an attack of minimum norm: the nearest confirmed adversarial image of all tries so far. */
  nearest?: Nearest | undefined;
  /** Of the try at hand, where it goes on: after how many steps it first reached the goal. */
  reachedAt?: number | undefined;
  /** Its loss at the radius at hand, if that is watched. */
  readonly trace?: Trace | undefined;
}

/** The nearest adversarial image, and what it is taken for. */
export interface Nearest extends Passed {
  readonly predicted: number | null;
}

export interface Passed extends Made {
  /** Larger is better: the margin, or of an attack of minimum norm the distance from the clean image, negated. */
  readonly merit: number;
}

/** Keeps a candidate if it is among the best `count`; one whose merit is no number is none. */
export function pass({ passed }: Lane, count: number, merit: number, made: () => Made): void {
  if (Number.isNaN(merit)) return;
  const place = passed.findIndex((other) => merit > other.merit);
  if (place < 0 && passed.length >= count) return;
  passed.splice(place < 0 ? passed.length : place, 0, { ...made(), merit });
  passed.length = Math.min(passed.length, count);
}

/** The class that the try at hand is aimed at. */
export const targetOf = ({ targets, tries }: Lane): number => targets[tries % targets.length] as number;

type LaneSpec = Pick<
  PoolSpec,
  'work' | 'epsilons' | 'goal' | 'norm' | 'judge' | 'rehearsal' | 'input' | 'restarts' | 'watch'
>;

/** Numbers in the images of waiting lanes, beyond which no new image is pulled: 64 MB of them. */
const WINDOW = 2 ** 24;

/**
 * Lanes that wait for their next try: other radii, restarts, and those of images that are still to come.
 *
 * Those with the most radii before them go first, new images above all: a lane goes through its radii one after another, and
 * one that is begun last would finish alone, with all other slots idle.
 */
export class LaneQueue {
  readonly #spec: LaneSpec;
  readonly #work: AsyncIterator<Assignment>;
  readonly #waiting: Lane[] = [];
  readonly #window: number;
  #exhausted = false;

  constructor(spec: LaneSpec) {
    this.#spec = spec;
    this.#work = spec.work[Symbol.asyncIterator]();
    this.#window = Math.floor(WINDOW / elements(spec.input));
  }

  async take(limit: number): Promise<Lane[]> {
    await this.#pull(limit);
    this.#waiting.sort((a, b) => b.radii.length - a.radii.length);
    return this.#waiting.splice(0, limit);
  }

  again(lanes: readonly Lane[]): void {
    this.#waiting.push(...lanes);
  }

  async isEmpty(): Promise<boolean> {
    if (this.#waiting.length === 0) await this.#pull(1);
    return this.#waiting.length === 0;
  }

  /** Lets go of the images that were not pulled. */
  async close(): Promise<void> {
    await this.#work.return?.();
  }

  /** New images: as many as there are places for, unless those that wait hold too much as it is. */
  async #pull(places: number): Promise<void> {
    const pulled: Assignment[] = [];
    const most = Math.max(places, Math.min(this.#window, this.#waiting.length + places));
    while (!this.#exhausted && this.#waiting.length + pulled.length < most) {
      const next = await this.#work.next();
      this.#exhausted = next.done === true;
      if (next.done !== true) pulled.push(next.value);
    }
    const targets = await this.#targetsOf(pulled);
    this.#waiting.push(...pulled.map((assignment, i) => makeLane(this.#spec, assignment, targets[i] as number[])));
  }

  async #targetsOf(pulled: readonly Assignment[]): Promise<number[][]> {
    const { goal, rehearsal, judge } = this.#spec;
    if (goal.kind === 'targeted') return pulled.map(() => [goal.target]);
    if (rehearsal.targets === undefined) return pulled.map(({ image }) => [image.label]);
    return likelyClasses(
      judge,
      pulled.map(({ image }) => image),
      rehearsal.targets,
    );
  }
}

/** The wrong classes of every image that its clean logits put first, by falling logit. */
async function likelyClasses(judge: Judge, images: readonly SelectedImage[], count: number): Promise<number[][]> {
  const logits = await judgeAll(
    judge,
    images.map(({ pixels }) => pixels),
  );
  return images.map(({ label }, i) => {
    const of = logits[i] as Float32Array;
    const wrong = [...of.keys()].filter((index) => index !== label);
    return wrong.sort((a, b) => (of[b] as number) - (of[a] as number) || a - b).slice(0, count);
  });
}

function makeLane(spec: LaneSpec, assignment: Assignment, targets: number[]): Lane {
  const { epsilons, norm, rehearsal, input } = spec;
  const [first = 0] = assignment.radii;
  const epsilon = rehearsal.minimumNorm ? diameterOf(norm, elements(input)) : (epsilons[first] as number);
  // The classes to aim at took a look at the clean image.
  const forwards = rehearsal.targets === undefined ? 0 : 1;
  return {
    ...assignment,
    epsilon,
    targets,
    tries: 0,
    gradients: 0,
    forwards,
    unverified: 0,
    isDoubted: false,
    passed: [],
    trace: traceOf(spec, assignment, epsilon),
  };
}

/** The lane of the same image at its next radii, to which what was spent so far does not count. */
export function onwards(spec: LaneSpec, lane: Lane, radii: readonly number[], fallen: Fallen | undefined): Lane {
  const { image, exhibited, targets } = lane;
  const epsilon = spec.epsilons[radii[0] as number] as number;
  return {
    ...{ image, exhibited, targets, radii, epsilon, fallen, tries: 0, gradients: 0, forwards: 0, unverified: 0 },
    ...{ isDoubted: false, passed: [], trace: traceOf(spec, { image, radii, fallen }, epsilon) },
  };
}

/** Where the loss of an image is noted, if it is watched: not where a smaller ball has its adversarial image already. */
function traceOf(
  { watch, rehearsal, restarts }: LaneSpec,
  { image, radii, fallen }: Pick<Assignment, 'image' | 'radii' | 'fallen'>,
  epsilon: number,
): Trace | undefined {
  const steps = triesAt(rehearsal, epsilon, restarts) * stepsAt(rehearsal, epsilon);
  const isWatched = watch?.radii.has(radii[0] as number) === true && watch.traced.has(image.index);
  if (!isWatched || fallen !== undefined || epsilon === 0 || steps < 2 || rehearsal.minimumNorm) return undefined;
  return new Trace(steps);
}
