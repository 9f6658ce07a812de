import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { type CheckpointMetadata, loadCheckpoint, saveCheckpoint } from '../../src/models/checkpoint.ts';
import { loadWeights } from '../../src/models/load-weights.ts';
import { buildNetwork, type NetworkSpec } from '../../src/models/network.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/weights/safetensors.ts';
import { type StoredType, storedTensor } from '../../src/weights/stored-tensor.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { fillWithOracleWeights, oracleImages } from './oracle-weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'vgg11-standard.safetensors');

const SPEC: NetworkSpec = {
  arch: 'vgg11',
  variant: 'small',
  width: 1 / 64,
  input: [28, 28, 1],
  classes: 10,
  normalisation: { mean: [0.1307], std: [0.3081] },
};
const METADATA: CheckpointMetadata = {
  dataset: 'mnist',
  training: 'standard',
  command: 'gibbon train --arch vgg11 --note "ünïcode"',
  seed: 7,
  epochs: 4,
};
const images = (): tf.Tensor4D => tf.tensor4d(oracleImages(2, [28, 28, 1]), [2, 28, 28, 1]);

/** Random weights and running statistics, saved; their logits, for comparison. */
async function saved(metadata = METADATA) {
  const network = buildNetwork(SPEC, 1);
  fillWithOracleWeights(network.model);
  const logits = network.classifier.logits(images()).dataSync();
  const sha256 = await saveCheckpoint(path, network, metadata);
  network.dispose();
  return { logits, sha256, bytes: readFileSync(path) };
}

beforeAll(() => tf.setBackend('cpu'));

