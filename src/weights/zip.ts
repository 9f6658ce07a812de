/**
 * Zip archives (APPNOTE.TXT 6.3, with zip64), read strictly: what the directory says must agree with the members, and with
 * the file's real size. Nothing is ever written under a name from an archive.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import type { Allowance } from './allowance.ts';
import type { ByteSource } from './byte-source.ts';
import { quoted, type Refuse } from './refusal.ts';
import { type Member, readDirectory } from './zip-directory.ts';

export interface ZipArchive {
  readonly names: readonly string[];
  /** Its bytes when unpacked. */
  readonly sizeOf: (name: string) => number | undefined;
  /** A member, unpacked, in a buffer of its own. */
  readonly read: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
}

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/**
 * @param allowance - takes note of what unpacking allocates
 * @throws UserError for what is not exactly an archive
 */
export async function openZip(source: ByteSource, allowance: Allowance, refuse: Refuse): Promise<ZipArchive> {
  const members = await readDirectory(source, refuse);
  return {
    names: [...members.keys()],
    sizeOf: (name) => members.get(name)?.size,
    read: async (name) => {
      const member = members.get(name);
      if (member === undefined) throw refuse(`it has no ${quoted(name)}`);
      const about = (why: string) => refuse(`its member ${quoted(name)} ${why}`);
      const bytes = await unpack(source, member, allowance, about);
      // Zero is what PyTorch writes when it was told not to compute any (torch.serialization.set_crc32_options).
      if (member.crc !== 0 && crc32(bytes) !== member.crc) throw about('is damaged: its checksum is another');
      return bytes;
    },
  };
}

async function unpack(
  source: ByteSource,
  { name, method, size, packedSize, header, limit }: Member,
  allowance: Allowance,
  refuse: Refuse,
): Promise<Uint8Array<ArrayBuffer>> {
  if (header + LOCAL_BYTES > limit) throw refuse('lies outside the file');
  const local = new DataView((await source.read(header, LOCAL_BYTES)).buffer);
  const nameBytes = local.getUint16(26, true);
  const begin = header + LOCAL_BYTES + nameBytes + local.getUint16(28, true);
  if (local.getUint32(0, true) !== LOCAL) throw refuse('is not where the directory says');
  if (begin + packedSize > limit) throw refuse('reaches into what follows it');
  const localName = Buffer.from(await source.read(header + LOCAL_BYTES, nameBytes)).toString('utf8');
  if (localName !== name) throw refuse(`calls itself ${quoted(localName)}`);
  if (method === STORED && size !== packedSize) throw refuse('is stored as it is, yet has two sizes');
  if (method === STORED) return source.read(begin, size);
  if (method !== DEFLATED) throw refuse(`is packed by method ${method}; understood are stored (0) and deflated (8)`);
  // Both lie in memory for a moment.
  allowance(packedSize + size);
  return inflate(await source.read(begin, packedSize), size, refuse);
}

function inflate(packed: Uint8Array, size: number, refuse: Refuse): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array;
  try {
    // Stops as soon as there is more than the directory claims, and it claims no more than is allowed.
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw refuse('cannot be unpacked');
  }
  if (bytes.length !== size) throw refuse(`unpacks to ${bytes.length} bytes, not ${size}`);
  return new Uint8Array(bytes);
}
