/** What one attack did to one classifier, image by image and radius by radius: a byte each, and sums. */
import type { OutcomeRow } from './journal/record.ts';
import type { Outcome } from './pool/pool.ts';

/** Evaluations and refused claims, summed over the images of one radius. */
export interface Spent {
  unverified: number;
  gradients: number;
  forwards: number;
}

export const rowOf = (outcome: Outcome): OutcomeRow => [
  outcome.image,
  outcome.radius,
  outcome.robust ? 1 : 0,
  outcome.robust8bit ? 1 : 0,
  outcome.unverified,
  outcome.gradients,
  outcome.forwards,
];

export class Tally {
  readonly images: number;
  readonly spent: readonly Spent[];
  /** Of an attack of minimum norm: how far the nearest adversarial image of each is; null where none was found. */
  readonly distances = new Map<number, number | null>();
  /** Wall-clock seconds of the attack, over all radii. */
  seconds = 0;
  readonly #settled: Uint8Array;
  readonly #robust: Uint8Array;
  readonly #robust8bit: Uint8Array;

  /** Every image counts as not robust until it is settled otherwise: misclassified ones are never attacked. */
  constructor(images: number, radii: number) {
    this.images = images;
    this.spent = Array.from({ length: radii }, () => ({ unverified: 0, gradients: 0, forwards: 0 }));
    this.#settled = new Uint8Array(images * radii);
    this.#robust = new Uint8Array(images * radii);
    this.#robust8bit = new Uint8Array(images * radii);
  }

  /** All stages of an attack, each of which met what those before it had left standing. */
  static together(stages: readonly Tally[]): Tally {
    const [first, ...others] = stages;
    if (first === undefined || others.length === 0) return first ?? new Tally(0, 0);
    const sum = new Tally(first.images, first.spent.length);
    for (const stage of stages) {
      stage.#settled.forEach((isSettled, at) => {
        if (isSettled === 0) return;
        // A later stage meets only what stood: it has the last word, but for what rounding has undone before.
        sum.#robust8bit[at] =
          sum.#settled[at] === 1
            ? Math.min(sum.#robust8bit[at] as number, stage.#robust8bit[at] as number)
            : (stage.#robust8bit[at] as number);
        sum.#robust[at] = stage.#robust[at] as number;
        sum.#settled[at] = 1;
      });
      stage.spent.forEach(({ unverified, gradients, forwards }, radius) => {
        const spent = sum.spent[radius] as Spent;
        spent.unverified += unverified;
        spent.gradients += gradients;
        spent.forwards += forwards;
      });
      sum.seconds += stage.seconds;
    }
    return sum;
  }

  /** Takes an outcome in; one that is known already changes nothing. */
  add([image, radius, robust, robust8bit, unverified, gradients, forwards]: OutcomeRow): void {
    if (this.isSettled(image, radius)) return;
    const at = radius * this.images + image;
    this.#settled[at] = 1;
    this.#robust[at] = robust;
    this.#robust8bit[at] = robust8bit;
    const spent = this.spent[radius];
    if (spent === undefined) return;
    spent.unverified += unverified;
    spent.gradients += gradients;
    spent.forwards += forwards;
  }

  /** Per-image evaluations, over all radii. */
  get gradients(): number {
    return this.spent.reduce((sum, { gradients }) => sum + gradients, 0);
  }

  isSettled(image: number, radius: number): boolean {
    return this.#settled[radius * this.images + image] === 1;
  }

  /**
   * What is known of the radii, by index, at which the image has fallen: the last of them, and whether it stands after rounding
   * to 8 bits.
   */
  fallen(image: number, radii: readonly number[]): { readonly at: number; readonly robust8bit: boolean } | undefined {
    const fell = radii.filter((radius) => this.isSettled(image, radius) && this.robust(radius)[image] === 0);
    const at = fell.at(-1);
    if (at === undefined) return undefined;
    return { at, robust8bit: fell.every((radius) => this.robust8bit(radius)[image] === 1) };
  }

  /** One byte per image: 1 where it withstood. */
  robust(radius: number): Uint8Array {
    return this.#robust.subarray(radius * this.images, (radius + 1) * this.images);
  }

  robust8bit(radius: number): Uint8Array {
    return this.#robust8bit.subarray(radius * this.images, (radius + 1) * this.images);
  }
}
