/** Tar archives (POSIX.1-1988, "ustar"): members one after the other, each after a block that names it. */
import { type ByteSource, partOf } from './byte-source.ts';
import { quoted, type Refuse } from './refusal.ts';

const BLOCK = 512;
/** PyTorch wrote four. */
const MAX_MEMBERS = 64;

/** Of plain files; folders, links and what describes the next member are passed over. */
const PLAIN = new Set(['0', '\0']);

/**
 * The plain files of an archive by name.
 *
 * @throws UserError for what is not exactly an archive
 */
export async function readTar(source: ByteSource, refuse: Refuse): Promise<ReadonlyMap<string, ByteSource>> {
  const members = new Map<string, ByteSource>();
  for (let position = 0, count = 0; ; count++) {
    if (count > MAX_MEMBERS) throw refuse(`it has more than ${MAX_MEMBERS} members`);
    if (position + BLOCK > source.size) throw refuse('it ends before its end is marked');
    const block = await source.read(position, BLOCK);
    if (block.every((byte) => byte === 0)) return members;
    const { name, type, size } = parseBlock(block, refuse);
    if (position + BLOCK + size > source.size) throw refuse(`its member ${quoted(name)} reaches outside the file`);
    if (members.has(name)) throw refuse(`it has the member ${quoted(name)} twice`);
    if (PLAIN.has(type)) members.set(name, partOf(source, position + BLOCK, size));
    position += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function parseBlock(block: Uint8Array<ArrayBuffer>, refuse: Refuse) {
  const text = (at: number, length: number): string =>
    Buffer.from(block.buffer, at, length).toString('latin1').replace(/\0.*$/s, '').trim();
  const octal = (at: number, length: number): number => {
    const digits = text(at, length);
    if (!/^[0-7]+$/.test(digits)) throw refuse('a number in it is not octal');
    return Number.parseInt(digits, 8);
  };
  // The checksum counts its own eight bytes as spaces.
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (octal(148, 8) !== sum) throw refuse('a checksum in it does not match');
  const name = text(0, 100).replace(/^\.\//, '');
  return { name, type: String.fromCharCode(block[156] as number), size: octal(124, 12) };
}
