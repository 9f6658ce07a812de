/** Networks that users bring: a model's folder, or a module that describes a network, perhaps with weights from PyTorch. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { recordFunction } from '../../compile/recorder.ts';
import type { Classifier } from '../../core/classifier.ts';
import { messageOf, UserError, usageError } from '../../core/errors.ts';
import { UNSTATED } from '../../core/training.ts';
import type { Contender } from '../../evaluate/plan.ts';
import {
  type GivenWeights,
  type OpenedNetwork,
  openModelFolder,
  openNetworkModule,
} from '../../models/user-network.ts';
import { tf } from '../../tf.ts';
import { readWeights } from '../../weights/read-weights.ts';
import { MODEL_JSON } from '../../weights/tfjs-model.ts';
import { isWeightsVersion } from '../../weights/torchvision.ts';
import { importUserFile, isFile } from '../user-files.ts';
import { type ResolveOptions, resolveWeights } from '../weights-word.ts';
import type { Opened } from './opened.ts';

/** A network of the user's own to open. */
export interface UserNetworkFile {
  readonly kind: 'module' | 'folder';
  readonly path: string;
  /** Weights from PyTorch, for a module: a file or a URL. */
  readonly weights?: string;
}

/** Whether a word of `--arch` means a file or folder; the names of architectures come first. */
export const isUserNetwork = (word: string, known: readonly string[]): boolean =>
  word !== 'all' && !known.includes(word) && (isFile(word) || /[\\/]|\.json$/.test(word) || existsSync(word));

/**
 * The networks that these words mean, with the weights that belong to them: one file for each module, in their order.
 *
 * @throws UserError (usage) if one is not there, or there are more or fewer weights than modules
 */
export function userNetworkFiles(words: readonly string[], weights: readonly string[] | null): UserNetworkFile[] {
  const files = [...new Set(words)].map(fileOf);
  const modules = files.filter(({ kind }) => kind === 'module');
  if (weights === null || files.length === 0) return files;
  if (modules.length === 0)
    throw usageError(`--weights: ${words.join(', ')} has its weights in its folder; leave --weights out`);
  if (modules.length !== weights.length) {
    const names = modules.map(({ path }) => path).join(', ');
    throw usageError(
      `--weights names ${weights.length} files for ${modules.length} modules (${names}): give one for each, in their order`,
    );
  }
  const published = weights.find(isWeightsVersion);
  if (published !== undefined)
    throw usageError(`--weights ${published} are of architectures known by name; a module takes a file or a URL`);
  return files.map((file) => {
    const own = weights[modules.indexOf(file)];
    return own === undefined ? file : { ...file, weights: own };
  });
}

function fileOf(word: string): UserNetworkFile {
  if (!existsSync(word)) throw usageError(`--arch ${word}: no such file or folder`);
  if (isFile(word)) return { kind: 'module', path: word };
  const folder = basename(word) === MODEL_JSON ? dirname(word) : word;
  if (statSync(folder).isDirectory() && existsSync(join(folder, MODEL_JSON))) return { kind: 'folder', path: folder };
  throw usageError(`--arch ${word}: neither a TypeScript or JavaScript module nor a folder with a ${MODEL_JSON}`);
}

/**
 * Opens a network of the user's own.
 *
 * @throws UserError if it cannot be opened, or its weights cannot be fetched
 */
export async function openUserContender(file: UserNetworkFile, fetching: ResolveOptions): Promise<Opened> {
  const { network, training } = await open(file, fetching);
  const { architecture, classifier, sha256, notes, classNames } = network;
  return {
    contender: { architecture, classifier, sha256, training },
    path: file.path,
    classNames,
    isOwn: true,
    notes: notes.map((note) => `${file.path}: ${note}`),
  };
}

async function open(
  { kind, path, weights }: UserNetworkFile,
  fetching: ResolveOptions,
): Promise<{ network: OpenedNetwork; training: string }> {
  if (kind === 'folder') {
    const network = await openModelFolder(path);
    return { network, training: network.training ?? UNSTATED };
  }
  const module = await importUserFile(path);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  const given =
    weights === undefined ? undefined : await givenWeights(await resolveWeights(weights, undefined, fetching));
  const network = await openNetworkModule(module.default, {
    ...{ file: path, sha256 },
    ...(given === undefined ? {} : { weights: given }),
  });
  return { network, training: given?.training ?? network.training ?? UNSTATED };
}

async function givenWeights(path: string): Promise<GivenWeights & { readonly training: string | undefined }> {
  const { tensors, metadata, sha256 } = await readWeights(path);
  return { source: path, tensors, sha256, training: metadata.training };
}

/**
 * Checks networks of the user's own against all others and, if they will be compiled, against the compiler, before any work.
 *
 * @param gradients - whether an attack asks for them
 * @throws UserError if two have one name, or naming what cannot be compiled
 */
export function checkUserContenders(
  opened: readonly Opened[],
  { compiled, gradients }: { readonly compiled: boolean; readonly gradients: boolean },
): void {
  const own = opened.filter(({ isOwn }) => isOwn);
  for (const one of own) {
    if (!opened.some((other) => other !== one && clash(one.contender, other.contender))) continue;
    const { path, contender } = one;
    throw usageError(`${path}: two networks are called ${contender.architecture.name}; give one of them another name`);
  }
  if (compiled) for (const { contender, path } of own) rehearseNetwork(contender.classifier, path, gradients);
}

/** Whether a table could not tell them apart: one name for two networks, or for one that was trained one way. */
const clash = (a: Contender, b: Contender): boolean =>
  a.architecture.name === b.architecture.name &&
  (a.training === b.training || a.architecture.title !== b.architecture.title);

/** Images in a rehearsal: more than one, so that a model made for one is found out. */
const REHEARSED = 2;

/** Traces the network, and its gradient if attacks need it. @throws UserError naming the file */
function rehearseNetwork(classifier: Classifier, path: string, withGradient: boolean): void {
  const logits = (x: tf.Tensor): tf.Tensor => classifier.logits(x as tf.Tensor4D);
  const gradient = tf.grad((x: tf.Tensor) => logits(x).sum());
  const shape = [REHEARSED, ...classifier.input];
  try {
    recordFunction(
      ({ x }) => ({ logits: logits(x as tf.Tensor), ...(withGradient ? { gradient: gradient(x as tf.Tensor) } : {}) }),
      { x: { shape } },
      'frozen',
    );
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} cannot be attacked: ${messageOf(error).split('\n')[0]}`);
  }
}
