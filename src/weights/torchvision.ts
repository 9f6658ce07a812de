/**
 * The weights that torchvision publishes for our architectures, trained on ImageNet's 1000 classes.
 *
 * Names, checksums and accuracies: https://docs.pytorch.org/vision/stable/models.html (table of classification weights).
 * The accuracies are those of a single centre crop on the 50,000 validation images; they are what a faithful network and
 * preprocessing must reach.
 */
import { unknownName, usageError } from '../core/errors.ts';
import type { Download } from './download.ts';

/** `imagenet` is torchvision's IMAGENET1K_V1, trained as in the papers; `imagenet-v2` its IMAGENET1K_V2, by a longer recipe. */
export type WeightsVersion = 'imagenet' | 'imagenet-v2';

export const isWeightsVersion = (word: string): word is WeightsVersion => word === 'imagenet' || word === 'imagenet-v2';

export interface PublicWeights extends Download {
  readonly arch: string;
  readonly version: WeightsVersion;
  /** Fractions of the validation images, as published. */
  readonly top1: number;
  readonly top5: number;
  /** The shorter side is resized to this many pixels (bilinear), then the centre is cropped. */
  readonly resize: number;
  readonly crop: number;
}

const HOST = 'https://download.pytorch.org/models';

// The last eight digits of a name are the first of the file's SHA-256.
const V1: readonly (readonly [arch: string, name: string, top1: number, top5: number])[] = [
  ['alexnet', 'alexnet-owt-7be5be79', 0.56522, 0.79066],
  ['vgg11', 'vgg11-8a719046', 0.6902, 0.88628],
  ['vgg13', 'vgg13-19584684', 0.69928, 0.89246],
  ['vgg16', 'vgg16-397923af', 0.71592, 0.90382],
  ['vgg19', 'vgg19-dcbb9e9d', 0.72376, 0.90876],
  ['googlenet', 'googlenet-1378be20', 0.69778, 0.8953],
  ['resnet18', 'resnet18-f37072fd', 0.69758, 0.89078],
  ['resnet34', 'resnet34-b627a593', 0.73314, 0.9142],
  ['resnet50', 'resnet50-0676ba61', 0.7613, 0.92862],
  ['densenet121', 'densenet121-a639ec97', 0.74434, 0.91972],
  ['densenet169', 'densenet169-b2777c0a', 0.756, 0.92806],
  ['mobilenet_v2', 'mobilenet_v2-b0353104', 0.71878, 0.90286],
];
const V2: typeof V1 = [
  ['resnet50', 'resnet50-11ad3fa6', 0.80858, 0.95434],
  ['mobilenet_v2', 'mobilenet_v2-7ebf99e0', 0.72154, 0.90822],
];

const entryOf =
  (version: WeightsVersion, resize: number) =>
  ([arch, name, top1, top5]: (typeof V1)[number]): PublicWeights => ({
    ...{ arch, version, top1, top5, resize, crop: 224 },
    url: `${HOST}/${name}.pth`,
    file: `${name}.pth`,
    sha256: name.slice(-8),
  });

export const TORCHVISION: readonly PublicWeights[] = [
  ...V1.map(entryOf('imagenet', 256)),
  ...V2.map(entryOf('imagenet-v2', 232)),
];

/**
 * The published weights of an architecture.
 *
 * @throws UserError (usage) naming those that there are
 */
export function findPublicWeights(arch: string, version: string): PublicWeights {
  const ofArch = TORCHVISION.filter((entry) => entry.arch === arch);
  const found = ofArch.find((entry) => entry.version === version);
  if (found !== undefined) return found;
  const versions = ofArch.map((entry) => entry.version);
  if (versions.length > 0) throw unknownName(`version of the weights of ${arch}`, version, versions);
  const known = [...new Set(TORCHVISION.map((entry) => entry.arch))].join(', ');
  throw usageError(`there are no public weights for ${arch}. There are for: ${known}`);
}
