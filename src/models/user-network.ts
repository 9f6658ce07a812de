/** Networks that users bring, opened as what an attack may see of them. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Classifier } from '../core/classifier.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { Run } from '../core/run.ts';
import type { UserModel } from '../core/user-network.ts';
import { tf } from '../tf.ts';
import { readWhole } from '../weights/byte-source.ts';
import type { StoredTensor } from '../weights/stored-tensor.ts';
import { loadTfjsModel } from '../weights/tfjs-model.ts';
import { imageInput, scalingOf } from './image-input.ts';
import { type Declaration, parseDeclaration, parseSideFile, type Statement } from './network-statement.ts';
import { loadTorchWeights } from './torch-weights.ts';
import { runnable } from './user-model.ts';

/** A network of the user's own, ready to be attacked. */
export interface OpenedNetwork {
  readonly classifier: Classifier;
  readonly architecture: Run['architectures'][number];
  /** How it was trained, if its owner says so. */
  readonly training: string | undefined;
  /** The names of its classes, if they are stated. */
  readonly classNames: readonly string[] | undefined;
  /** Of what it was read from, in hex: the file's own if it is one, else over those of all files. */
  readonly sha256: string;
  /** What its owner should know, a sentence each. */
  readonly notes: readonly string[];
  /** Frees all weights. */
  dispose(): void;
}

/** Weights from PyTorch for a network that is described in a module. */
export interface GivenWeights {
  readonly source: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly sha256: string;
}

/** The file in which a model's folder says what `model.json` does not. */
export const SIDE_FILE = 'gibbon.json';

/** Far more than the names of all classes need. */
const MAX_SIDE_BYTES = 16 * 2 ** 20;

/**
 * The model in a folder of TensorFlow.js: `model.json`, its weight files, and perhaps a `gibbon.json`.
 *
 * @throws UserError naming the file and what is wrong with it
 */
export async function openModelFolder(folder: string): Promise<OpenedNetwork> {
  const path = join(folder, SIDE_FILE);
  const side = await readSideFile(path);
  const statement = side === undefined ? {} : parseSideFile(side.value, path);
  const { model, sha256 } = await loadTfjsModel(folder);
  const hashes = side === undefined ? [sha256] : [sha256, side.sha256];
  return assemble(model, statement, { source: folder, stateIn: SIDE_FILE, hashes, notes: [] });
}

/**
 * The network that a module describes.
 *
 * @param exported - its default export: `defineNetwork({ … })`, a model, or a function that gives one
 * @param file - the module, for names and errors
 * @param sha256 - of the module
 * @throws UserError naming the file and what is wrong with it
 */
export async function openNetworkModule(
  exported: unknown,
  { file, sha256, weights }: { readonly file: string; readonly sha256: string; readonly weights?: GivenWeights },
): Promise<OpenedNetwork> {
  const declaration = isDeclaration(exported) ? parseDeclaration(exported, file) : undefined;
  const model = await modelOf(declaration?.build ?? exported, file);
  const bare = declaration !== undefined && model instanceof tf.LayersModel ? [WITHOUT_WEIGHTS] : [];
  const notes = weights === undefined ? bare : putIn(weights, model, declaration?.torch ?? {}, file);
  const hashes = weights === undefined ? [sha256] : [sha256, weights.sha256];
  return assemble(model, declaration ?? {}, { source: file, stateIn: 'defineNetwork({ … })', hashes, notes });
}

/** Layers in a module look the same whether they have learned or not. */
const WITHOUT_WEIGHTS = 'without --weights, its weights are those of its build: random ones, unless build loads others';

const isDeclaration = (value: unknown): value is Declaration =>
  typeof value === 'object' && value !== null && !isModel(value);

const isModel = (value: unknown): value is UserModel =>
  value instanceof tf.LayersModel || value instanceof tf.GraphModel;

async function modelOf(given: unknown, file: string): Promise<UserModel> {
  let model: unknown;
  try {
    model = typeof given === 'function' ? await given() : given;
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new UserError(`the network in ${file} cannot be built: ${firstLine(error)}`);
  }
  if (isModel(model)) return model;
  const foreign = typeof model === 'object' && model !== null && 'predict' in model;
  throw new UserError(
    foreign
      ? `${file} gives a model of another copy of TensorFlow.js: import { tf } from 'gibbon' there`
      : `${file} gives no network: write export default defineNetwork({ … }), or export a tf.LayersModel or tf.GraphModel`,
  );
}

