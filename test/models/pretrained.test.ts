import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { assembleNetwork, specOf } from '../../src/models/network.ts';
import { openPretrained } from '../../src/models/pretrained.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import type { Weights } from '../../src/weights/read-weights.ts';
import type { StoredTensor } from '../../src/weights/stored-tensor.ts';

beforeAll(() => tf.setBackend('cpu'));

const zeros = (...shape: readonly number[]): StoredTensor => {
  return { dtype: 'F32', shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
};

const fileOf = (tensors: Iterable<readonly [string, StoredTensor]>): Weights => ({
  ...{ tensors: new Map(tensors), metadata: {}, sha256: 'of-the-file', format: 'pth-zip' },
});

/** A file with all weights of a network. */
function weightsFor(arch: string, variant: string, classes: number): Weights {
  const network = assembleNetwork(specOf(arch, variant, [224, 224, 3], classes));
  const file = fileOf(weightsOf(network.model).map(({ name, shape }) => [name, zeros(...shape)]));
  network.dispose();
  return file;
}

const open = (arch: string, weights: Weights) => openPretrained(arch, weights, 'x.pth');

describe('weights that say nothing of themselves', () => {
  it.each([
    ['mobilenet_v2', 'imagenet', 7],
    ['googlenet', 'imagenet', 1000],
    ['googlenet', 'paper', 5],
  ] as const)('of %s in its %s form and %i classes are known by their names and shapes', (arch, variant, classes) => {
    const network = open(arch, weightsFor(arch, variant, classes));
    expect(network.spec).toMatchObject({ arch, variant, classes, input: [224, 224, 3] });
    expect(network.sha256).toBe('of-the-file');
    network.dispose();
  });

  it('of a single class are refused', () => {
    expect(() => open('mobilenet_v2', weightsFor('mobilenet_v2', 'imagenet', 1))).toThrow(/x\.pth has a single class/);
  });

  it.each([
    ['a bias', [['classifier.6.bias', zeros(3_000_000)]]],
    ['a kernel of short rows', [['classifier.6.weight', zeros(3_000_000, 1)]]],
  ] as const)('claim no more memory by %s than they have', (_what, tensors) => {
    expect(() => open('alexnet', fileOf(tensors))).toThrow(UserError);
    expect(() => open('alexnet', fileOf(tensors))).toThrow(/do not fit alexnet.*features\.0\.weight is missing/);
  });
});
