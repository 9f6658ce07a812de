/** Which networks a run measures, and where they come from. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Dataset, usualResize } from '../../core/dataset.ts';
import { UserError, unknownName, usageError } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { STANDARD, UNSTATED } from '../../core/training.ts';
import { IMAGENET_CLASSES } from '../../data/imagenet-classes.ts';
import { datasetNames } from '../../data/registry.ts';
import { loadDefenses } from '../../discover/modules.ts';
import { type LoadedNetwork, openCheckpoint } from '../../models/checkpoint.ts';
import { publishedAccuracy } from '../../models/facts.ts';
import { multiplyAdds } from '../../models/multiply-adds.ts';
import type { Network } from '../../models/network.ts';
import { describesItself, openPretrained } from '../../models/pretrained.ts';
import { architectures, findArchitecture, SIX } from '../../models/registry.ts';
import { readWeights } from '../../weights/read-weights.ts';
import { findPublicWeights, isWeightsVersion } from '../../weights/torchvision.ts';
import { checkpointPath, findCheckpoint, listCheckpoints } from '../checkpoints.ts';
import { isTraining } from '../known-defenses.ts';
import { type ResolveOptions, resolveWeights } from '../weights-word.ts';
import type { Opened } from './opened.ts';
import { isUserNetwork, openUserContender, type UserNetworkFile, userNetworkFiles } from './user-contenders.ts';

export interface Request {
  /** Names of architectures, `all`, or networks of the user's own: modules, or folders of models. */
  readonly arch: readonly string[];
  readonly training: readonly string[];
  /** What to take instead of the bundled checkpoints: files, URLs, or `imagenet`. */
  readonly weights: readonly string[] | null;
  readonly dataset: string;
  /** Whether the user said so, or these are defaults. */
  readonly isGiven: (flag: 'arch' | 'training') => boolean;
}

/** A checkpoint that came with the program or was trained here, and what its name promises. */
export interface CheckpointFile {
  readonly kind: 'checkpoint';
  readonly path: string;
  readonly architecture: string;
  readonly training: string;
}

/** A file, a URL or a set of published weights, as `--weights` names it. */
export interface WeightsFile {
  readonly kind: 'weights';
  readonly word: string;
  /** For weights that do not say which architecture they belong to. */
  readonly architecture: string | undefined;
}

export type ContenderFile = CheckpointFile | WeightsFile | UserNetworkFile;

/** Whether the dataset is a folder of photographs, for which networks trained on ImageNet are there. */
const isPhotographs = (dataset: string): boolean => !datasetNames.includes(dataset);

/**
 * The networks asked for: the user's own, then those that have weights.
 *
 * @throws UserError naming the architecture or the missing file, and how it is made
 */
export async function contenderFiles(request: Request): Promise<ContenderFile[]> {
  const { arch, weights } = request;
  const known = architectures.map(({ name }) => name);
  const own = arch.filter((word) => isUserNetwork(word, known));
  const named = arch.filter((word) => !own.includes(word));
  if (own.length === 0) return namedFiles(request);
  const files = userNetworkFiles(own, weights);
  return named.length === 0 ? files : [...files, ...(await namedFiles({ ...request, arch: named, weights: null }))];
}

async function namedFiles(request: Request): Promise<ContenderFile[]> {
  if (request.weights !== null) return weightsFiles(request, request.weights);
  return isPhotographs(request.dataset) ? publicFiles(request, 'imagenet') : checkpointFiles(request);
}

function weightsFiles(request: Request, words: readonly string[]): WeightsFile[] {
  const { arch, isGiven } = request;
  // One file by two names is one network.
  const distinct = [...new Map(words.map((word) => [existsSync(word) ? resolve(word) : word, word])).values()];
  const [first, ...others] = distinct as [string, ...string[]];
  if (isWeightsVersion(first) && others.length === 0) return publicFiles(request, first);
  const published = distinct.find(isWeightsVersion);
  if (published !== undefined) throw usageError(`--weights ${published} stands for a whole set; give it alone`);
  const architectureOf = pairing(isGiven('arch') ? arch : [], distinct);
  return distinct.map((word, i) => ({ kind: 'weights', word, architecture: architectureOf(i) }));
}

