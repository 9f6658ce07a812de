/** Writes the images of one network, attack and radius: a file of tensors, and a folder of pictures. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, makeFolder } from '../../core/files.ts';
import type { Pose } from '../../core/pose.ts';
import type { SavedImages } from '../../core/saved.ts';
import { bytesOf, streamSafetensors } from '../../weights/safetensors.ts';
import { type Contender, type Saving, stopIfAborted } from '../plan.ts';
import { encodePng } from '../png.ts';
import type { LoggedImage } from './candidate-log.ts';
import { type JudgedIn, type JudgedPair, judgePairs } from './judged.ts';
import { attackFolder, IMAGES_SCHEMA, pictureName, placesAt, tensorsOf } from './layout.ts';

/** An image to be saved. */
export interface SavedRow {
  /** Its place in the run's selection. */
  readonly index: number;
  readonly label: number;
  /** Where its candidate is kept. */
  readonly layer: number;
}

export interface ExportSpec extends JudgedIn, Saving {
  readonly contender: Contender;
  readonly attack: string;
  readonly dataset: string;
  readonly signal: AbortSignal | undefined;
  /** A clean image; its note is its id. */
  readonly clean: (index: number) => Promise<LoggedImage>;
  /** An adversarial image; its note is `poseNote` of its pose. */
  readonly adversarial: (row: SavedRow) => Promise<LoggedImage>;
}

/**
 * Saves the images, a batch in memory at a time. Each file has its name only when it is whole.
 *
 * @throws UserError naming what cannot be written; Interrupted after the batch at hand, if the signal is aborted
 */
export async function exportRadius(rows: readonly SavedRow[], spec: ExportSpec): Promise<SavedImages> {
  const { contender, attack, folder, kept, rounding, norm, epsilon } = spec;
  const { file, pictures } = placesAt(attackFolder(contender, attack), epsilon);
  const gathered = new Gathered(rows);
  const beside = join(folder, `${pictures}.part`);
  try {
    await makeFolder(beside);
    const tensors = tensorsOf(rows.length, spec.input, norm);
    const sha256 = await streamSafetensors(join(folder, file), tensors, await describe(rows, spec), () =>
      valuesOf(rows, gathered, beside, spec),
    );
    await rename(beside, join(folder, pictures));
    return {
      ...{ arch: contender.architecture.name, training: contender.training, attack, norm, epsilon, kept, rounding },
      ...{ images: rows.length, ...gathered.counts(), file, sha256, pictures },
    };
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Whoever writes a file takes what stops it for a failure of the disk.
    stopIfAborted(spec.signal);
    throw error instanceof Error && 'code' in error ? fileError('write', join(folder, pictures), error) : error;
  }
}

/** A pose as text, nothing for none; the numbers are float32 and keep their last bit. */
export const poseNote = (pose: Pose | undefined): string => pose?.join(' ') ?? '';

function poseFrom(note: string): Pose | undefined {
  if (note === '') return undefined;
  const [right = 0, down = 0, turn = 0] = note.split(' ').map(Number);
  return [right, down, turn];
}

/** The metadata of a file. */
async function describe(rows: readonly SavedRow[], spec: ExportSpec): Promise<Record<string, string>> {
  const { contender, attack, dataset, norm, epsilon, goal, rounding } = spec;
  const ids: string[] = [];
  for (const { index } of rows) ids.push((await spec.clean(index)).note);
  return {
    ...{ schema: IMAGES_SCHEMA, arch: contender.architecture.name, training: contender.training, attack, dataset },
    ...{ weights: contender.sha256, norm, epsilon: String(epsilon), goal: JSON.stringify(goal), rounding },
    ids: JSON.stringify(ids),
  };
}

/** The bytes of all tensors. Pictures are written on the way. */
async function* valuesOf(
  rows: readonly SavedRow[],
  gathered: Gathered,
  beside: string,
  spec: ExportSpec,
): AsyncGenerator<Uint8Array> {
  const { judge, signal, input } = spec;
  for (let start = 0; start < rows.length; start += judge.batch) {
    stopIfAborted(signal);
    const part = rows.slice(start, start + judge.batch);
    const pairs = await Promise.all(
      part.map(async (row) => {
        const [made, { pixels: clean, note: id }] = [await spec.adversarial(row), await spec.clean(row.index)];
        const pose = poseFrom(made.note);
        return { ...row, id, adversarial: made.pixels, clean, ...(pose && { pose }) };
      }),
    );
    const judged = await judgePairs(pairs, spec);
    for (const [i, { index, id, adversarial, pose }] of pairs.entries()) {
      const pair = judged[i] as JudgedPair;
      gathered.add(pair, pose);
      await writeFile(join(beside, pictureName(index, id)), await encodePng(pair.rounded, input));
      yield bytesOf(adversarial);
    }
  }
  for (const { index } of rows) yield bytesOf((await spec.clean(index)).pixels);
  yield* gathered.bytes();
}

/** What is known of every image, as it becomes known. */
class Gathered {
  readonly #rows: readonly SavedRow[];
  readonly #pairs: Pick<JudgedPair, 'image' | 'picture'>[] = [];
  readonly #poses: Pose[] = [];

  constructor(rows: readonly SavedRow[]) {
    this.#rows = rows;
  }

  /** Keeps all but the pixels. */
  add({ image, picture }: JudgedPair, pose: Pose | undefined): void {
    this.#pairs.push({ image, picture });
    if (pose !== undefined) this.#poses.push(pose);
  }

  counts(): Pick<SavedImages, 'fooled' | 'fooledRounded' | 'outsideRounded'> {
    const fooled = this.#pairs.filter(({ image }) => image.fooled);
    return {
      fooled: fooled.length,
      fooledRounded: fooled.filter(({ picture }) => picture.fooled).length,
      outsideRounded: fooled.filter(({ picture }) => picture.refused !== undefined).length,
    };
  }

  /** The tensors behind the pixels, in the order of `tensorsOf`. */
  *bytes(): Generator<Uint8Array> {
    const [rows, pairs] = [this.#rows, this.#pairs];
    const whole = [
      rows.map(({ label }) => label),
      pairs.map(({ image }) => image.prediction),
      rows.map(({ index }) => index),
      pairs.map(({ picture }) => picture.prediction),
    ];
    const flags = [
      pairs.map(({ image }) => image.fooled),
      pairs.map(({ picture }) => picture.fooled),
      pairs.map(({ picture }) => picture.refused === undefined),
    ];
    for (const values of whole) yield bytesOf(Int32Array.from(values));
    if (this.#poses.length > 0) yield bytesOf(Float32Array.from(this.#poses.flat()));
    for (const values of flags) yield Uint8Array.from(values, Number);
  }
}
