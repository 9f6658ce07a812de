/**
 * Models in TensorFlow.js's own format: a `model.json` with the layers or the graph, and binary files with the weights
 * (https://www.tensorflow.org/js/guide/save_load). They are read from the disk alone, and nothing in them can run: layers
 * and operations are looked up by name among those that TensorFlow.js has.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { messageOf, UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { readWhole, withFile } from './byte-source.ts';
import { parseModelJson, type ShardGroup } from './tfjs-manifest.ts';

/** The file in a model's folder that describes it. */
export const MODEL_JSON = 'model.json';

/** Far more than any description needs; the weights lie elsewhere. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

export interface TfjsModel {
  readonly model: tf.LayersModel | tf.GraphModel;
  /** Of `model.json` and the weight files in its order, in hex. */
  readonly sha256: string;
}

/**
 * Loads the model of a folder.
 *
 * @throws UserError naming the file, if one is missing, damaged, cut short or too long, lies outside the folder, or holds
 *   what TensorFlow.js does not know
 */
export async function loadTfjsModel(folder: string): Promise<TfjsModel> {
  const path = join(folder, MODEL_JSON);
  const hash = createHash('sha256');
  const read = async (file: string, most?: number): Promise<ArrayBuffer> => {
    const bytes = await readWhole(file, most);
    hash.update(bytes);
    return bytes.buffer;
  };
  const { format, artifacts, groups } = parseModelJson(decode(await read(path, MAX_JSON_BYTES), path), path);
  for (const group of groups) await checkSizes(group, folder, path);
  const weightData: ArrayBuffer[] = [];
  for (const file of groups.flatMap(({ paths }) => paths)) weightData.push(await read(join(folder, file)));
  const handler: tf.io.IOHandler = { load: async () => ({ ...artifacts, weightData }) };
  try {
    const model = await (format === 'layers' ? tf.loadLayersModel(handler) : tf.loadGraphModel(handler));
    return { model, sha256: hash.digest('hex') };
  } catch (error) {
    throw new UserError(`the model in ${path} cannot be loaded: ${reasonOf(error)}`);
  }
}

/** Before anything of the claimed size is allocated. */
async function checkSizes({ paths, bytes }: ShardGroup, folder: string, path: string): Promise<void> {
  const sizes = await Promise.all(paths.map((file) => sizeOf(join(folder, file))));
  const found = sizes.reduce((sum, size) => sum + size, 0);
  if (found === bytes) return;
  const how = found < bytes ? 'cut short' : 'too long';
  throw new UserError(
    `${path}: its weights take ${bytes} bytes, and ${paths.join(', ') || 'no file'} has ${found}: a file is ${how} or ` +
      'belongs to another model. Copy, download or convert it again',
  );
}

const sizeOf = (file: string): Promise<number> => withFile(file, async ({ size }) => size);

function decode(bytes: ArrayBuffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path} is not a model that can be read: it is not UTF-8`);
  }
}

/** TensorFlow.js's reason in one line; what it does not know, in our words. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const unknown = /Unknown (\w+): (\w+)/.exec(message);
  if (unknown !== null) {
    return (
      `TensorFlow.js has no ${unknown[1]} called ${unknown[2]}. Custom layers are code, which is never loaded from a ` +
      'model file: build the model in a module of your own (defineNetwork)'
    );
  }
  return message.split('\n')[0] ?? message;
}
