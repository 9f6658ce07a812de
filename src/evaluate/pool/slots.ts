/**
 * Slots: a compiled step has room for B items, and whenever one of them is done, fooled or out of steps, the next takes its
 * place at once, whatever radius that one has. So no slot idles while a stubborn image finishes.
 *
 * An item is one try at one image and radius. It needs nothing of its neighbours, and its noise is keyed by image, restart
 * and step, so neither B nor the order of work changes any result.
 */
import { isResident, takenHome, type Whereabouts } from '../../compile/resident.ts';
import type { Goal, Threat } from '../../core/threat-model.ts';
import type { Fields } from '../rehearse/fields.ts';
import { type Rehearsal, stepsAt } from '../rehearse/rehearse.ts';
import { type Arrays, type AttackEngine, buffersFor, type FittedItems, fittedItems, type Items } from './engine.ts';
import { type Lane, pass, targetOf } from './lanes.ts';
import { NoiseBuffers } from './noise.ts';
import { row, SlotState } from './slot-state.ts';
import { distance, type Made, reaches } from './verify.ts';

/** Where a try at a lane ended; with the clean image where the attack has no candidate. */
export interface Candidate extends Made {
  readonly lane: Lane;
  /** Whether the step's own forward pass found the goal reached; an item out of steps was not looked at again. */
  readonly claimed: boolean;
  /** Steps that its try had taken when it was made. */
  readonly at: number;
  /** Of a claim: how its try goes on if it is not confirmed. */
  readonly onward?: Paused;
}

/** A lane whose state is made, waiting for a slot. */
export interface Initialised {
  readonly lane: Lane;
  readonly state: Arrays;
  /** Steps that it has taken; none by default. */
  readonly iteration?: number;
}

/** A try that has left its slot while its claim is looked at. */
export interface Paused extends Initialised {
  /** No step is left: it ends where it stands. */
  readonly isOver: boolean;
}

export interface SlotsSpec {
  readonly engine: AttackEngine;
  readonly rehearsal: Rehearsal;
  readonly norm: Threat;
  readonly goal: Goal;
  readonly seed: number;
  /** What the attack was fitted with, by index of the radius. */
  readonly fitted?: readonly Arrays[] | undefined;
  /** `false` lets every item take all its steps; what reached the goal on the way still counts. */
  readonly earlyStop?: boolean;
}

function makeItems(batch: number, pixels: number, fitted: Fields = {}): Items {
  return {
    ...fittedItems(buffersFor(fitted, batch)),
    clean: new Float32Array(batch * pixels),
    label: new Int32Array(batch),
    target: new Int32Array(batch),
    epsilon: new Float32Array(batch),
    iteration: new Float32Array(batch),
  };
}

function setItem(items: Items, slot: number, lane: Lane, fitted: SlotsSpec['fitted']): void {
  const { image, epsilon, radii } = lane;
  items.clean.set(image.pixels, slot * image.pixels.length);
  items.label[slot] = image.label;
  items.target[slot] = targetOf(lane);
  items.epsilon[slot] = epsilon;
  items.iteration[slot] = 0;
  const here = fittedItems(fitted?.[radii[0] as number] ?? {});
  for (const [name, array] of Object.entries(here)) {
    const all = items[name as keyof FittedItems];
    if (all !== undefined) row(all, slot, items.label.length).set(array);
  }
}

/** Makes the initial states of up to B lanes in one call. */
export class Starter {
  readonly #spec: SlotsSpec;
  readonly #items: Items;
  readonly #noise: NoiseBuffers;

  constructor(spec: SlotsSpec, pixels: number) {
    this.#spec = spec;
    this.#items = makeItems(spec.engine.batch, pixels, spec.rehearsal.fit?.fitted);
    this.#noise = new NoiseBuffers(spec.rehearsal.init.noise, spec.engine.batch);
  }

