/** All the work of one attack on one classifier, at several radii at once: one pool of lanes that flows through the slots. */
import type { Norm } from '../core/threat-model.ts';
import type { Judge } from './engine.ts';
import type { SelectedImage } from './images.ts';
import { stopIfAborted } from './plan.ts';
import { stepsAt, triesAt } from './rehearse.ts';
import { type Candidate, type Initialised, type Lane, makeLane, Slots, type SlotsSpec, Starter } from './slots.ts';
import { judgeAll, logitsReach, refusal, roundTo8Bits } from './verify.ts';

/** An image and the indices of the radii to attack it at. */
export interface Assignment {
  readonly image: SelectedImage;
  readonly radii: readonly number[];
}

/** What became of one image at one radius. */
export interface Outcome {
  /** Index of the image in the selection. */
  readonly image: number;
  /** Index of the radius. */
  readonly radius: number;
  /** No confirmed candidate of any restart reached the adversary's goal. */
  readonly robust: boolean;
  /** The final candidate does not reach the goal once it is rounded to 8 bits. */
  readonly robust8bit: boolean;
  /** Candidates that would have counted but were not confirmed, or that the network has no numbers for. */
  readonly unverified: number;
  readonly gradients: number;
  readonly forwards: number;
  /** The confirmed adversarial image, or else where the last restart ended. */
  readonly candidate: Float32Array;
}

export interface PoolSpec extends SlotsSpec {
  readonly judge: Judge;
  readonly norm: Norm;
  /** Radii in pixel units. */
  readonly epsilons: readonly number[];
  readonly restarts: number;
  /** In the order in which they are begun. Pulled as slots fall free, so only a window of images is ever held. */
  readonly work: AsyncIterable<Assignment>;
  /** Values of one image. */
  readonly pixels: number;
  /** `false` waits until all slots are done before any is filled again, as fixed batches do: for comparison only. */
  readonly refill?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onSettled: (outcomes: readonly Outcome[]) => Promise<void>;
}

/** How well the slots were used. */
export interface PoolReport {
  /** Calls of the compiled step. */
  readonly calls: number;
  /** Slots that held an item, summed over the calls; at most calls × B. */
  readonly occupied: number;
}

/**
 * Runs the pool to its end.
 *
 * @throws Interrupted after the step at hand, if the signal is aborted
 */
export async function runPool(spec: PoolSpec): Promise<PoolReport> {
  const { engine, rehearsal, signal, refill = true } = spec;
  const { batch } = engine;
  const lanes = new LaneQueue(spec);
  const starter = new Starter(spec, spec.pixels);
  const slots = new Slots(spec, spec.pixels);
  const ready: Initialised[] = [];
  const ended: Candidate[] = [];
  let [calls, occupied] = [0, 0];

  /** Makes the next states, if lanes wait. Attacks without steps end where they begin. */
  const start = async (): Promise<boolean> => {
    const next = await lanes.take(batch);
    if (next.length === 0) return false;
    for (const made of await starter.start(next)) {
      if (stepsAt(rehearsal, made.lane.epsilon) > 0) ready.push(made);
      else ended.push({ lane: made.lane, x: made.state.x as Float32Array, claimed: false });
    }
    return true;
  };
  const fill = async (): Promise<void> => {
    if (!refill && slots.active > 0) return;
    while (slots.free > 0 && ended.length < batch) {
      if (ready.length === 0 && !(await start())) return;
      while (slots.free > 0 && ready.length > 0) slots.place(ready.shift() as Initialised);
    }
  };

  try {
    for (;;) {
      // ONNX Runtime holds the event loop while it runs: let signals and timers in.
      await new Promise(setImmediate);
      stopIfAborted(signal);
      await fill();
      if (slots.active > 0) {
        calls += 1;
        occupied += slots.active;
        ended.push(...(await slots.step()));
      }
      const idle = slots.active === 0 && ready.length === 0;
      if (ended.length >= batch || (idle && ended.length > 0)) {
        lanes.again(await settle(spec, ended.splice(0, batch)));
      } else if (idle && (await lanes.isEmpty())) {
        return { calls, occupied };
      }
    }
  } finally {
    await lanes.close();
  }
}

