/**
 * The course of an attack, image by image and radius by radius, beyond whether it succeeded: after how many steps, as what the
 * image was taken, how large the perturbation was, and how the loss went on the way. Of the radii that are watched.
 */
import type { EndRow } from './journal/record.ts';
import { marksOf } from './pool/marks.ts';
import type { Outcome } from './pool/pool.ts';
import type { Size } from './pool/size.ts';

/** Instead of the number of steps after which an image fell. */
const [STANDS, BEFORE, UNKNOWN] = [-1, -2, -3];
/** Instead of a class. */
const NO_CLASS = -1;

export const endOf = ({ image, radius, fell, predicted, size }: Outcome): EndRow => [
  image,
  radius,
  fell,
  predicted,
  size?.l2 ?? null,
  size?.atBound ?? null,
];

export class Course {
  /** Steps of all tries of an image, at any radius above 0. */
  readonly steps: number;
  /** Steps at which losses are known, ascending. */
  readonly marks: readonly number[];
  readonly #images: number;
  readonly #radii: number;
  readonly #fell: Int32Array;
  readonly #predicted: Int32Array;
  readonly #l2: Float64Array;
  readonly #atBound: Float64Array;
  readonly #margins = new Map<number, Float32Array>();

  constructor(images: number, radii: number, steps: number, marks = marksOf(steps)) {
    this.steps = steps;
    this.marks = marks;
    this.#images = images;
    this.#radii = radii;
    this.#fell = new Int32Array(images * radii).fill(UNKNOWN);
    this.#predicted = new Int32Array(images * radii).fill(NO_CLASS);
    this.#l2 = new Float64Array(images * radii).fill(Number.NaN);
    this.#atBound = new Float64Array(images * radii).fill(Number.NaN);
  }

  /** All stages of an attack, each of which met what those before it had left standing: their steps come one after another. */
  static together(stages: readonly Course[]): Course {
    const [first, ...others] = stages;
    if (first === undefined || others.length === 0) return first ?? new Course(0, 0, 0);
    let steps = 0;
    const shifted = stages.flatMap((course) => {
      const before = steps;
      steps += course.steps;
      return course.marks.map((mark, place) => ({ step: before + mark, course, place }));
    });
    // Of all that is known, what is nearest to the marks of as many steps.
    const known = marksOf(steps).flatMap((mark) => shifted.findLast(({ step }) => step <= mark) ?? []);
    const kept = [...new Set(known)];
    const sum = new Course(
      first.#images,
      first.#radii,
      steps,
      kept.map(({ step }) => step),
    );
    let before = 0;
    for (const course of stages) {
      course.#fell.forEach((fell, at) => {
        if (fell === UNKNOWN) return;
        sum.#fell[at] = fell < 0 ? fell : before + fell;
        sum.#predicted[at] = course.#predicted[at] as number;
        sum.#l2[at] = course.#l2[at] as number;
        sum.#atBound[at] = course.#atBound[at] as number;
      });
      before += course.steps;
    }
    for (const at of new Set(stages.flatMap((course) => [...course.#margins.keys()]))) {
      sum.#margins.set(
        at,
        Float32Array.from(kept, ({ course, place }) => course.#margins.get(at)?.[place] ?? Number.NaN),
      );
    }
    return sum;
  }

  add([image, radius, fell, predicted, l2, atBound]: EndRow): void {
    const at = this.#at(image, radius);
    this.#fell[at] = fell === null ? STANDS : fell === 'before' ? BEFORE : fell;
    this.#predicted[at] = predicted ?? NO_CLASS;
    this.#l2[at] = l2 ?? Number.NaN;
    this.#atBound[at] = atBound ?? Number.NaN;
  }

  /** @param margins - at the marks; NaN where there is none. Those of another version, at other marks, are left out. */
  addTrace(image: number, radius: number, margins: Float32Array): void {
    if (margins.length === this.marks.length) this.#margins.set(this.#at(image, radius), margins);
  }

  /** Whether it is known how all these images ended, and as what: a journal of an earlier version does not tell. */
  knows(images: readonly number[], radius: number): boolean {
    return images.every((image) => {
      const at = this.#at(image, radius);
      const hasClass = this.#predicted[at] !== NO_CLASS;
      return this.#fell[at] === STANDS || (this.#fell[at] !== UNKNOWN && hasClass);
    });
  }

  /** After how many steps the image fell: null where it stands, `before` where it had fallen at a smaller radius. */
  fell(image: number, radius: number): number | 'before' | null {
    const fell = this.#fell[this.#at(image, radius)] as number;
    if (fell === BEFORE) return 'before';
    return fell < 0 ? null : fell;
  }

  /** What the image was taken for in the end. */
  predicted(image: number, radius: number): number | null {
    const predicted = this.#predicted[this.#at(image, radius)] as number;
    return predicted === NO_CLASS ? null : predicted;
  }

  /** How large the perturbation is that was made at this radius, if one was. */
  size(image: number, radius: number): Size | undefined {
    const at = this.#at(image, radius);
    const [l2, atBound] = [this.#l2[at] as number, this.#atBound[at] as number];
    return Number.isNaN(l2) ? undefined : { l2, atBound };
  }

  /** The margin towards the goal at every mark; where there is none, the last one before it. Undefined if it was not noted. */
  margins(image: number, radius: number): Float32Array | undefined {
    let last = Number.NaN;
    return this.#margins.get(this.#at(image, radius))?.map((margin) => {
      if (!Number.isNaN(margin)) last = margin;
      return last;
    });
  }

  #at(image: number, radius: number): number {
    return radius * this.#images + image;
  }
}