describe('a checkpoint', () => {
  it('loads as the network that was saved: weights bit for bit, spec, metadata, hash', async () => {
    const { logits, sha256 } = await saved();
    const loaded = await loadCheckpoint(path);
    expect(loaded.classifier.logits(images()).dataSync()).toEqual(logits);
    expect(loaded.spec).toEqual(SPEC);
    expect(loaded.metadata).toEqual(METADATA);
    expect(loaded.sha256).toBe(sha256);
    expect(await saveCheckpoint(path, loaded, METADATA)).toBe(sha256);
    loaded.dispose();
  });

  it('may name its classes, as many as it has', async () => {
    const classes = Array.from({ length: 10 }, (_, i) => `class "${i}", näturally`);
    await saved({ ...METADATA, classes });
    const loaded = await loadCheckpoint(path);
    expect(loaded.metadata).toEqual({ ...METADATA, classes });
    loaded.dispose();
    await saved({ ...METADATA, classes: ['one', 'two'] });
    await expect(loadCheckpoint(path)).rejects.toThrow(/not a usable checkpoint: it names 2 classes and has 10/);
  });

  it('may tell how its training went, and is refused if that makes no sense', async () => {
    const record = trainingRecordOf();
    await saved({ ...METADATA, record });
    const loaded = await loadCheckpoint(path);
    expect(loaded.metadata).toEqual({ ...METADATA, record });
    loaded.dispose();
    await saved({ ...METADATA, record: trainingRecordOf({ epsilon: 8 }) });
    await expect(loadCheckpoint(path)).rejects.toThrow(/not a usable checkpoint: record\.epsilon: a radius is/);
  });

  it('holds PyTorch’s names and layout', async () => {
    await saved();
    const { tensors } = await readSafetensors(path);
    expect([...tensors.keys()].slice(0, 6)).toEqual([
      'features.0.weight',
      'features.1.weight',
      'features.1.bias',
      'features.1.running_mean',
      'features.1.running_var',
      'features.4.weight',
    ]);
    expect(tensors.get('features.4.weight')?.shape).toEqual([2, 1, 3, 3]);
    expect(tensors.get('classifier.weight')?.shape).toEqual([10, 8]);
  });

  it('with any byte changed loads as it was saved, or is refused by name and leaves nothing behind', async () => {
    const { logits, bytes } = await saved();
    const tensors = tf.memory().numTensors;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (position, change) => {
        const corrupt = Buffer.from(bytes);
        corrupt[position] = (bytes[position] as number) ^ change;
        writeFileSync(path, corrupt);
        const outcome = await loadCheckpoint(path).catch((error: unknown) => error);
        if (outcome instanceof Error) {
          expect(outcome).toBeInstanceOf(UserError);
          expect(outcome.message).toContain(path);
        } else {
          const loaded = outcome as Awaited<ReturnType<typeof loadCheckpoint>>;
          expect(tf.tidy(() => loaded.classifier.logits(images()).dataSync())).toEqual(logits);
          loaded.dispose();
        }
        expect(tf.memory().numTensors).toBe(tensors);
      }),
      { numRuns: 150 },
    );
  });

  it('cut short is refused', async () => {
    const { bytes } = await saved();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        writeFileSync(path, bytes.subarray(0, length));
        await expect(loadCheckpoint(path)).rejects.toThrow(UserError);
      }),
      { numRuns: 50 },
    );
  });

  it('of another kind or version is refused, saying which', async () => {
    await writeSafetensors(path, new Map());
    await expect(loadCheckpoint(path)).rejects.toThrow(/not a checkpoint of this version: it states no format/);
    await writeSafetensors(path, new Map(), { format: 'gibbon.checkpoint/99' });
    await expect(loadCheckpoint(path)).rejects.toThrow(/states the format "gibbon.checkpoint\/99"/);
  });

  it.each<[string, Partial<NetworkSpec>, RegExp]>([
    ['of an unknown architecture', { arch: 'vgg61' }, /cannot be built: unknown architecture "vgg61"/],
    ['of an absurd size', { width: 1e9 }, /not a usable checkpoint: width/],
    ['for another number of classes', { classes: 11 }, /classifier.weight has the shape \[10, 8\], not \[11, 8\]/],
    ['of another depth', { arch: 'vgg13' }, /features.3.weight is missing; .*, and \d+ more such problems/],
  ])('whose metadata speak %s is refused', async (_what, change, message) => {
    const network = buildNetwork(SPEC, 1);
    await saveCheckpoint(path, { ...network, spec: { ...SPEC, ...change } }, METADATA);
    network.dispose();
    const tensors = tf.memory().numTensors;
    await expect(loadCheckpoint(path)).rejects.toThrow(message);
    await expect(loadCheckpoint(path)).rejects.toThrow(UserError);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe('loading weights', () => {
  const without = (tensors: ReadonlyMap<string, StoredTensor>, name: string) =>
    new Map([...tensors].filter(([key]) => key !== name));

  it('names what is missing, unexpected, of another shape or type, and then sets nothing', async () => {
    const { logits } = await saved();
    const { tensors } = await readSafetensors(path);
    const network = await loadCheckpoint(path);
    const bias: StoredTensor = { dtype: 'F32', shape: [10], data: new Float32Array(10) };
    const wrong: [ReadonlyMap<string, StoredTensor>, RegExp][] = [
      [without(tensors, 'classifier.bias'), /here.txt do not fit vgg11 .*: classifier.bias is missing$/],
      [new Map([...tensors, ['fc.bias', bias]]), /: fc.bias is unexpected$/],
      [new Map([...tensors, ['classifier.weight', bias]]), /: classifier.weight has the shape \[10\], not \[10, 8\]$/],
      [
        new Map([...tensors, ['classifier.bias', { dtype: 'I32', shape: [10], data: new Int32Array(10) }]]),
        /: classifier.bias is I32, not a float type$/,
      ],
    ];
    for (const [some, message] of wrong) {
      expect(() => loadWeights(network, some, 'here.txt')).toThrow(message);
    }
    expect(network.classifier.logits(images()).dataSync()).toEqual(logits);
    network.dispose();
  });

  it('takes any float type, to the bit, and no value that float32 has not', async () => {
    await saved();
    const { tensors } = await readSafetensors(path);
    const network = await loadCheckpoint(path);
    const bias = (dtype: StoredType, { buffer }: { readonly buffer: ArrayBuffer }) =>
      new Map([...tensors, ['classifier.bias', storedTensor(dtype, [10], new Uint8Array(buffer))]]);
    const read = async () => [
      ...((await weightsOf(network.model)
        .find(({ name }) => name === 'classifier.bias')
        ?.read()) ?? []),
    ];
    loadWeights(network, bias('F16', new Uint16Array(10).fill(0x3e00)), 'here.txt');
    expect(await read()).toEqual(Array(10).fill(1.5));
    loadWeights(network, bias('BF16', new Uint16Array(10).fill(0xc000)), 'here.txt');
    expect(await read()).toEqual(Array(10).fill(-2));
    loadWeights(network, bias('F64', new Float64Array(10).fill(1 / 3)), 'here.txt');
    expect(await read()).toEqual(Array(10).fill(Math.fround(1 / 3)));
    const huge = bias('F64', new Float64Array(10).fill(1e300));
    expect(() => loadWeights(network, huge, 'here.txt')).toThrow(
      /classifier.bias has the value 1e\+300 \(value 0\), which/,
    );
    expect(await read()).toEqual(Array(10).fill(Math.fround(1 / 3)));
    network.dispose();
  });

  it('passes over the counters that PyTorch’s batch norm keeps', async () => {
    await saved();
    const { tensors } = await readSafetensors(path);
    const network = await loadCheckpoint(path);
    const counter: StoredTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) };
    loadWeights(network, new Map([...tensors, ['features.1.num_batches_tracked', counter]]), 'here.txt');
    network.dispose();
  });
});
