/** Trained networks on disk: `checkpoints/DATASET/ARCHITECTURE-TRAINING.safetensors`. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PACKAGE_ROOT } from './paths.ts';

const FOLDER = 'checkpoints';
const ENDING = '.safetensors';

/** Where checkpoints are looked for: below the working folder first, then those that came with the program. */
const roots = (): string[] => [...new Set([resolve(FOLDER), join(PACKAGE_ROOT, FOLDER)])];

/** `checkpoints/mnist/vgg16-standard.safetensors` */
export const checkpointPath = (dataset: string, architecture: string, training: string): string =>
  join(FOLDER, dataset, `${architecture}-${training}${ENDING}`);

/** Whether it leads nowhere else: names may come from a run.json that anybody wrote. */
const isPlain = (name: string): boolean => !/[\\/]/.test(name) && name !== '.' && name !== '..';

/** The file of a trained network; undefined if there is none. */
export const findCheckpoint = (dataset: string, architecture: string, training: string): string | undefined =>
  [dataset, architecture, training].every(isPlain)
    ? roots()
        .map((root) => join(root, '..', checkpointPath(dataset, architecture, training)))
        .find((path) => existsSync(path))
    : undefined;

export interface FoundCheckpoint {
  readonly dataset: string;
  readonly architecture: string;
  readonly training: string;
  readonly path: string;
}

/** Every checkpoint of the given architectures; a file in the working folder hides the one that came with the program. */
export async function listCheckpoints(architectures: readonly string[]): Promise<FoundCheckpoint[]> {
  const found = new Map<string, FoundCheckpoint>();
  for (const root of roots().reverse()) {
    for (const file of await filesBelow(root)) {
      const [dataset = '', name = ''] = file.slice(0, -ENDING.length).split(/[\\/]/);
      // The longest first, so that `vgg16-bn-standard` is not taken for a vgg16.
      const architecture = [...architectures]
        .sort((a, b) => b.length - a.length)
        .find((known) => name.startsWith(`${known}-`));
      if (architecture === undefined) continue;
      const training = name.slice(architecture.length + 1);
      found.set(file, { dataset, architecture, training, path: join(root, file) });
    }
  }
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path));
}

async function filesBelow(root: string): Promise<string[]> {
  if (!existsSync(root)) return [];
  const files = await readdir(root, { recursive: true });
  return files.filter((file) => file.endsWith(ENDING));
}
