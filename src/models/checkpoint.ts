/**
 * A trained network in one safetensors file: weights under PyTorch's names and in its layout, all else in the metadata.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.ts';
import { type TrainingRecord, trainingRecord } from '../core/training-record.ts';
import { readSafetensors, type Safetensors, type StoredTensor, writeSafetensors } from '../weights/safetensors.ts';
import { loadWeights } from './load-weights.ts';
import { assembleNetwork, type Network, type NetworkSpec } from './network.ts';
import { weightsOf } from './weights.ts';

/** What a checkpoint's metadata says under `format`. */
export const CHECKPOINT_FORMAT = 'gibbon.checkpoint/1';

/** How a network came about. */
export interface CheckpointMetadata {
  readonly dataset: string;
  /** `standard`, `adversarial`, or whatever its training is called. */
  readonly training: string;
  /** The command that makes it again. */
  readonly command: string;
  readonly seed: number;
  readonly epochs: number;
  /** The names of its classes, in the order of its logits, where the dataset is not one that the program knows. */
  readonly classes?: readonly string[] | undefined;
  /** How its training went, epoch by epoch. Checkpoints of before it was kept have none. */
  readonly record?: TrainingRecord | undefined;
}

export interface LoadedNetwork extends Network {
  readonly metadata: CheckpointMetadata;
  /** Of the file, in hex. */
  readonly sha256: string;
}

// The bounds are far above any real network: they keep a hostile file from asking for all memory.
const size = z.number().int().min(1).max(8192);
const perChannel = z.array(z.number()).max(8192);
const specSchema = z.object({
  arch: z.string(),
  variant: z.string(),
  width: z.number().positive().max(4),
  input: z.tuple([size, size, size]).readonly(),
  classes: z.number().int().min(1).max(100_000),
  normalisation: z.object({ mean: perChannel, std: perChannel, order: z.literal('bgr').optional() }),
});

const count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number);
const json = z.string().transform((text): unknown => JSON.parse(text));
const metadataSchema = z.object({
  network: z.string(),
  dataset: z.string(),
  training: z.string(),
  command: z.string(),
  seed: count,
  epochs: count,
  classes: json.pipe(z.array(z.string()).min(1).max(100_000)).optional(),
  record: json.pipe(trainingRecord).optional(),
});

/**
 * Saves a network, atomically. The same network and metadata give the same bytes.
 *
 * @returns the SHA-256 of the file, in hex
 * @throws UserError if it cannot be written
 */
export async function saveCheckpoint(path: string, network: Network, metadata: CheckpointMetadata): Promise<string> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, read } of weightsOf(network.model)) {
    tensors.set(name, { dtype: 'F32', shape, data: await read() });
  }
  const { dataset, training, command, seed, epochs, classes, record } = metadata;
  const words = {
    format: CHECKPOINT_FORMAT,
    network: JSON.stringify(network.spec),
    ...{ dataset, training, command, seed: String(seed), epochs: String(epochs) },
    ...(classes === undefined ? {} : { classes: JSON.stringify(classes) }),
    ...(record === undefined ? {} : { record: JSON.stringify(record) }),
  };
  return writeSafetensors(path, tensors, { ...words, content: contentHash(tensors, words) });
}

/**
 * Loads a network, checking every byte of the file: it is loaded as it was saved, or not at all.
 *
 * @throws UserError naming the file and what is wrong with it
 */
export const loadCheckpoint = async (path: string): Promise<LoadedNetwork> =>
  openCheckpoint(await readSafetensors(path), path);

/** `loadCheckpoint` of a file that is read already; `path` is what errors call it. */
export function openCheckpoint(file: Safetensors, path: string): LoadedNetwork {
  const { spec, metadata } = parseMetadata(file, path);
  const network = assemble(spec, path);
  try {
    loadWeights(network, file.tensors, path);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return { ...network, metadata, sha256: file.sha256 };
}

function parseMetadata(
  { tensors, metadata }: Safetensors,
  path: string,
): { readonly spec: NetworkSpec; readonly metadata: CheckpointMetadata } {
  const { content, ...words } = metadata;
  if (words.format !== CHECKPOINT_FORMAT) {
    const found = words.format === undefined ? 'no format' : `the format ${JSON.stringify(words.format.slice(0, 80))}`;
    throw new UserError(`${path} is not a checkpoint of this version: it states ${found}, not ${CHECKPOINT_FORMAT}`);
  }
  if (content !== contentHash(tensors, words)) {
    throw new UserError(`${path} is damaged: its content does not match the checksum it was saved with. Copy it again`);
  }
  try {
    const { network, ...parsed } = metadataSchema.parse(words);
    const spec = specSchema.parse(JSON.parse(network));
    const { classes } = parsed;
    if (classes !== undefined && classes.length !== spec.classes) {
      throw new Error(`it names ${classes.length} classes and has ${spec.classes}`);
    }
    return { spec, metadata: parsed };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const why = issue === undefined ? messageOf(error) : `${issue.path.join('.')}: ${issue.message}`;
    throw new UserError(`${path} is not a usable checkpoint: ${why}`);
  }
}

/** What the file names may be unknown here, or too large: that is the file's fault, not the program's. */
function assemble(spec: NetworkSpec, path: string): Network {
  try {
    return assembleNetwork(spec);
  } catch (error) {
    throw new UserError(`the network in ${path} cannot be built: ${messageOf(error)}`);
  }
}

/** SHA-256 over names, types, shapes, values and metadata, in hex: independent of how a file arranges them. */
function contentHash(tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>>): string {
  const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(metadata).sort(byName)));
  for (const [name, { dtype, shape, data }] of [...tensors].sort(byName)) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
