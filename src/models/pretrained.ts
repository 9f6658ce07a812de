/**
 * Weights that say nothing of themselves (a PyTorch file, bare safetensors), as a network of a known architecture: which of
 * its forms they belong to, and for how many classes, is seen from their names and shapes.
 */
import type { Architecture } from '../core/architecture.ts';
import { UserError } from '../core/errors.ts';
import { adaptTorchvision } from '../weights/adapt-torchvision.ts';
import { readWeights, type Weights } from '../weights/read-weights.ts';
import { CHECKPOINT_FORMAT } from './checkpoint.ts';
import { loadWeights, misfits } from './load-weights.ts';
import { assembleNetwork, type Network, specOf } from './network.ts';
import { findArchitecture } from './registry.ts';
import { weightsOf } from './weights.ts';

export interface PretrainedNetwork extends Network {
  /** Of the file, in hex. */
  readonly sha256: string;
}

type Tensors = Weights['tensors'];

/** The images that published weights were trained on. */
const INPUT = [224, 224, 3] as const;

/** Whether the file describes its own network: a checkpoint of this program. */
export const describesItself = ({ metadata }: Weights): boolean => metadata.format === CHECKPOINT_FORMAT;

/**
 * Opens bare weights.
 *
 * @param arch - the architecture's name
 * @param source - what the file is called in errors
 * @throws UserError if they fit none of the architecture's forms: what is wrong with the one they fit best
 */
export function openPretrained(arch: string, weights: Weights, source: string): PretrainedNetwork {
  const architecture = findArchitecture(arch);
  const { sha256 } = weights;
  const tensors = adaptTorchvision(arch, weights.tensors);
  const candidates = formsOf(architecture).map((variant) => assemble(architecture, variant, tensors, source));
  const ranked = candidates
    .map((network) => ({ network, problems: misfits(network, tensors).length }))
    .sort((a, b) => a.problems - b.problems);
  const [best, ...others] = ranked as [(typeof ranked)[number], ...typeof ranked];
  for (const { network } of others) network.dispose();
  try {
    loadWeights(best.network, tensors, source);
  } catch (error) {
    best.network.dispose();
    throw error;
  }
  return { ...best.network, sha256 };
}

/** Those for which weights are published. */
const formsOf = ({ variants }: Architecture): string[] =>
  Object.keys(variants).filter((variant) => variants[variant]?.normalisation !== undefined || variant === 'paper');

function assemble({ name }: Architecture, variant: string, tensors: Tensors, source: string): Network {
  const network = assembleNetwork(specOf(name, variant, INPUT, 1000));
  const classes = classesOf(network, tensors);
  if (classes === 1000 || classes === undefined) return network;
  network.dispose();
  if (classes < 2) throw new UserError(`${source} has a single class; nothing can be mistaken for another`);
  return assembleNetwork(specOf(name, variant, INPUT, classes));
}

/**
 * The rows of the last kernel, which are the classes; undefined if the file has none whose rows are of the right length. (A
 * bias would count them too, but claims a kernel that is thousands of times as large.)
 */
function classesOf({ model }: Network, tensors: Tensors): number | undefined {
  const last = weightsOf(model).findLast(({ shape }) => shape.length === 2);
  const [rows, columns] = tensors.get(last?.name ?? '')?.shape ?? [];
  return columns === last?.shape[1] ? rows : undefined;
}

/** `openPretrained` on a file. */
export const readPretrained = async (arch: string, path: string): Promise<PretrainedNetwork> =>
  openPretrained(arch, await readWeights(path), path);
