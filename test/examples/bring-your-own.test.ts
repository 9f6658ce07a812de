import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import lenet from '../../examples/bring-your-own/lenet.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { compile } from '../../src/compile/compile.ts';
import { openDataset } from '../../src/data/registry.ts';
import { type OpenedNetwork, openNetworkModule } from '../../src/models/user-network.ts';
import { tf } from '../../src/tf.ts';
import { readWeights } from '../../src/weights/read-weights.ts';
import { relativeError } from '../models/close.ts';

const EXAMPLE = join(PACKAGE_ROOT, 'examples', 'bring-your-own');

/** What PyTorch says: written by examples/bring-your-own/train_lenet.py --golden. */
interface Golden {
  /** Of the first test images, computed in float64. */
  readonly logits: readonly (readonly number[])[];
  readonly rightOfFirst500: number;
  readonly rightOfAll: number;
}

let golden: Golden;
let opened: OpenedNetwork;
beforeAll(async () => {
  void tf.setBackend('cpu');
  golden = JSON.parse(await readFile(join(PACKAGE_ROOT, 'test', 'oracles', 'lenet', 'golden.json'), 'utf8')) as Golden;
  const source = join(EXAMPLE, 'lenet.pth');
  const { tensors, sha256 } = await readWeights(source);
  opened = await openNetworkModule(lenet, { file: 'lenet.ts', sha256: '', weights: { source, tensors, sha256 } });
});
afterAll(() => opened.dispose());

describe('LeNet-5 from PyTorch', () => {
  it('has the parameters of the paper, with every map of C3 connected', () => {
    expect(opened.architecture.parameters).toBe(61_706);
    expect(opened.notes).toEqual([]);
  });

  it('says what PyTorch says, and is right as often', async () => {
    const { classifier } = opened;
    const batch = 250;
    const pixels = 28 * 28;
    const logits = await compile((x) => classifier.logits(x as tf.Tensor4D), [{ shape: [batch, 28, 28, 1] }]);
    const images = new Float32Array(batch * pixels);
    const labels: number[] = [];
    const seen: number[] = [];
    for await (const { image, label } of (await openDataset('mnist', 'test')).stream({ images: 500 })) {
      images.set(image, (labels.length % batch) * pixels);
      labels.push(label);
      if (labels.length % batch === 0) seen.push(...(await logits(images)).data);
    }
    await logits.release();
    expect(relativeError(seen.slice(0, golden.logits.flat().length), golden.logits.flat())).toBeLessThan(1e-5);
    const best = (i: number): number => {
      const row = seen.slice(i * 10, i * 10 + 10);
      return row.indexOf(Math.max(...row));
    };
    expect(labels.filter((label, i) => best(i) === label)).toHaveLength(golden.rightOfFirst500);
  });

  it('was trained well enough to be worth attacking, and is small enough to be shipped', async () => {
    expect(golden.rightOfAll).toBeGreaterThan(9850);
    expect((await readFile(join(EXAMPLE, 'lenet.pth'))).length).toBeLessThan(300_000);
  });
});
