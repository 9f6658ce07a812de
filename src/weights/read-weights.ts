/** Any file of weights, told apart by its content; its name counts for nothing. */
import { UserError } from '../core/errors.ts';
import { allowanceFor } from './allowance.ts';
import { type ByteSource, withFile } from './byte-source.ts';
import { looksLike } from './looks-like.ts';
import { readPthLegacy } from './pth-legacy.ts';
import { readPthTar } from './pth-tar.ts';
import { readPthZip } from './pth-zip.ts';
import { refusalOf } from './refusal.ts';
import { readSafetensorsFrom } from './safetensors.ts';
import { sha256Of } from './sha256.ts';
import type { StoredTensor } from './stored-tensor.ts';

export type WeightsFormat = 'safetensors' | 'pth-zip' | 'pth-legacy' | 'pth-tar';

export interface Weights {
  /** By name, as PyTorch names them. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Of a safetensors file; PyTorch's have none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the whole file, in hex. */
  readonly sha256: string;
  readonly format: WeightsFormat;
}

/** Enough for the signature of a tar archive, which is the farthest from the beginning, and to know a page of HTML. */
const HEAD_BYTES = 1024;

/** The readers of PyTorch's containers. */
const READERS = { 'pth-zip': readPthZip, 'pth-legacy': readPthLegacy, 'pth-tar': readPthTar } as const;

/**
 * Reads a safetensors file, or the state dict of a PyTorch file (`.pth`, `.pt`) in any of its three containers. Nothing in
 * the file is run, and the memory taken is in proportion to its size.
 *
 * @throws UserError naming the file, and what it is instead or what is wrong with it
 */
export const readWeights = (path: string): Promise<Weights> => withFile(path, readWeightsFrom);

/** Likewise, of a file that is open. */
export async function readWeightsFrom(source: ByteSource): Promise<Weights> {
  const format = await formatOf(source);
  if (format === 'safetensors') return { ...(await readSafetensorsFrom(source)), format };
  const tensors = await READERS[format](source, allowanceFor(source.size, refusalOf(source.path)));
  return { tensors, metadata: {}, sha256: await sha256Of(source), format };
}

async function formatOf(source: ByteSource): Promise<WeightsFormat> {
  const head = Buffer.from(await source.read(0, Math.min(HEAD_BYTES, source.size)));
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04') return 'pth-zip';
  if (hasMagicNumber(head)) return 'pth-legacy';
  if (head.toString('latin1', 257, 262) === 'ustar') return 'pth-tar';
  // A safetensors file begins with the length of its header, in eight bytes of which the last are zero, and the header is JSON.
  if (head[8] === 0x7b && head.readUIntLE(4, 4) === 0) return 'safetensors';
  throw new UserError(`${source.path} ${looksLike(head)}`);
}

/** As a pickle of protocol 2 … 5 writes it: after the protocol, and in the later ones the length of a frame. */
function hasMagicNumber(head: Buffer): boolean {
  const magic = head.indexOf(Buffer.from([0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]));
  return head[0] === 0x80 && (magic === 2 || magic === 11);
}
