/**
 * What is trained on, in which order. A seeded sample is held out for validation; each epoch visits all other examples in
 * an order of its own, in batches of one size. The few examples that do not fill a last batch sit that epoch out (another
 * few do in the next), so that one compiled function serves all batches.
 */
import type { Dataset, Example } from '../core/dataset.ts';
import { UserError, usageError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';

export interface Batch {
  /** Its place in the epoch, from 0; where batches are used several times, every use counts. */
  readonly index: number;
  /** How often it was used before. */
  readonly replay: number;
  /** [size, H, W, C], row-major. */
  readonly x: Float32Array;
  /** [size] */
  readonly y: Int32Array;
  readonly ids: readonly string[];
}

/** Fixed, so that trainings with different seeds are validated on the same images. */
export const HELD_OUT_SEED = 0;

/**
 * The first `images` examples of a fixed random order: the validation set.
 *
 * @throws UserError for a label that is no class
 */
export async function holdOut(dataset: Dataset, images: number): Promise<readonly Example[]> {
  const examples: Example[] = [];
  if (images === 0) return examples;
  for await (const example of dataset.stream({ images, seed: HELD_OUT_SEED })) {
    requireLabel(dataset, example);
    examples.push(example);
  }
  return examples;
}

/** @throws UserError for a label that is no class: its loss would be that of no class at all, and teach nonsense */
function requireLabel({ name, classes }: Dataset, { id, label }: Example): void {
  if (Number.isInteger(label) && label >= 0 && label < classes.length) return;
  throw new UserError(
    `${name}: image ${id} has the label ${label}, and there are ${classes.length} classes, from 0: mend or remove it`,
  );
}

/**
 * How many full batches an epoch has.
 *
 * @throws UserError (usage) if there is not one
 */
export function batchesPerEpoch(dataset: Dataset, heldOut: number, size: number): number {
  const left = dataset.size - heldOut;
  if (left >= size) return Math.floor(left / size);
  throw usageError(
    `a batch of ${size} does not fit: ${dataset.name}/${dataset.split} has ${dataset.size} images and ${heldOut} are held ` +
      'out for validation; give a smaller --batch or --validation',
  );
}

/** The examples as one batch of `size`: the last one is repeated where they are fewer. */
export function toBatch(examples: readonly Example[], index: number, size = examples.length): Batch {
  const pixels = examples[0]?.image.length ?? 0;
  const x = new Float32Array(size * pixels);
  const y = new Int32Array(size);
  const ids: string[] = [];
  for (let i = 0; i < size; i++) {
    const example = examples[Math.min(i, examples.length - 1)] as Example;
    x.set(example.image, i * pixels);
    y[i] = example.label;
    ids.push(example.id);
  }
  return { index, replay: 0, x, y, ids };
}

export interface EpochOptions {
  readonly heldOut: ReadonlySet<string>;
  readonly size: number;
  readonly seed: number;
  /** From 0. */
  readonly epoch: number;
  /** The index of the first batch to give: those before it are skipped, as when a training goes on. */
  readonly from: number;
  /** How often each batch is given, one time after the other; once by default. */
  readonly replays?: number;
}

/**
 * The batches of one epoch, a pure function of the options.
 *
 * @throws UserError for a label that is no class
 */
export async function* epochBatches(dataset: Dataset, options: EpochOptions): AsyncGenerator<Batch> {
  const { heldOut, size, epoch, from, replays = 1 } = options;
  const seed = new Rng(options.seed, `order of epoch ${epoch}`).below(2 ** 31);
  let index = 0;
  let examples: Example[] = [];
  for await (const example of dataset.stream({ seed })) {
    if (heldOut.has(example.id)) continue;
    requireLabel(dataset, example);
    examples.push(example);
    if (examples.length < size) continue;
    for (let replay = 0; replay < replays; replay++) {
      if (index >= from) yield { ...toBatch(examples, index), replay };
      index += 1;
    }
    examples = [];
  }
}
