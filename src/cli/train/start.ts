/** `--from`: a trained network to go on from. */
import { usageError } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { openCheckpoint } from '../../models/checkpoint.ts';
import type { NetworkSpec } from '../../models/network.ts';
import { describesItself, openPretrained } from '../../models/pretrained.ts';
import { weightsOf } from '../../models/weights.ts';
import type { Start } from '../../train/start.ts';
import { readWeights } from '../../weights/read-weights.ts';
import type { StoredTensor } from '../../weights/stored-tensor.ts';
import { type ResolveOptions, resolveWeights } from '../weights-word.ts';

export interface OpenedStart {
  /** The network as it was trained. */
  readonly spec: NetworkSpec;
  readonly start: Start;
}

/**
 * Opens published weights, a URL, a PyTorch file or a checkpoint.
 *
 * @param arch - whose weights they are
 * @throws UserError if they cannot be had, or are those of another architecture
 */
export async function openStart(
  word: string,
  arch: string,
  freeze: boolean,
  fetching: ResolveOptions,
): Promise<OpenedStart> {
  const path = await resolveWeights(word, arch, { ...fetching, flag: '--from' });
  const source = shortPath(path);
  const file = await readWeights(path);
  const network = describesItself(file) ? openCheckpoint(file, source) : openPretrained(arch, file, source);
  try {
    const { spec, sha256 } = network;
    if (spec.arch !== arch)
      throw usageError(`--from ${word} is a ${spec.arch}, not a ${arch}: give --arch ${spec.arch}`);
    const weights = new Map<string, StoredTensor>();
    for (const { name, shape, read } of weightsOf(network.model)) {
      weights.set(name, { dtype: 'F32', shape, data: await read() });
    }
    return { spec, start: { weights, sha256, source, freeze } };
  } finally {
    network.dispose();
  }
}
