/**
 * The attack's state of all slots. It stays on the device that computes, where that has a memory of its own, while nobody looks
 * at it: it comes home when a slot ends or is filled anew.
 */
import { disposeOf, home, isResident, takenHome, type Whereabouts } from '../../compile/resident.ts';
import type { HostArray } from '../../compile/types.ts';
import type { Fields } from '../rehearse/fields.ts';
import { type Arrays, buffersFor } from './engine.ts';

/** The part of a batch's array that belongs to a slot. */
export const row = <T extends HostArray>(array: T, slot: number, batch: number): T =>
  array.subarray((slot * array.length) / batch, ((slot + 1) * array.length) / batch) as T;

export class SlotState {
  readonly #batch: number;
  readonly #here: Record<string, HostArray>;
  /** Where it is while it is not here. */
  #away: Whereabouts | undefined;
  /** The states of newcomers, until the next step. */
  #entering: (readonly [slot: number, state: Arrays])[] = [];

  constructor(fields: Fields, batch: number) {
    this.#batch = batch;
    this.#here = buffersFor(fields, batch);
  }

  /** The fields here. Those that stayed on the device are of an earlier step; what the runner looks at every time never is. */
  get here(): Arrays {
    return this.#here;
  }

  /** Fills a slot, at the next step. */
  place(slot: number, state: Arrays): void {
    this.#entering.push([slot, state]);
  }

  /** What enters the next step, newcomers among the others. */
  async entering(): Promise<Whereabouts> {
    if (this.#entering.length > 0 && this.#away !== undefined) {
      this.#note(await takenHome(this.#away));
      this.#away = undefined;
    }
    for (const [slot, state] of this.#entering.splice(0)) {
      for (const [name, array] of Object.entries(this.#here)) row(array, slot, this.#batch).set(state[name] ?? []);
    }
    return this.#away ?? this.#here;
  }

  /** All of what entered the step, for those who look at it. */
  before(): Promise<Arrays> {
    return home(this.#away ?? this.#here);
  }

  /** Takes what a step gave in place of what entered it. */
  take(after: Whereabouts): void {
    disposeOf(this.#away ?? {});
    this.#away = Object.values(after).some(isResident) ? after : undefined;
    this.#note(after);
  }

  /** Remembers the fields that are here. */
  #note(state: Whereabouts): void {
    for (const [name, array] of Object.entries(this.#here)) {
      const values = state[name];
      if (values !== undefined && !isResident(values)) array.set(values);
    }
  }
}
