/**
 * MATLAB files of version 5, as far as lists of records need them: numbers, text and arrays of structures. Nothing in them
 * is believed: every length is checked against what is there.
 *
 * "MAT-File Format", The MathWorks, 2024, chapter 1 (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf).
 */
import { inflateSync } from 'node:zlib';
import { UserError } from '../core/errors.ts';

/** A structure's fields by name. */
export type MatlabRecord = Readonly<Record<string, MatlabValue>>;

export type MatlabValue =
  | { readonly kind: 'numbers'; readonly values: readonly number[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'records'; readonly records: readonly MatlabRecord[] }
  /** Something that is there and not understood. */
  | { readonly kind: 'other' };

const HEADER_BYTES = 128;
const VERSION = 0x0100;
/** What all packed variables together may hold: 16 MiB, of which a number takes up to eight times its bytes. */
const UNPACKED_LIMIT = 2 ** 24;
/** Structures in structures. */
const MAX_DEPTH = 8;

/** Data types of elements (table 1-1). */
const MATRIX = 14;
const COMPRESSED = 15;
/** Array classes (table 1-3). */
const STRUCTURE = 2;
const TEXT = 4;
const FIRST_NUMERIC = 6;
const LAST_NUMERIC = 15;

type ReadNumber = (bytes: DataView, at: number) => number;

/** Numeric data types: bytes of one number, and how it is read, little-endian. */
const NUMBERS: Readonly<Record<number, readonly [size: number, read: ReadNumber]>> = {
  1: [1, (bytes, at) => bytes.getInt8(at)],
  2: [1, (bytes, at) => bytes.getUint8(at)],
  3: [2, (bytes, at) => bytes.getInt16(at, true)],
  4: [2, (bytes, at) => bytes.getUint16(at, true)],
  5: [4, (bytes, at) => bytes.getInt32(at, true)],
  6: [4, (bytes, at) => bytes.getUint32(at, true)],
  7: [4, (bytes, at) => bytes.getFloat32(at, true)],
  9: [8, (bytes, at) => bytes.getFloat64(at, true)],
  12: [8, (bytes, at) => Number(bytes.getBigInt64(at, true))],
  13: [8, (bytes, at) => Number(bytes.getBigUint64(at, true))],
  17: [2, (bytes, at) => bytes.getUint16(at, true)],
};
const UTF8 = 16;

interface Element {
  readonly type: number;
  readonly data: Uint8Array;
}

/** Takes the elements of some bytes one after the other. */
interface Elements {
  readonly isAtEnd: boolean;
  next(): Element;
}

/**
 * The variables of a file, by name.
 *
 * @param path - the file's, for errors
 * @throws UserError for anything that is not a little-endian MATLAB 5 file
 */
export function readMatlab(content: Uint8Array, path: string): ReadonlyMap<string, MatlabValue> {
  try {
    return variablesOf(content);
  } catch (error) {
    const why = error instanceof MatlabError ? error.message : 'its lengths do not fit together';
    throw new UserError(`${path} is not a MATLAB 5 file that can be read: ${why}`);
  }
}

class MatlabError extends Error {}

function variablesOf(content: Uint8Array): ReadonlyMap<string, MatlabValue> {
  const header = viewOf(content);
  if (content.length < HEADER_BYTES || header.getUint16(124, true) !== VERSION || text(content, 126, 128) !== 'IM') {
    throw new MatlabError('it starts otherwise');
  }
  const variables = new Map<string, MatlabValue>();
  const elements = elementsOf(content.subarray(HEADER_BYTES));
  let left = UNPACKED_LIMIT;
  while (!elements.isAtEnd) {
    const stored = elements.next();
    const element = unpacked(stored, left);
    if (stored.type === COMPRESSED) left -= element.data.length;
    if (element.type !== MATRIX)
      throw new MatlabError(`it holds data of type ${element.type} where an array should be`);
    const { name, value } = arrayOf(element.data, 0);
    variables.set(name, value);
  }
  return variables;
}

function unpacked({ type, data }: Element, limit: number): Element {
  if (type !== COMPRESSED) return { type, data };
  return elementsOf(inflateSync(data, { maxOutputLength: Math.max(1, limit) })).next();
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const text = (bytes: Uint8Array, from = 0, to = bytes.length): string =>
  Buffer.from(bytes.subarray(from, to)).toString();

function elementsOf(bytes: Uint8Array): Elements {
  const view = viewOf(bytes);
  let at = 0;
  const take = (type: number, start: number, length: number, padded: boolean): Element => {
    if (start + length > bytes.length) throw new MatlabError('it is cut short');
    // Elements end at a multiple of 8 bytes, packed ones where they end.
    at = padded ? Math.min(bytes.length, start + Math.ceil(length / 8) * 8) : start + length;
    return { type, data: bytes.subarray(start, start + length) };
  };
  return {
    get isAtEnd() {
      return at >= bytes.length;
    },
    next: () => {
      if (at + 8 > bytes.length) throw new MatlabError('it is cut short');
      const word = view.getUint32(at, true);
      const small = word >>> 16;
      // The small form: up to four bytes of data share the tag's eight.
      if (small > 4) throw new MatlabError('its lengths do not fit together');
      if (small > 0) {
        const element = take(word & 0xffff, at + 4, small, false);
        at += 4 - small;
        return element;
      }
      return take(word, at + 8, view.getUint32(at + 4, true), word !== COMPRESSED);
    },
  };
}

function arrayOf(bytes: Uint8Array, depth: number): { readonly name: string; readonly value: MatlabValue } {
  if (depth > MAX_DEPTH) throw new MatlabError(`it nests deeper than ${MAX_DEPTH} levels`);
  // An empty array may leave out even its flags.
  if (bytes.length === 0) return { name: '', value: { kind: 'other' } };
  const elements = elementsOf(bytes);
  const flags = elements.next().data;
  const arrayClass = flags[0];
  const sizes = numbersOf(elements.next());
  const name = text(elements.next().data);
  const length = sizes.reduce((product, size) => product * size, 1);
  if (arrayClass === STRUCTURE) return { name, value: recordsOf(elements, length, depth) };
  if (arrayClass === TEXT)
    return { name, value: { kind: 'text', text: elements.isAtEnd ? '' : textOf(elements.next()) } };
  if (arrayClass === undefined || arrayClass < FIRST_NUMERIC || arrayClass > LAST_NUMERIC) {
    return { name, value: { kind: 'other' } };
  }
  const values = elements.isAtEnd ? [] : numbersOf(elements.next());
  if (values.length !== length) throw new MatlabError(`an array has ${values.length} numbers and announces ${length}`);
  return { name, value: { kind: 'numbers', values } };
}

function numbersOf({ type, data }: Element): number[] {
  const [size, read] = NUMBERS[type] ?? [];
  if (size === undefined || read === undefined) throw new MatlabError(`it holds numbers of type ${type}`);
  if (data.length % size !== 0) throw new MatlabError('its lengths do not fit together');
  const view = viewOf(data);
  return Array.from({ length: data.length / size }, (_, i) => read(view, i * size));
}

const textOf = (element: Element): string =>
  element.type === UTF8
    ? text(element.data)
    : numbersOf(element).reduce((line, code) => line + String.fromCharCode(code), '');

function recordsOf(elements: Elements, length: number, depth: number): MatlabValue {
  const [nameBytes = 0] = numbersOf(elements.next());
  const names = elements.next().data;
  if (!(nameBytes > 0 && names.length % nameBytes === 0)) throw new MatlabError('its lengths do not fit together');
  const fields = Array.from({ length: names.length / nameBytes }, (_, i) =>
    text(names, i * nameBytes, (i + 1) * nameBytes).replace(/\0.*$/s, ''),
  );
  const records: MatlabRecord[] = [];
  // Each field of each record takes bytes, so that a length that is only claimed ends here soon; without fields none would.
  if (fields.length === 0) return { kind: 'records', records };
  for (let i = 0; i < length; i++) {
    const values = fields.map((field): [string, MatlabValue] => [
      field,
      arrayOf(matrix(elements.next()), depth + 1).value,
    ]);
    records.push(Object.fromEntries(values));
  }
  return { kind: 'records', records };
}

function matrix({ type, data }: Element): Uint8Array {
  if (type === MATRIX) return data;
  throw new MatlabError(`it holds data of type ${type} where an array should be`);
}
