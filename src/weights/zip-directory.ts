/** The central directory of a zip archive: which members it has, and where. */
import type { ByteSource } from './byte-source.ts';
import { quoted, type Refuse } from './refusal.ts';

export interface Member {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  /** Bytes when unpacked, and in the file. */
  readonly size: number;
  readonly packedSize: number;
  /** Where its local header begins, and what follows it. */
  readonly header: number;
  readonly limit: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const EXTRA64 = 1;
/** Stands for a number that is too large for its field, and is written elsewhere in 64 bits. */
const ELSEWHERE = 0xffffffff;

/** Far more than any network needs: an entry takes some hundred bytes, and a tensor takes one. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;
const MAX_COMMENT_BYTES = 0xffff;

/** All members by name, in the order of the directory. */
export async function readDirectory(source: ByteSource, refuse: Refuse): Promise<ReadonlyMap<string, Member>> {
  const { count, begin, size } = await findDirectory(source, refuse);
  if (size > MAX_DIRECTORY_BYTES) throw refuse(`its directory would take ${size} bytes`);
  const view = new DataView((await source.read(begin, size)).buffer);
  const found: Omit<Member, 'limit'>[] = [];
  let position = 0;
  for (let i = 0; i < count; i++) {
    if (position + ENTRY_BYTES > size || view.getUint32(position, true) !== ENTRY)
      throw refuse('its directory is damaged');
    const end = position + ENTRY_BYTES + [28, 30, 32].reduce((sum, at) => sum + view.getUint16(position + at, true), 0);
    if (end > size) throw refuse('its directory is damaged');
    found.push(parseEntry(view, position, refuse));
    position = end;
  }
  if (position !== size) throw refuse('its directory has more than it counts');
  return withLimits(found, begin, refuse);
}

interface Directory {
  readonly count: number;
  readonly begin: number;
  readonly size: number;
  /** What follows it. */
  readonly limit: number;
}

/** At the end of the file, perhaps before a comment. */
async function findDirectory(source: ByteSource, refuse: Refuse): Promise<Directory> {
  const tail = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const view = new DataView((await source.read(source.size - tail, tail)).buffer);
  let at = tail - END_BYTES;
  while (at >= 0 && !(view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === tail))
    at--;
  if (at < 0) throw refuse('its directory, which ends it, is missing');
  const end = source.size - tail + at;
  const directory = (await findDirectory64(source, end, refuse)) ?? {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    begin: view.getUint32(at + 16, true),
    limit: end,
  };
  if (directory.begin + directory.size !== directory.limit) throw refuse('its directory is not where it should be');
  return directory;
}

/** Where the file is large, or its writer careful, a locator before the end points to a record with wider fields. */
async function findDirectory64(source: ByteSource, end: number, refuse: Refuse): Promise<Directory | undefined> {
  if (end < LOCATOR64_BYTES) return undefined;
  const locator = new DataView((await source.read(end - LOCATOR64_BYTES, LOCATOR64_BYTES)).buffer);
  if (locator.getUint32(0, true) !== LOCATOR64) return undefined;
  const limit = Number(locator.getBigUint64(8, true));
  if (limit + END64_BYTES > end - LOCATOR64_BYTES) throw refuse('its directory is not where it should be');
  const view = new DataView((await source.read(limit, END64_BYTES)).buffer);
  if (view.getUint32(0, true) !== END64) throw refuse('its directory is not where it should be');
  const [count, size, begin] = [32, 40, 48].map((at) => Number(view.getBigUint64(at, true))) as [
    number,
    number,
    number,
  ];
  return { count, size, begin, limit };
}

function parseEntry(view: DataView, at: number, refuse: Refuse): Omit<Member, 'limit'> {
  const flags = view.getUint16(at + 8, true);
  const nameBytes = view.getUint16(at + 28, true);
  const extraBytes = view.getUint16(at + 30, true);
  const name = Buffer.from(view.buffer, at + ENTRY_BYTES, nameBytes).toString('utf8');
  if (!isPlain(name)) throw refuse(`its member ${quoted(name)} has a name that leads elsewhere`);
  if ((flags & 1) !== 0) throw refuse(`its member ${quoted(name)} is encrypted`);
  const wide = wideFields(view, at + ENTRY_BYTES + nameBytes, extraBytes);
  // In this order, and only those that do not fit into 32 bits.
  const [size, packedSize, header] = [24, 20, 42].map((field) => {
    const small = view.getUint32(at + field, true);
    return small === ELSEWHERE ? wide.shift() : small;
  });
  if (size === undefined || packedSize === undefined || header === undefined) throw refuse('its directory is damaged');
  return { name, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true), size, packedSize, header };
}

/** Relative, without steps upwards: no such name is ever used as a path, but an honest archive has none. */
const isPlain = (name: string): boolean =>
  name !== '' && !/^\/|^[A-Za-z]:|[\\\0]/.test(name) && !name.split('/').includes('..');

/** The 64-bit numbers of the extra field for them. */
function wideFields(view: DataView, begin: number, length: number): number[] {
  const end = begin + length;
  for (let at = begin; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== EXTRA64) continue;
    const count = Math.floor(Math.min(view.getUint16(at + 2, true), end - at - 4) / 8);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
  }
  return [];
}

/** Every member ends before the next begins, and the last before the directory. */
function withLimits(
  found: readonly Omit<Member, 'limit'>[],
  directory: number,
  refuse: Refuse,
): ReadonlyMap<string, Member> {
  const headers = [...found.map(({ header }) => header), directory].sort((a, b) => a - b);
  const members = new Map<string, Member>();
  const next = new Map(headers.map((header, i) => [header, headers[i + 1] ?? directory]));
  for (const member of found) {
    if (members.has(member.name)) throw refuse(`it has the member ${quoted(member.name)} twice`);
    members.set(member.name, { ...member, limit: next.get(member.header) ?? directory });
  }
  return members;
}
