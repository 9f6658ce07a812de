/**
 * Images as they come, appended to a file that a crash may tear at its end: where candidates wait until all are there.
 *
 * A record is a layer, an image's index, the length of a note, a checksum (four bytes each), the note, and the pixels.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { fileError, makeFolder } from '../../core/files.ts';
import { bytesOf } from '../../weights/safetensors.ts';

export interface LoggedImage {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly note: string;
}

const HEAD_BYTES = 16;

/** Far longer than any path. */
const MAX_NOTE_BYTES = 2 ** 16;

interface Place {
  readonly offset: number;
  readonly noteBytes: number;
}

export class CandidateLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #pixels: number;
  /** Where images lie, by layer and index. */
  readonly #places = new Map<number, Map<number, Place>>();
  #end = 0;

  private constructor(path: string, file: FileHandle, pixels: number) {
    this.#path = path;
    this.#file = file;
    this.#pixels = pixels;
  }

  /**
   * The log at `path`, made if there is none. What is not whole is cut off.
   *
   * @param pixels - values of one image
   * @throws UserError if the file cannot be made, read or written
   */
  static async open(path: string, pixels: number): Promise<CandidateLog> {
    try {
      await makeFolder(dirname(path));
      // To be read and written, and kept if it is there.
      await (await open(path, 'a')).close();
      const log = new CandidateLog(path, await open(path, 'r+'), pixels);
      await log.#recover();
      return log;
    } catch (error) {
      throw fileError('write', path, error);
    }
  }

  has(layer: number, image: number): boolean {
    return this.#places.get(layer)?.has(image) === true;
  }

  /** Adds an image, unless the layer has it. @throws UserError if it cannot be written */
  async append(layer: number, image: number, pixels: Float32Array, note = ''): Promise<void> {
    if (this.has(layer, image)) return;
    const text = Buffer.from(note).subarray(0, MAX_NOTE_BYTES);
    const record = Buffer.alloc(HEAD_BYTES + text.length + 4 * this.#pixels);
    record.writeUInt32LE(layer, 0);
    record.writeUInt32LE(image, 4);
    record.writeUInt32LE(text.length, 8);
    text.copy(record, HEAD_BYTES);
    Buffer.from(new Float32Array(pixels).buffer).copy(record, HEAD_BYTES + text.length);
    record.writeUInt32LE(checksum(record), 12);
    try {
      for (let done = 0; done < record.length; ) {
        done += (await this.#file.write(record, done, record.length - done, this.#end + done)).bytesWritten;
      }
    } catch (error) {
      throw fileError('write', this.#path, error);
    }
    this.#keep(layer, image, text.length);
  }

  /** @throws Error if the layer has no such image; UserError if it cannot be read */
  async read(layer: number, image: number): Promise<LoggedImage> {
    const place = this.#places.get(layer)?.get(image);
    if (place === undefined) throw new Error(`no image ${image} in layer ${layer} of ${this.#path}`);
    const { offset, noteBytes } = place;
    const [note, pixels] = [Buffer.alloc(noteBytes), new Float32Array(this.#pixels)];
    if (
      !(await this.#fill(note, offset + HEAD_BYTES)) ||
      !(await this.#fill(bytesOf(pixels), offset + HEAD_BYTES + noteBytes))
    ) {
      throw fileError('read', this.#path, new Error('it became shorter while it was read'));
    }
    return { note: note.toString(), pixels };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #keep(layer: number, image: number, noteBytes: number): void {
    const places = this.#places.get(layer) ?? new Map<number, Place>();
    this.#places.set(layer, places.set(image, { offset: this.#end, noteBytes }));
    this.#end += HEAD_BYTES + noteBytes + 4 * this.#pixels;
  }

  /** Finds every record that is whole, and cuts off what follows them. */
  async #recover(): Promise<void> {
    for (;;) {
      const head = Buffer.alloc(HEAD_BYTES);
      if (!(await this.#fill(head, this.#end))) break;
      const noteBytes = head.readUInt32LE(8);
      if (noteBytes > MAX_NOTE_BYTES) break;
      const record = Buffer.alloc(HEAD_BYTES + noteBytes + 4 * this.#pixels);
      if (!(await this.#fill(record, this.#end)) || record.readUInt32LE(12) !== checksum(record)) break;
      this.#keep(record.readUInt32LE(0), record.readUInt32LE(4), noteBytes);
    }
    await this.#file.truncate(this.#end);
  }

  /** Whether the file holds as many bytes there. */
  async #fill(bytes: Uint8Array, position: number): Promise<boolean> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) return false;
      done += bytesRead;
    }
    return true;
  }
}

/** Of a record, but for the place that holds it. */
const checksum = (record: Buffer): number => crc32(record.subarray(HEAD_BYTES), crc32(record.subarray(0, 12)));
