import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { adaptTorchvision } from '../../src/weights/adapt-torchvision.ts';
import type { StoredTensor } from '../../src/weights/stored-tensor.ts';
import { findPublicWeights, TORCHVISION } from '../../src/weights/torchvision.ts';

const tensor = (value = 0): StoredTensor => ({ dtype: 'F32', shape: [1], data: Float32Array.of(value) });
const named = (...names: readonly string[]): Map<string, StoredTensor> =>
  new Map(names.map((name) => [name, tensor()]));
const adapted = (arch: string, ...names: readonly string[]): string[] => [
  ...adaptTorchvision(arch, named(...names)).keys(),
];

describe('the table of public weights', () => {
  it('has each file once, at its place, under the beginning of its checksum', () => {
    expect(new Set(TORCHVISION.map(({ url }) => url)).size).toBe(TORCHVISION.length);
    for (const { url, file, sha256 } of TORCHVISION) {
      expect(url).toBe(`https://download.pytorch.org/models/${file}`);
      expect(file).toMatch(new RegExp(`^[a-z0-9_-]+-${sha256}\\.pth$`));
      expect(sha256).toMatch(/^[0-9a-f]{8}$/);
    }
  });

  it('has accuracies that can be', () => {
    for (const { top1, top5, resize, crop } of TORCHVISION) {
      expect(top1).toBeGreaterThan(0.5);
      expect(top5).toBeGreaterThan(top1);
      expect(top5).toBeLessThan(1);
      expect(resize).toBeGreaterThan(crop);
    }
  });

  it('finds by name and version, and proposes', () => {
    expect(findPublicWeights('resnet50', 'imagenet')).toMatchObject({ file: 'resnet50-0676ba61.pth', resize: 256 });
    expect(findPublicWeights('resnet50', 'imagenet-v2')).toMatchObject({ file: 'resnet50-11ad3fa6.pth', resize: 232 });
    expect(() => findPublicWeights('vgg16', 'imagenet-v2')).toThrow(/Did you mean "imagenet"\? Known: imagenet$/);
    expect(() => findPublicWeights('lenet', 'imagenet')).toThrow(
      /no public weights for lenet. There are for: alexnet, vgg11/,
    );
    expect(() => findPublicWeights('lenet', 'imagenet')).toThrow(UserError);
  });
});

describe('torchvision’s files', () => {
  it('of DenseNet have old names, which become today’s', () => {
    expect(
      adapted(
        'densenet121',
        'features.norm0.weight',
        'features.denseblock1.denselayer1.norm.1.weight',
        'features.denseblock4.denselayer16.conv.2.weight',
        'features.transition1.norm.weight',
        'features.denseblock1.denselayer2.norm2.running_var',
      ),
    ).toEqual([
      'features.norm0.weight',
      'features.denseblock1.denselayer1.norm1.weight',
      'features.denseblock4.denselayer16.conv2.weight',
      'features.transition1.norm.weight',
      'features.denseblock1.denselayer2.norm2.running_var',
    ]);
  });

  it('of GoogLeNet lose the classifiers that only helped to train it', () => {
    expect(adapted('googlenet', 'aux1.fc1.weight', 'conv1.conv.weight', 'aux2.fc2.bias')).toEqual([
      'conv1.conv.weight',
    ]);
    expect(adapted('resnet18', 'aux1.weight')).toEqual(['aux1.weight']);
  });

  it('lose the counters of batch norm', () => {
    expect(adapted('resnet18', 'bn1.num_batches_tracked', 'bn1.bias')).toEqual(['bn1.bias']);
  });

  it('of VGG’s convolutions alone are refused by name', () => {
    expect(() => adapted('vgg16', 'features.0.weight')).toThrow(
      /convolutions alone \("features"\), without a classifier/,
    );
    const hollow = new Map([...named('features.0.weight'), ['classifier.0.weight', tensor(Number.NaN)]] as const);
    expect(() => adaptTorchvision('vgg16', hollow)).toThrow(UserError);
    expect(adapted('vgg16', 'features.0.weight', 'classifier.0.weight')).toHaveLength(2);
  });
});