/** The architecture of each of several files: the only one that is named, or the one at the same place. */
function pairing(arch: readonly string[], words: readonly string[]): (index: number) => string | undefined {
  if (arch.includes('all')) return () => undefined;
  const names = arch.map((word) => findArchitecture(word).name);
  if (names.length <= 1) return () => names[0];
  return (i) => (names.length === words.length ? names[i] : undefined);
}

/** @throws UserError (usage) for an architecture without published weights, or images that they have never seen */
function publicFiles({ arch, dataset }: Request, version: string): WeightsFile[] {
  if (!isPhotographs(dataset)) {
    throw usageError(
      `--weights ${version} are of networks that see photographs, and --dataset is ${dataset}: give a folder, or photographs ` +
        'by --images',
    );
  }
  return [...new Set(arch.flatMap((word) => (word === 'all' ? SIX.imagenet : [findArchitecture(word).name])))].map(
    (name) => ({
      kind: 'weights',
      word: findPublicWeights(name, version).version,
      architecture: name,
    }),
  );
}

/** The checkpoints asked for, in the order of architectures, then trainings. */
async function checkpointFiles({ arch, training, dataset, isGiven }: Request): Promise<CheckpointFile[]> {
  const names = (await Promise.all(arch.map((word) => architecturesOf(word, dataset)))).flat();
  if (names.length === 0) throw new UserError(`no network is trained on ${dataset} yet: gibbon train makes one`);
  const defenses = [...(await loadDefenses()).values()]
    .filter(isTraining)
    .map(({ name, training: called }) => called ?? name);
  const trained = (await listCheckpoints(architectures.map(({ name }) => name))).filter(
    (one) => one.dataset === dataset,
  );
  const known = [...new Set([...defenses, ...trained.map((one) => one.training)])];
  return [...new Set(names)].flatMap((architecture) => {
    const found = [...new Set(training)].map((name) => ({ name, path: findCheckpoint(dataset, architecture, name) }));
    // Trainings that nobody asked for by name are measured where they are there.
    const isOptional = !isGiven('training') && found.some(({ path }) => path !== undefined);
    return found.flatMap(({ name, path }): CheckpointFile[] => {
      if (path !== undefined) return [{ kind: 'checkpoint', path, architecture, training: name }];
      if (isOptional) return [];
      if (!known.includes(name)) throw unknownName('training', name, known);
      const remedy = `gibbon train --arch ${architecture} --training ${name} makes it; `;
      throw new UserError(
        `no checkpoint ${checkpointPath(dataset, architecture, name)}: ${defenses.includes(name) ? remedy : ''}` +
          'gibbon list shows those that are there',
      );
    });
  });
}

/** Of `all`: the six, then what else the user has trained. */
async function architecturesOf(word: string, dataset: string): Promise<string[]> {
  if (word !== 'all') return [findArchitecture(word).name];
  const known = architectures.map(({ name }) => name);
  const trained = (await listCheckpoints(known)).filter((found) => found.dataset === dataset);
  const isTrained = (name: string): boolean => trained.some(({ architecture }) => architecture === name);
  const six: readonly string[] = SIX.small;
  return [...six, ...known.filter((name) => !six.includes(name))].filter(isTrained);
}

/**
 * Loads a network as a contender.
 *
 * @throws UserError if the file is corrupt, is another network than its name says, or cannot be fetched
 */
export async function openContender(file: ContenderFile, options: ResolveOptions): Promise<Opened> {
  if (file.kind === 'checkpoint') return openBundled(file);
  if (file.kind === 'weights') return openWeights(file, options);
  return openUserContender(file, options);
}

