/** Files of photographs as a dataset: decoded ahead of the compute, never more than a few at a time. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pipeline } from 'node:stream/promises';
import type { Dataset, Example, PhotoForm, SkippedFile, StreamOptions } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { ahead } from './ahead.ts';
import type { ListedFile } from './listing.ts';
import { countOf, orderOf } from './order.ts';
import { readPhoto, UnreadablePhoto } from './read-photo.ts';

export interface PhotoFile extends ListedFile {
  /** Index into the classes; -1 where it is not known. */
  readonly label: number;
}

export interface Photos {
  readonly name: string;
  readonly split: string;
  readonly form: PhotoForm;
  readonly labels: 'true' | 'predicted';
  readonly files: readonly PhotoFile[];
  /** What the user should know, a sentence each. */
  readonly notes?: readonly string[];
}

/** Decoding happens in the threads of libuv, of which there are four. */
const IN_FLIGHT = Math.min(4, availableParallelism());

/**
 * A dataset of photographs. A file that gives no image is passed over, and `skipped` names it.
 *
 * @throws UserError if there is no file at all
 */
export function photoDataset(photos: Photos): Dataset {
  const { name, split, form, labels, files, notes = [] } = photos;
  if (files.length === 0) throw nothingIn(photos, []);
  const memory: Memory = { read: new Uint8Array(files.length), unreadable: new Map() };
  const skipped = (): readonly SkippedFile[] =>
    [...memory.unreadable]
      .sort(([a], [b]) => a - b)
      .map(([index, why]) => ({ id: (files[index] as PhotoFile).id, why }));
  return {
    ...{ name, split, labels, skipped, notes },
    classes: form.classes,
    input: form.input,
    size: files.length,
    hash: (options) => hashOf(photos, options),
    stream: (options) => stream(photos, memory, skipped, options),
  };
}

/** What is known of the files by index, so that every stream passes over the same ones. */
interface Memory {
  /** 1 where an image was read. */
  readonly read: Uint8Array;
  /** Why there was none. */
  readonly unreadable: Map<number, string>;
}

async function* stream(
  photos: Photos,
  { read, unreadable }: Memory,
  skipped: () => readonly SkippedFile[],
  options: StreamOptions = {},
): AsyncGenerator<Example> {
  const { files, form } = photos;
  const wanted = countOf(nameOf(photos), files.length, options);
  const order = orderOf(nameOf(photos), files.length, { ...options, images: files.length });
  const attempts = ahead(
    order.filter((index) => !unreadable.has(index)),
    (index) => attempt(files[index] as PhotoFile, index, form),
    IN_FLIGHT,
  );
  let given = 0;
  for await (const { index, image } of attempts) {
    const { id, label } = files[index] as PhotoFile;
    if (image instanceof Float32Array) {
      read[index] = 1;
      yield { image, label, id };
      given += 1;
      if (given === wanted) return;
    } else if (read[index] === 1) {
      throw new UserError(
        `${id} of ${photos.name} could be read before, and now: ${image}. Leave the files as they are`,
      );
    } else {
      unreadable.set(index, image);
    }
  }
  if (given === 0) throw nothingIn(photos, skipped());
}

const nameOf = ({ name, split }: Photos): string => `${name}/${split}`;

interface Attempt {
  readonly index: number;
  /** Or in words why there is none. */
  readonly image: Float32Array | string;
}

async function attempt({ path, refused }: PhotoFile, index: number, form: PhotoForm): Promise<Attempt> {
  if (refused !== undefined) return { index, image: refused };
  try {
    return { index, image: await readPhoto(path, form) };
  } catch (error) {
    if (error instanceof UnreadablePhoto) return { index, image: error.message };
    throw error;
  }
}

function nothingIn({ name }: Photos, skipped: readonly SkippedFile[]): UserError {
  const [first] = skipped;
  if (first === undefined) return new UserError(`${name} has no image: there is no file in it`);
  const others = skipped.length === 1 ? '' : `, and so on for ${skipped.length} files`;
  return new UserError(`${name} has no image that can be read: ${first.id}: ${first.why}${others}`);
}

/**
 * Over names, sizes and labels of all files, then the content of those that come first in the order of the options: what
 * is measured is covered byte for byte, and an ImageNet of which a thousand images are measured is not read whole.
 */
async function hashOf(photos: Photos, options: StreamOptions = {}): Promise<string> {
  const { files } = photos;
  const order = orderOf(nameOf(photos), files.length, options);
  const hash = createHash('sha256');
  for (const { id, bytes, label } of files) hash.update(`${JSON.stringify([id, bytes, label])}\n`);
  for (const index of order) {
    const { path, refused } = files[index] as PhotoFile;
    if (refused === undefined) hash.update(await contentHash(path));
  }
  return hash.digest('hex');
}

async function contentHash(path: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw fileError('read', path, error);
  }
  return hash.digest();
}
