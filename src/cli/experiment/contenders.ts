/** Which trained networks a run measures, loaded and checked against the dataset. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Dataset } from '../../core/dataset.ts';
import { UserError, usageError } from '../../core/errors.ts';
import { datasetNames } from '../../data/registry.ts';
import type { Contender } from '../../evaluate/plan.ts';
import { loadCheckpoint } from '../../models/checkpoint.ts';
import { publishedAccuracy } from '../../models/facts.ts';
import { multiplyAdds } from '../../models/multiply-adds.ts';
import { architectures, findArchitecture } from '../../models/registry.ts';
import { checkpointPath, findCheckpoint, listCheckpoints } from '../checkpoints.ts';
import { shortPath } from '../paths.ts';
import { isUserNetwork, openUserContender, type UserNetworkFile, userNetworkFiles } from './user-contenders.ts';

export interface Request {
  /** Names of architectures, `all`, or networks of the user's own: modules, or folders of models. */
  readonly arch: readonly string[];
  readonly training: readonly string[];
  /** Files to take instead; those of the user's own modules, if there are any. */
  readonly weights: readonly string[] | null;
  readonly dataset: string;
}

/** A checkpoint to load, and what its file name promises; nothing is promised by a file of the user's own. */
export interface CheckpointFile {
  readonly path: string;
  readonly architecture?: string;
  readonly training?: string;
}

/** What contenders are opened from. */
export type ContenderFile = CheckpointFile | UserNetworkFile;

/**
 * The files of the networks asked for: the user's own, then those trained here.
 *
 * @throws UserError naming the architecture or the missing file, and how it is made
 */
export async function contenderFiles({ arch, weights, ...rest }: Request): Promise<ContenderFile[]> {
  const known = architectures.map(({ name }) => name);
  const own = arch.filter((word) => isUserNetwork(word, known));
  const named = arch.filter((word) => !own.includes(word));
  if (own.length === 0) return checkpointFiles({ arch, weights, ...rest });
  const files = userNetworkFiles(own, weights);
  return named.length === 0 ? files : [...files, ...(await checkpointFiles({ arch: named, weights: null, ...rest }))];
}

/** The checkpoints asked for, in the order of architectures, then trainings. Errors as `contenderFiles`. */
async function checkpointFiles({ arch, training, weights, dataset }: Request): Promise<CheckpointFile[]> {
  // One file by two names is one network.
  if (weights !== null) return [...new Map(weights.map((word) => [resolve(word), fileOfWeights(word)])).values()];
  const names = (await Promise.all(arch.map((word) => architecturesOf(word, dataset)))).flat();
  if (names.length === 0) throw new UserError(`no network is trained on ${dataset} yet: gibbon train makes one`);
  return [...new Set(names)].flatMap((architecture) =>
    [...new Set(training)].map((name) => {
      const path = findCheckpoint(dataset, architecture, name);
      if (path !== undefined) return { path, architecture, training: name };
      throw new UserError(
        `no checkpoint ${checkpointPath(dataset, architecture, name)}: gibbon train --arch ${architecture} ` +
          `--training ${name} makes it; gibbon list shows those that are there`,
      );
    }),
  );
}

function fileOfWeights(word: string): CheckpointFile {
  if (word === 'imagenet' || /^https?:/.test(word)) {
    throw new UserError(`--weights ${word}: downloaded weights are not here yet; name a checkpoint file`);
  }
  if (!existsSync(word)) throw usageError(`--weights ${word}: no such file`);
  return { path: word };
}

async function architecturesOf(word: string, dataset: string): Promise<string[]> {
  const known = architectures.map(({ name }) => name);
  if (word === 'all') {
    const trained = (await listCheckpoints(known)).filter((found) => found.dataset === dataset);
    return known.filter((name) => trained.some(({ architecture }) => architecture === name));
  }
  return [findArchitecture(word).name];
}

/**
 * Loads a checkpoint, or a network of the user's own, as a contender.
 *
 * @throws UserError if the file is corrupt, is another network than its name says, or does not fit the dataset, or was
 *   trained on another
 */
export async function openContender(file: ContenderFile, dataset: Dataset): Promise<Contender> {
  if ('kind' in file) return openUserContender(file, dataset);
  const { spec, model, classifier, parameters, metadata, sha256 } = await loadCheckpoint(file.path);
  const shown = shortPath(file.path);
  if (file.architecture !== undefined && spec.arch !== file.architecture) {
    throw new UserError(`${shown} holds a ${spec.arch}, not the ${file.architecture} that its name promises`);
  }
  if (file.training !== undefined && metadata.training !== file.training) {
    throw new UserError(`${shown} was trained as ${metadata.training}, not ${file.training} as its name promises`);
  }
  requireDataset(shown, metadata.dataset, dataset.name);
  const shape = (input: readonly number[], classes: number): string =>
    `${input.join('x')} images in ${classes} classes`;
  const [taken, given] = [shape(spec.input, spec.classes), shape(dataset.input, dataset.classes.length)];
  if (taken !== given) throw new UserError(`${shown} takes ${taken}; ${dataset.name} has ${given}`);
  const { name, title, paper, year, idea } = findArchitecture(spec.arch);
  const published = publishedAccuracy(name);
  return {
    architecture: {
      ...{ name, title, paper, year, idea, parameters },
      multiplyAdds: multiplyAdds(model),
      ...(published === undefined ? {} : { published }),
    },
    training: file.training ?? metadata.training,
    classifier,
    sha256,
  };
}

/** A dataset that the program knows by name must be the one trained on; a folder of the user's own may hold images of any. */
function requireDataset(file: string, trained: string, tested: string): void {
  if (trained === tested || !datasetNames.includes(tested)) return;
  throw new UserError(`${file} was trained on ${trained}, and --dataset is ${tested}: give --dataset ${trained}`);
}