function putIn(weights: GivenWeights, model: UserModel, torch: Readonly<Record<string, string>>, file: string) {
  if (model instanceof tf.GraphModel)
    throw new UserError(`${file} gives a GraphModel, which has its weights in itself: leave --weights out`);
  return loadTorchWeights(model, torch, weights.tensors, weights.source);
}

interface Origin {
  readonly source: string;
  /** Where the user can say what is missing. */
  readonly stateIn: string;
  readonly hashes: readonly string[];
  readonly notes: readonly string[];
}

function assemble(model: UserModel, statement: Statement, { source, stateIn, hashes, notes }: Origin): OpenedNetwork {
  const refuse = (why: string): UserError => new UserError(`${source} cannot be attacked: ${why} (in ${stateIn})`);
  const refusePlainly = (why: string): UserError => new UserError(`${source} cannot be attacked: ${why}`);
  const parts = orDispose(model, () => inOneLine(() => runnable(model, refusePlainly), source));
  return orDispose(parts, () => {
    const { image, taken } = imageInput(parts.taken, statement.input, refuse);
    const scale = scalingOf(statement.normalisation, image, refusePlainly);
    const classNames = typeof statement.classes === 'object' ? statement.classes : undefined;
    const classes = classesOf(parts.given, classNames?.length ?? (statement.classes as number | undefined), refuse);
    const { name = nameOf(source), title = name, paper, year, idea = `Given as ${basename(source)}` } = statement;
    const logits = (x: tf.Tensor4D): tf.Tensor2D => {
      const images = scale(x);
      const y = parts.run(taken === image ? images : images.reshape([x.shape[0], ...taken]));
      if (y.size === x.shape[0] * classes) return y.reshape([x.shape[0], classes]);
      throw new Error(
        `it gives [${y.shape.join(', ')}] for ${x.shape[0]} images, not a number for each of ${classes} classes`,
      );
    };
    const { parameters } = parts;
    return {
      classifier: { name, classes, input: image, logits: (x) => tf.tidy(() => inOneLine(() => logits(x), source)) },
      architecture: { name, title, idea, parameters, ...(paper && { paper }), ...(year !== undefined && { year }) },
      training: statement.training,
      classNames,
      sha256: together(hashes),
      notes: [
        ...notes,
        ...(parts.took === undefined
          ? []
          : [`the ${parts.took} at its end is taken off: attacks see the logits before it`]),
      ],
      dispose: parts.dispose,
    };
  });
}

/** What `make` gives; if it throws, the weights are freed. */
function orDispose<T>(owner: { dispose(): unknown }, make: () => T): T {
  try {
    return make();
  } catch (error) {
    owner.dispose();
    throw error;
  }
}

function classesOf(given: number | undefined, stated: number | undefined, refuse: (why: string) => UserError): number {
  const classes = given ?? stated;
  if (classes === undefined) throw refuse('it does not say how many classes it has; state classes');
  if (stated !== undefined && stated !== classes)
    throw refuse(`it gives ${classes} numbers for an image, and classes says ${stated}`);
  if (classes < 2) throw refuse('it gives one number for an image; a classifier gives one for each of its classes');
  return classes;
}

/** What TensorFlow.js says when a layer or operation cannot run, with the network's name before it. */
function inOneLine<T>(run: () => T, source: string): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${source} cannot run: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const unknown = /Unknown op '([^']+)'/.exec(messageOf(error));
  if (unknown !== null) return `its graph has the operation ${unknown[1]}, which TensorFlow.js does not have`;
  const dynamic = /the dynamic op '([^']+)'/.exec(messageOf(error));
  if (dynamic !== null) return `its graph has the operation ${dynamic[1]}, whose result is known only when it runs`;
  return firstLine(error);
}

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? '';

const nameOf = (source: string): string =>
  basename(resolve(source))
    .replace(/\.[cm]?[jt]s$/, '')
    .replace(/[^\w.-]+/g, '-');

/** One hash as it is; several as the hash of their list. */
const together = (hashes: readonly string[]): string =>
  hashes.length === 1 ? hashes.join() : createHash('sha256').update(hashes.join('\n')).digest('hex');

async function readSideFile(path: string): Promise<{ readonly value: unknown; readonly sha256: string } | undefined> {
  if (!existsSync(path)) return undefined;
  const bytes = Buffer.from(await readWhole(path, MAX_SIDE_BYTES));
  try {
    return { value: JSON.parse(bytes.toString('utf8')), sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch {
    throw new UserError(`${path} is not JSON`);
  }
}
