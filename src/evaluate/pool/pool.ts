/** All the work of one attack on one classifier: one pool of lanes, at all their radii, that flows through the slots. */
import type { ImageShape } from '../../core/classifier.ts';
import { elements } from '../../core/draws.ts';
import { stopIfAborted } from '../plan.ts';
import { stepsAt } from '../rehearse/rehearse.ts';
import type { Judge } from './engine.ts';
import { type Assignment, LaneQueue } from './lanes.ts';
import { settle } from './settle.ts';
import type { Size } from './size.ts';
import { type Candidate, candidateOf, type Initialised, type Paused, Slots, type SlotsSpec, Starter } from './slots.ts';
import type { Made } from './verify.ts';

/** What became of one image at one radius. */
export interface Outcome {
  /** Index of the image in the selection. */
  readonly image: number;
  /** Index of the radius. */
  readonly radius: number;
  /** No confirmed candidate of any try reached the adversary's goal, at this radius or a smaller one. */
  readonly robust: boolean;
  /** Neither the final candidate nor that of a smaller radius reaches the goal once it is rounded to 8 bits. */
  readonly robust8bit: boolean;
  /** Candidates that would have counted but were not confirmed, or that the network has no numbers for. */
  readonly unverified: number;
  readonly gradients: number;
  readonly forwards: number;
  /** The confirmed adversarial image, be it of a smaller radius, or else where the last try ended. */
  readonly made: Made;
  /** Of an attack of minimum norm: how far the nearest adversarial image is; null if none was found. */
  readonly distance?: number | null;
  /**
   * After how many steps of all tries at this radius it fell, an attack of minimum norm after all; `before` if it had fallen
   * at a smaller radius; null if it stands.
   */
  readonly fell: number | 'before' | null;
  /** What `made` is taken for; null where the logits are no numbers. */
  readonly predicted: number | null;
  /** Of `made`, where it is watched, was made at this radius, and is an image that the adversary may make. */
  readonly size?: Size | undefined;
  /** Its loss at this radius, by the marks of the steps, where that is watched. */
  readonly margins?: Float32Array | undefined;
}

/** What is to be known of the attack beyond who withstands. */
export interface Watch {
  /** Radii, by index, at which perturbations are measured. */
  readonly radii: ReadonlySet<number>;
  /** Images, by index, whose loss is noted at these radii. */
  readonly traced: ReadonlySet<number>;
}

export interface PoolSpec extends SlotsSpec {
  readonly judge: Judge;
  /** Whether the attack looks at another classifier than the judge, as at other draws of a randomised defense. */
  readonly isStandIn?: boolean;
  /** Radii in pixel units. */
  readonly epsilons: readonly number[];
  readonly restarts: number;
  /** Nothing by default. */
  readonly watch?: Watch | undefined;
  /** In the order in which they are begun. Pulled as slots fall free, so only a window of images is ever held. */
  readonly work: AsyncIterable<Assignment>;
  /** The shape of one image. */
  readonly input: ImageShape;
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
  const pixels = elements(spec.input);
  const { batch } = engine;
  const lanes = new LaneQueue(spec);
  const starter = new Starter(spec, pixels);
  const slots = new Slots(spec, pixels);
  const ready: Initialised[] = [];
  const ended: Candidate[] = [];
  let [calls, occupied] = [0, 0];

  /** Makes the next states, if lanes wait. Attacks without steps end where they begin. */
  const start = async (): Promise<boolean> => {
    const next = await lanes.take(batch);
    if (next.length === 0) return false;
    for (const made of await starter.start(next)) {
      if (stepsAt(rehearsal, made.lane.epsilon) > 0) ready.push(made);
      else ended.push({ lane: made.lane, ...candidateOf(made.state, 0, made.lane), claimed: false, at: 0 });
    }
    return true;
  };
  /** Tries whose claims were not confirmed come before new ones: they hold images. */
  const resume = (paused: readonly Paused[]): void => {
    ready.unshift(...paused.filter(({ isOver }) => !isOver));
    for (const { lane, state, iteration = 0 } of paused.filter(({ isOver }) => isOver)) {
      ended.push({ lane, ...candidateOf(state, 0, lane), claimed: false, at: iteration });
    }
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
      // Free slots that nothing waits for: what has ended may go on in them. Judging has its price too, so not for a few.
      const starved = ready.length === 0 && (await lanes.isEmpty());
      const isWorthJudging = ended.length > 0 && ended.length >= slots.active / 4;
      if (ended.length >= batch || (starved && isWorthJudging)) {
        const unsettled = await settle(spec, ended.splice(0, batch));
        lanes.again(unsettled.lanes);
        resume(unsettled.paused);
      } else if (starved && slots.active === 0) {
        return { calls, occupied };
      }
    }
  } finally {
    await lanes.close();
  }
}
