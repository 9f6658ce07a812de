/** What torchvision itself does to some of its files before it loads them. */
import { UserError } from '../core/errors.ts';
import type { StoredTensor } from './stored-tensor.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;

/** A counter that nobody reads; files of older versions lack it. */
const IDLE = /\.num_batches_tracked$/;
/** The classifiers that helped to train GoogLeNet's middle (section 5 of its paper); they are discarded at inference. */
const AUXILIARY = /^aux[12]\./;
/** `denselayer1.norm.1` is today's `denselayer1.norm1`. */
const DOTTED = /(\bdenselayer\d+\.(?:norm|relu|conv))\.([12])\./;

/**
 * A file's tensors under today's names, without those that inference has no use for.
 *
 * @throws UserError for VGG files whose classifier is missing, or filled with NaN (torchvision's IMAGENET1K_FEATURES)
 */
export function adaptTorchvision(arch: string, tensors: Tensors): Tensors {
  let entries = [...tensors].filter(([name]) => !IDLE.test(name));
  if (arch === 'googlenet') entries = entries.filter(([name]) => !AUXILIARY.test(name));
  if (arch.startsWith('densenet')) entries = entries.map(([name, tensor]) => [name.replace(DOTTED, '$1$2.'), tensor]);
  if (arch.startsWith('vgg')) requireClassifier(arch, entries);
  return new Map(entries);
}

function requireClassifier(arch: string, entries: readonly (readonly [string, StoredTensor])[]): void {
  const classifier = entries.filter(([name]) => name.startsWith('classifier.'));
  const isHollow = classifier.every(([, { dtype, data }]) => dtype === 'F32' && Number.isNaN(data[0]));
  if (!isHollow || !entries.some(([name]) => name.startsWith('features.'))) return;
  throw new UserError(
    `these weights of ${arch} are those of its convolutions alone ("features"), without a classifier, so they name nothing. ` +
      `Use the whole network's: --weights imagenet`,
  );
}