/** Lanes that wait for their next try: restarts, and those of images that are still to come. */
class LaneQueue {
  readonly #waiting: Lane[] = [];
  readonly #work: AsyncIterator<Assignment>;
  readonly #epsilons: readonly number[];
  #exhausted = false;

  constructor({ work, epsilons }: PoolSpec) {
    this.#work = work[Symbol.asyncIterator]();
    this.#epsilons = epsilons;
  }

  async take(limit: number): Promise<Lane[]> {
    await this.#pull(limit);
    return this.#waiting.splice(0, limit);
  }

  again(lanes: readonly Lane[]): void {
    this.#waiting.push(...lanes);
  }

  async isEmpty(): Promise<boolean> {
    await this.#pull(1);
    return this.#waiting.length === 0;
  }

  /** Lets go of the images that were not pulled. */
  async close(): Promise<void> {
    await this.#work.return?.();
  }

  async #pull(limit: number): Promise<void> {
    while (!this.#exhausted && this.#waiting.length < limit) {
      const next = await this.#work.next();
      this.#exhausted = next.done === true;
      if (next.done === true) return;
      const { image, radii } = next.value;
      this.#waiting.push(...radii.map((radius) => makeLane(image, radius, this.#epsilons[radius] as number)));
    }
  }
}

/**
 * Candidates with their logits. One that stands where the goal is lost again, after steps that went on beyond it, gives way
 * to the one that had reached it.
 */
async function judged({ judge, goal }: PoolSpec, candidates: readonly Candidate[]) {
  const logitsOf = (list: readonly Candidate[]): Promise<Float32Array[]> =>
    judgeAll(
      judge,
      list.map(({ x }) => x),
    );
  const logits = await logitsOf(candidates);
  const chosen = candidates.map((candidate, i) => {
    const { lane } = candidate;
    const { passed } = lane;
    lane.passed = undefined;
    if (passed === undefined || logitsReach(goal, lane.image.label, logits[i] as Float32Array)) return candidate;
    lane.forwards += 1;
    return { lane, x: passed.x, claimed: true };
  });
  const replaced = chosen.filter((candidate, i) => candidate !== candidates[i]);
  const anew = new Map((await logitsOf(replaced)).map((seen, i) => [replaced[i], seen]));
  return chosen.map((candidate, i) => ({ candidate, seen: anew.get(candidate) ?? (logits[i] as Float32Array) }));
}

/** Verifies candidates, reports the lanes that are settled, and returns those that have another restart. */
async function settle(spec: PoolSpec, candidates: readonly Candidate[]): Promise<Lane[]> {
  const { judge, norm, goal, rehearsal, restarts } = spec;
  const again: Lane[] = [];
  const final: { readonly candidate: Candidate; readonly success: boolean; readonly refused: boolean }[] = [];
  for (const { candidate, seen } of await judged(spec, candidates)) {
    const { lane, x, claimed } = candidate;
    const refused = refusal(x, lane.image.pixels, norm, lane.epsilon);
    const reached = logitsReach(goal, lane.image.label, seen);
    const success = reached && refused === undefined;
    // A candidate that no step looked at had its judging here.
    if (!claimed) lane.forwards += 1;
    // Numbers that are none withstand nothing: they are counted, lest a broken network look robust.
    const isBroken = refused === 'not finite' || seen.some(Number.isNaN);
    if (!success && (claimed || reached || isBroken)) lane.unverified += 1;
    lane.restart += 1;
    if (!success && lane.restart < triesAt(rehearsal, lane.epsilon, restarts)) again.push(lane);
    else final.push({ candidate, success, refused: refused !== undefined });
  }
  const rounded = await judgeAll(
    judge,
    final.map(({ candidate }) => roundTo8Bits(candidate.x)),
  );
  const outcomes = final.map(({ candidate: { lane, x }, success, refused }, i): Outcome => {
    const { image, radius, unverified, gradients, forwards } = lane;
    const robust8bit = refused || !logitsReach(goal, image.label, rounded[i] as Float32Array);
    return { image: image.index, radius, robust: !success, robust8bit, unverified, gradients, forwards, candidate: x };
  });
  if (outcomes.length > 0) await spec.onSettled(outcomes);
  return again;
}
