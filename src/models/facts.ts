/**
 * What is known of an architecture before anything is measured: the size and the work of its `imagenet` form, for images of
 * 224x224 in 1000 classes, and the accuracy that was published for it.
 */
import type { Architecture } from '../core/architecture.ts';
import type { Run } from '../core/run.ts';
import { TORCHVISION } from '../weights/torchvision.ts';

export type Published = NonNullable<Run['architectures'][number]['published']>;

export interface Facts {
  readonly parameters: number;
  /** Of one forward pass of one image. */
  readonly multiplyAdds: number;
  /** Shares of ImageNet's 50,000 validation images. */
  readonly published: Published | undefined;
}

/** Assembling every network would take seconds, so the counts stand here; a test takes them from the layers again. */
const COUNTS: Readonly<Record<string, readonly [parameters: number, multiplyAdds: number]>> = {
  alexnet: [61_100_840, 714_188_480],
  vgg11: [132_863_336, 7_609_090_048],
  vgg13: [133_047_848, 11_308_466_176],
  vgg16: [138_357_544, 15_470_264_320],
  vgg19: [143_667_240, 19_632_062_464],
  googlenet: [6_624_904, 1_498_376_192],
  resnet18: [11_689_512, 1_814_073_344],
  resnet34: [21_797_672, 3_663_761_408],
  resnet50: [25_557_032, 4_089_184_256],
  densenet121: [7_978_856, 2_834_161_664],
  densenet169: [14_149_480, 3_359_843_328],
  mobilenet_v1: [4_231_976, 568_740_352],
  mobilenet_v2: [3_504_872, 300_774_272],
};

/** Of networks without public weights here, what their papers say. */
const OF_PAPERS: Readonly<Record<string, Published>> = {
  mobilenet_v1: { top1: 0.706, source: 'Howard et al. 2017, table 8' },
};

/** The published accuracy of an architecture; undefined if none is known. */
export function publishedAccuracy(arch: string): Published | undefined {
  const weights = TORCHVISION.find((entry) => entry.arch === arch && entry.version === 'imagenet');
  if (weights === undefined) return OF_PAPERS[arch];
  return { top1: weights.top1, top5: weights.top5, source: 'torchvision, IMAGENET1K_V1' };
}

/** @throws Error for an architecture whose counts nobody has entered */
export function factsOf({ name }: Pick<Architecture, 'name'>): Facts {
  const counts = COUNTS[name];
  if (counts === undefined) throw new Error(`src/models/facts.ts has no counts of ${name}`);
  const [parameters, multiplyAdds] = counts;
  return { parameters, multiplyAdds, published: publishedAccuracy(name) };
}
