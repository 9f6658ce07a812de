/**
 * The loss of one image under attack, step by step: the margin towards the goal, which the compiled step computes anyway to see
 * whether the goal is reached. It is the difference of the best wrong logit and the true one, or of the target's and the best
 * other; above 0 the image has fallen. So it is the same loss whatever the attack itself raises.
 */
import type { Goal } from '../../core/threat-model.ts';
import { markAt, marksOf } from './marks.ts';

export class Trace {
  /** At the marks of all steps, the last value at or before each; NaN where there is none. */
  readonly margins: Float32Array;
  readonly #marks: readonly number[];

  /** @param steps - of all its tries */
  constructor(steps: number) {
    this.#marks = marksOf(steps);
    this.margins = new Float32Array(this.#marks.length).fill(Number.NaN);
  }

  /** Notes the margin of the candidate after so many steps, which come in order; one that is no finite number says nothing. */
  note(step: number, margin: number): void {
    if (Number.isFinite(margin)) this.margins[markAt(this.#marks, step)] = margin;
  }
}

/** The margin towards the goal, from logits. */
export function marginOf(goal: Goal, label: number, logits: Float32Array): number {
  const own = goal.kind === 'targeted' ? goal.target : label;
  const other = logits.reduce((most, logit, k) => (k === own ? most : Math.max(most, logit)), Number.NEGATIVE_INFINITY);
  const at = logits[own] as number;
  return goal.kind === 'targeted' ? at - other : other - at;
}
