/** The header of a safetensors file: JSON that names every tensor's type, shape and place. Nothing in it is believed. */
import { UserError } from '../core/errors.ts';
import { jsonProblem } from './json-keys.ts';
import { quoted, type Refuse } from './refusal.ts';
import { ELEMENT_BYTES, type StoredType } from './stored-tensor.ts';

/** Where one tensor lies; offsets count from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the file; together they cover its data without gap or overlap. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The key that holds the metadata; no tensor may have this name. */
export const METADATA_KEY = '__metadata__';

/** A header is an object of objects of lists. */
const MAX_DEPTH = 3;

export const notSafetensors = (path: string, why: string): UserError =>
  new UserError(`${path} is not a whole safetensors file: ${why}. Copy, download or make it again`);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Reads a header and checks all it says against the file's real size, before anything of that size is allocated.
 *
 * @param dataBytes - how many bytes follow the header
 * @param path - the file's, for errors
 * @throws UserError for anything that is not exactly a safetensors header of a file of that size
 */
export function parseHeader(text: string, dataBytes: number, path: string): Header {
  const refuse = (why: string): UserError => notSafetensors(path, why);
  const header = parseJson(text, refuse);
  const entries: Entry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA_KEY) metadata = parseMetadata(value, refuse);
    else entries.push(parseEntry(name, value, dataBytes, path));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, refuse);
  return { entries, metadata };
}

function parseJson(text: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  let header: unknown;
  let problem: string | undefined;
  try {
    problem = jsonProblem(text, MAX_DEPTH);
    if (problem === undefined) header = JSON.parse(text);
  } catch {
    throw refuse('its header is not valid JSON');
  }
  if (problem !== undefined) throw refuse(`its header is refused: ${problem}`);
  if (!isRecord(header)) throw refuse('its header is not a JSON object');
  return header;
}

function parseMetadata(value: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string')) {
    return value as Readonly<Record<string, string>>;
  }
  throw refuse('its metadata is not a record of strings');
}

function parseEntry(name: string, value: unknown, dataBytes: number, path: string): Entry {
  const refuse = (why: string): UserError => notSafetensors(path, why);
  const tensor = `tensor ${quoted(name)}`;
  if (!isRecord(value)) throw refuse(`${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw refuse(`${tensor} has no dtype`);
  if (!Object.hasOwn(ELEMENT_BYTES, dtype)) {
    const known = Object.keys(ELEMENT_BYTES).join(', ');
    throw new UserError(`cannot read ${path}: ${tensor} has the dtype ${quoted(dtype)}; understood are ${known}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw refuse(`${tensor} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw refuse(`${tensor} has no valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw refuse(`${tensor} ends before it begins`);
  if (end > dataBytes) {
    throw refuse(`${tensor} ends at byte ${end} of the data, of which the file has ${dataBytes} bytes`);
  }
  // Beyond 2⁵³ the product is inexact, but then it is far larger than any file.
  const bytes = shape.reduce((product, size) => product * size, 1) * ELEMENT_BYTES[dtype as StoredType];
  if (bytes !== end - begin) {
    throw refuse(`${tensor} of shape [${shape.slice(0, 8).join(', ')}] needs ${bytes} bytes and has ${end - begin}`);
  }
  return { name, dtype: dtype as StoredType, shape, begin, end };
}

function checkCoverage(entries: readonly Entry[], dataBytes: number, refuse: Refuse): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin < covered) throw refuse(`tensor ${quoted(name)} overlaps the one before it`);
    if (begin > covered) throw refuse(`nothing describes the ${begin - covered} bytes before tensor ${quoted(name)}`);
    covered = end;
  }
  if (covered !== dataBytes) throw refuse(`nothing describes its last ${dataBytes - covered} bytes`);
}
