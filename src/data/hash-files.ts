import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { fileError } from '../core/files.ts';
import { isGzip } from './gzip.ts';

/**
 * SHA-256 of the files, one after the other, in hex. A gzip file counts by its content, so that packing changes nothing.
 *
 * @throws UserError naming the file that cannot be read
 */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    try {
      const unpack = (await isGzip(path)) ? [createGunzip()] : [];
      await pipeline([createReadStream(path), ...unpack, hash], { end: false });
    } catch (error) {
      throw fileError('read', path, error);
    }
  }
  return hash.digest('hex');
}