  async start(lanes: readonly Lane[]): Promise<Initialised[]> {
    const { engine, rehearsal, seed, fitted } = this.#spec;
    lanes.forEach((lane, slot) => {
      setItem(this.#items, slot, lane, fitted);
      this.#noise.fill(slot, { seed, image: lane.image.hash, restart: lane.tries, step: 0 });
      lane.gradients += rehearsal.init.gradients;
      lane.forwards += rehearsal.init.forwards;
    });
    const made = Object.entries(await engine.init(this.#items, this.#noise.arrays));
    return lanes.map((lane, slot) => ({
      lane,
      state: Object.fromEntries(made.map(([name, array]) => [name, row(array, slot, engine.batch).slice()])),
    }));
  }
}

/** Whether a field of truth values holds for a slot; these are always here. */
const isSet = (state: Whereabouts, name: string, slot: number): boolean => {
  const values = state[name];
  return values !== undefined && !isResident(values) && values[slot] === 1;
};

const isCandidate = (state: Arrays, slot: number): boolean => state.isCandidate?.[slot] !== 0;

/** The candidate in a slot, or the clean image where there is none. */
export function candidateOf(state: Arrays, slot: number, { image: { pixels } }: Lane): Made {
  const isHere = isCandidate(state, slot);
  const x = isHere ? (state.x as Float32Array).slice(slot * pixels.length, (slot + 1) * pixels.length) : pixels;
  if (state.pose === undefined) return { x };
  const [right = 0, down = 0, turn = 0] = isHere ? state.pose.subarray(3 * slot, 3 * slot + 3) : [];
  return { x, pose: [right, down, turn] };
}

/** Candidates of a try of minimum norm that are kept: so near the boundary, the verification may take one for the other side. */
const NEAREST = 4;

export class Slots {
  readonly #spec: SlotsSpec;
  readonly #lanes: (Lane | undefined)[];
  readonly #items: Items;
  readonly #state: SlotState;
  readonly #noise: NoiseBuffers;
  /** How many slots hold an item. */
  active = 0;

  constructor(spec: SlotsSpec, pixels: number) {
    const { batch } = spec.engine;
    this.#spec = spec;
    this.#lanes = Array.from({ length: batch });
    this.#items = makeItems(batch, pixels, spec.rehearsal.fit?.fitted);
    this.#state = new SlotState(spec.rehearsal.state, batch);
    this.#noise = new NoiseBuffers(spec.rehearsal.step.noise, batch);
  }

  get free(): number {
    return this.#lanes.length - this.active;
  }

  /** @throws Error if no slot is free */
  place({ lane, state, iteration = 0 }: Initialised): void {
    const slot = this.#lanes.indexOf(undefined);
    if (slot < 0) throw new Error('no slot is free');
    this.#lanes[slot] = lane;
    this.active += 1;
    setItem(this.#items, slot, lane, this.#spec.fitted);
    this.#items.iteration[slot] = iteration;
    this.#state.place(slot, state);
  }

  /**
   * One step of every item. Those whose entering candidate reaches the goal claim to end with it (if early stop is on) and
   * wait for their verification with the step taken; those that are finished or out of steps end with their new one. The
   * slots of all are free afterwards.
   */
  async step(): Promise<Candidate[]> {
    const { engine, rehearsal, seed } = this.#spec;
    const stopsEarly = (this.#spec.earlyStop ?? true) && !rehearsal.minimumNorm;
    const occupied = [...this.#lanes.entries()].filter((entry): entry is [number, Lane] => entry[1] !== undefined);
    for (const [slot, { image, tries }] of occupied) {
      const step = (this.#items.iteration[slot] as number) + 1;
      this.#noise.fill(slot, { seed, image: image.hash, restart: tries, step });
    }
    const stepped = await engine.step(await this.#state.entering(), this.#items, this.#noise.arrays);
    const seen = occupied.map(([slot, lane]) => {
      const iteration = (this.#items.iteration[slot] as number) + 1;
      const reached = this.#reached(slot, lane, stepped.predicted, stepped.margin);
      const isFinished = isSet(stepped.state, 'isFinished', slot) || iteration === stepsAt(rehearsal, lane.epsilon);
      return { slot, lane, iteration, reached, isFinished, claimed: reached && stopsEarly };
    });
    // Brought home only where somebody looks at it.
    const before = seen.some(({ reached }) => reached) ? await this.#state.before() : this.#state.here;
    const isEnd = seen.some(({ claimed, isFinished }) => claimed || isFinished);
    const after = isEnd ? await takenHome(stepped.state) : {};
    const ended: Candidate[] = [];
    for (const { slot, lane, iteration, reached, isFinished, claimed } of seen) {
      lane.gradients += rehearsal.step.gradients;
      lane.forwards += rehearsal.step.forwards;
      this.#items.iteration[slot] = iteration;
      const taken = lane.tries * stepsAt(rehearsal, lane.epsilon) + iteration - 1;
      if (isCandidate(this.#state.here, slot)) lane.trace?.note(taken, stepped.margin[slot] as number);
      if (reached && !stopsEarly) {
        this.#pass(slot, lane, before, stepped.margin[slot] as number);
        lane.reachedAt ??= iteration - 1;
      }
      if (!claimed && !isFinished) continue;
      ended.push({
        ...{ lane, claimed, at: claimed ? iteration - 1 : iteration },
        ...candidateOf(claimed ? before : after, slot, lane),
        ...(claimed ? { onward: { ...this.#pause(slot, lane, after), iteration, isOver: isFinished } } : {}),
      });
      this.#lanes[slot] = undefined;
      this.active -= 1;
    }
    this.#state.take(isEnd ? after : stepped.state);
    return ended;
  }

  #pause(slot: number, lane: Lane, after: Arrays): Initialised {
    const own = Object.entries(after).map(([name, array]) => [name, row(array, slot, this.#lanes.length).slice()]);
    return { lane, state: Object.fromEntries(own) };
  }

  #pass(slot: number, lane: Lane, state: Arrays, margin: number): void {
    const { rehearsal, norm } = this.#spec;
    if (!rehearsal.minimumNorm || norm === 'spatial') {
      pass(lane, 1, margin, () => candidateOf(state, slot, lane));
      return;
    }
    const x = row(state.x as Float32Array, slot, this.#lanes.length);
    pass(lane, NEAREST, -distance(norm, x, lane.image.pixels), () => candidateOf(state, slot, lane));
  }

  /** A margin that is no number means a candidate that is none either: nothing is claimed for it. */
  #reached(slot: number, { image }: Lane, predicted: Int32Array, margin: Float32Array): boolean {
    if (!isCandidate(this.#state.here, slot) || Number.isNaN(margin[slot])) return false;
    return reaches(this.#spec.goal, image.label, predicted[slot] as number);
  }
}
