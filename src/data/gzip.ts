import { open, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf, UserError } from '../core/errors.ts';

/** Whether a file starts as gzip files do (RFC 1952, section 2.3.1), whatever its name. */
export async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

/**
 * The content of a gzip file.
 *
 * @param limit - bytes that it may have at most, so that a small file cannot fill the memory
 * @throws UserError naming the file, if it is damaged or longer than that
 */
export async function readGzip(path: string, limit: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(await readFile(path), { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UserError(`${path} is damaged: unpacked it is longer than ${limit} bytes`);
    }
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new UserError(`${path} is damaged: ${messageOf(error)}`);
  }
}
