import { createHash } from 'node:crypto';
import type { ByteSource } from './byte-source.ts';

const CHUNK_BYTES = 2 ** 20;

/** SHA-256 of a whole file, in hex. A chunk of it is in memory at a time. */
export async function sha256Of({ size, read }: ByteSource): Promise<string> {
  const hash = createHash('sha256');
  for (let position = 0; position < size; position += CHUNK_BYTES) {
    hash.update(await read(position, Math.min(CHUNK_BYTES, size - position)));
  }
  return hash.digest('hex');
}