async function openBundled({ path, architecture, training }: CheckpointFile): Promise<Opened> {
  const shown = shortPath(path);
  const network = openCheckpoint(await readWeights(path), path);
  const { spec, metadata } = network;
  if (spec.arch !== architecture) {
    throw new UserError(`${shown} holds a ${spec.arch}, not the ${architecture} that its name promises`);
  }
  if (metadata.training !== training) {
    throw new UserError(`${shown} was trained as ${metadata.training}, not ${training} as its name promises`);
  }
  return ofCheckpoint(network, shown);
}

async function openWeights({ word, architecture }: WeightsFile, options: ResolveOptions): Promise<Opened> {
  const path = await resolveWeights(word, architecture, options);
  const shown = shortPath(path);
  const weights = await readWeights(path);
  if (describesItself(weights)) return ofCheckpoint(openCheckpoint(weights, path), shown);
  if (architecture === undefined) {
    throw usageError(`${shown} does not say which architecture it belongs to: add --arch, one name for each such file`);
  }
  const network = openPretrained(architecture, weights, shown);
  const published = isWeightsVersion(word) ? findPublicWeights(architecture, word) : undefined;
  const { classes, input } = network.spec;
  return {
    ...opened(network, shown, published === undefined ? UNSTATED : STANDARD, network.sha256),
    resize: published?.resize ?? usualResize(input),
    classNames: classes === IMAGENET_CLASSES.length ? IMAGENET_CLASSES.map(({ name }) => name) : undefined,
  };
}

function ofCheckpoint(network: LoadedNetwork, path: string): Opened {
  const { metadata, sha256, spec } = network;
  const { contender } = opened(network, path, metadata.training, sha256);
  return {
    ...{ contender: { ...contender, record: metadata.record }, path },
    resize: usualResize(spec.input),
    classNames: metadata.classes,
    trainedOn: metadata.dataset,
  };
}

function opened(network: Network, path: string, training: string, sha256: string) {
  const { arch, variant, width } = network.spec;
  const { name, title, paper, year, idea } = findArchitecture(arch);
  const published = publishedAccuracy(name);
  const architecture = {
    ...{ name, title, paper, year, idea, form: { variant, width }, parameters: network.parameters },
    multiplyAdds: multiplyAdds(network.model),
    ...(published === undefined ? {} : { published }),
  };
  return { contender: { architecture, training, classifier: network.classifier, sha256 }, path };
}

/**
 * Refuses a dataset that the network was not made for.
 *
 * @throws UserError naming the file
 */
export function requireFit({ contender, path, trainedOn, classNames }: Opened, dataset: Dataset): void {
  // A dataset that the program knows by name must be the one trained on; a folder may hold images of any.
  if (trainedOn !== undefined && trainedOn !== dataset.name && datasetNames.includes(dataset.name)) {
    const remedy = `give --dataset ${trainedOn}`;
    throw new UserError(`${path} was trained on ${trainedOn}, and --dataset is ${dataset.name}: ${remedy}`);
  }
  const { input, classes } = contender.classifier;
  const shape = (size: readonly number[], count: number): string => `${size.join('x')} images in ${count} classes`;
  const [taken, given] = [shape(input, classes), shape(dataset.input, dataset.classes.length)];
  if (taken !== given) throw new UserError(`${path} takes ${taken}; ${dataset.name} has ${given}`);
  if (classNames === undefined || classNames.join() === dataset.classes.join()) return;
  // Other words for the same classes cannot be told apart from other classes; another order can.
  if ([...classNames].sort().join() !== [...dataset.classes].sort().join()) return;
  const few = (names: readonly string[]): string => `${names.slice(0, 4).join(', ')}, …`;
  throw new UserError(
    `${path} has the classes of ${dataset.name} in another order: ${few(classNames)} for ${few(dataset.classes)}`,
  );
}
