import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { tf } from '../../src/tf.ts';
import { loadTfjsModel } from '../../src/weights/tfjs-model.ts';
import { FLOAT, placeholder, saveGraph, saveLayers, wave } from './tfjs-folder.ts';

let root: string;
let folder: string;
let count = 0;
beforeAll(async () => {
  void tf.setBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'gibbon-tfjs-'));
});
beforeEach(() => {
  folder = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true }));

/** Four numbers in, three out. */
const small = (): tf.Sequential =>
  tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], activation: 'relu', name: 'a' })] });

const valuesOf = (model: tf.LayersModel | tf.GraphModel, x: tf.Tensor): number[] =>
  tf.tidy(() => Array.from((model.predict(x) as tf.Tensor).dataSync()));

const INPUT = () => tf.tensor2d(wave(8), [2, 4]);

async function edit(change: (json: Record<string, unknown>) => unknown): Promise<void> {
  const path = join(folder, 'model.json');
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

const complaint = async (): Promise<string> => {
  const error = await loadTfjsModel(folder).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).toContain(folder);
  expect(message).not.toContain('\n');
  return message;
};

const manifestOf = (shape: readonly number[], more: object = {}, paths = ['weights.bin']) => [
  {
    paths,
    weights: [
      { name: 'a/kernel', shape, dtype: 'float32', ...more },
      { name: 'a/bias', shape: [3], dtype: 'float32' },
    ],
  },
];

describe('a model in a folder', () => {
  it('computes what the saved one computes, bit for bit, and hashes its files in their order', async () => {
    const model = small();
    await saveLayers(folder, model);
    const loaded = await loadTfjsModel(folder);
    expect(valuesOf(loaded.model, INPUT())).toEqual(valuesOf(model, INPUT()));
    const files = await Promise.all(['model.json', 'weights.bin'].map((file) => readFile(join(folder, file))));
    expect(loaded.sha256).toBe(createHash('sha256').update(Buffer.concat(files)).digest('hex'));
  });

  it('may have its weights in several files, cut anywhere', async () => {
    const model = small();
    await saveLayers(folder, model);
    const whole = await readFile(join(folder, 'weights.bin'));
    await writeFile(join(folder, 'weights.bin'), whole.subarray(0, 13));
    await writeFile(join(folder, 'rest.bin'), whole.subarray(13));
    await edit((json) => ({ ...json, weightsManifest: manifestOf([4, 3], {}, ['weights.bin', 'rest.bin']) }));
    expect(valuesOf((await loadTfjsModel(folder)).model, INPUT())).toEqual(valuesOf(model, INPUT()));
  });

  it('needs nothing of what it was trained with', async () => {
    await saveLayers(folder, small());
    await edit((json) => ({ ...json, trainingConfig: { loss: 'no such loss', optimizer_config: {} } }));
    await expect(loadTfjsModel(folder)).resolves.toBeDefined();
  });

  it.each([
    ['uint8', (q: readonly number[]) => Uint8Array.from(q)],
    ['uint16', (q: readonly number[]) => Uint16Array.from(q)],
  ] as const)('may be quantised to %s: q · scale + min', async (dtype, pack) => {
    const q = Array.from({ length: 12 }, (_, i) => (i * 37) % 251);
    const [scale, min] = [0.03125, -2];
    await saveLayers(folder, small());
    const packed = pack(q);
    const bias = Buffer.from(wave(3).buffer);
    await writeFile(join(folder, 'weights.bin'), Buffer.concat([Buffer.from(packed.buffer), bias]));
    await edit((json) => ({ ...json, weightsManifest: manifestOf([4, 3], { quantization: { dtype, scale, min } }) }));
    const { model } = await loadTfjsModel(folder);
    const [kernel] = (model as tf.LayersModel).getWeights();
    expect(Array.from((kernel as tf.Tensor).dataSync())).toEqual(q.map((value) => value * scale + min));
  });

  it('may be quantised to half precision', async () => {
    await saveLayers(folder, small());
    const half = Uint16Array.from({ length: 12 }, (_, i) => [0x3c00, 0xc000, 0x3555][i % 3] as number);
    await writeFile(
      join(folder, 'weights.bin'),
      Buffer.concat([Buffer.from(half.buffer), Buffer.from(wave(3).buffer)]),
    );
    await edit((json) => ({ ...json, weightsManifest: manifestOf([4, 3], { quantization: { dtype: 'float16' } }) }));
    const [kernel] = ((await loadTfjsModel(folder)).model as tf.LayersModel).getWeights();
    const [one, minusTwo, third] = Array.from((kernel as tf.Tensor).dataSync());
    expect([one, minusTwo]).toEqual([1, -2]);
    expect(third).toBeCloseTo(1 / 3, 3);
  });

  it('may be a graph', async () => {
    const w = wave(12);
    await saveGraph(
      folder,
      { x: placeholder([-1, 4]), y: { op: 'MatMul', input: ['x', 'w'], attr: { ...FLOAT } } },
      { w: { shape: [4, 3], data: w } },
    );
    const { model } = await loadTfjsModel(folder);
    expect(model).toBeInstanceOf(tf.GraphModel);
    const expected = tf.tidy(() => Array.from(tf.matMul(INPUT(), tf.tensor2d(w, [4, 3])).dataSync()));
    expect(valuesOf(model, INPUT())).toEqual(expected);
  });
});

describe('a model that is not whole', () => {
  beforeEach(() => saveLayers(folder, small()));

  it('without its description, or its weights, is said to lack them', async () => {
    await rm(join(folder, 'weights.bin'));
    expect(await complaint()).toMatch(/cannot read .*weights\.bin: no such file/);
    await rm(join(folder, 'model.json'));
    expect(await complaint()).toMatch(/cannot read .*model\.json: no such file/);
  });

  it('is refused whatever byte its weights end at, or go beyond', async () => {
    const whole = await readFile(join(folder, 'weights.bin'));
    const length = fc.integer({ min: 0, max: 2 * whole.length }).filter((n) => n !== whole.length);
    await fc.assert(
      fc.asyncProperty(length, async (n) => {
        await writeFile(join(folder, 'weights.bin'), Buffer.concat([whole, whole]).subarray(0, n));
        expect(await complaint()).toContain(`take ${whole.length} bytes, and weights.bin has ${n}`);
      }),
      { numRuns: 12, seed: 1 },
    );
  });

  it('is refused wherever its description is cut off', async () => {
    const text = await readFile(join(folder, 'model.json'), 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: text.length - 1 }), async (n) => {
        await writeFile(join(folder, 'model.json'), text.slice(0, n));
        expect(await complaint()).toMatch(/is not a model that can be read/);
      }),
      { numRuns: 12, seed: 1 },
    );
  });

  it('never claims more memory than its files have bytes', async () => {
    await edit((json) => ({ ...json, weightsManifest: manifestOf([2 ** 40, 2 ** 40]) }));
    expect(await complaint()).toMatch(/take \S+ bytes, and weights\.bin has 60/);
  });
});

describe('a model that wants more than it may have', () => {
  beforeEach(() => saveLayers(folder, small()));

  it.each([
    '../weights.bin',
    '/etc/hostname',
    'a/../../b',
    '..\\b',
    'C:\\b',
    '\\\\host\\b',
    'https://example.org/b',
    'file:b',
  ])('does not get %s: it lies outside the folder', async (file) => {
    await edit((json) => ({ ...json, weightsManifest: manifestOf([4, 3], {}, [file]) }));
    expect(await complaint()).toMatch(/lies outside the model's folder/);
  });

  it.each([
    ['one file twice', manifestOf([4, 3], {}, ['weights.bin', 'weights.bin']), /names the file "weights.bin" twice/],
    ['one weight twice', manifestOf([4, 3], { name: 'a/bias' }), /has the weight "a\/bias" twice/],
    ['a folder for a file', manifestOf([4, 3], {}, ['.']), /it is a folder, not a file/],
    ['texts for weights', manifestOf([4, 3], { dtype: 'string' }), /has the dtype "string"/],
    ['shapes that are none', manifestOf([4, -3]), /has no valid shape/],
    ['an unknown quantisation', manifestOf([4, 3], { quantization: { dtype: 'int4' } }), /quantised to "int4"/],
    [
      'a quantisation without scale',
      manifestOf([4, 3], { quantization: { dtype: 'uint8', min: 0 } }),
      /without a scale/,
    ],
    ['no manifest', undefined, /without its weights/],
  ])('is told so: %s', async (_what, weightsManifest, says) => {
    await edit((json) => ({ ...json, weightsManifest }));
    expect(await complaint()).toMatch(says);
  });
});

describe('a model that TensorFlow.js does not know', () => {
  const layer = (change: object) => (json: Record<string, unknown>) => {
    const text = JSON.stringify(json).replace(
      '"class_name":"Dense"',
      `"class_name":${JSON.stringify(Object.values(change)[0])}`,
    );
    return JSON.parse(text);
  };

  it('is named with the layer that is not there, which is never looked for in the file', async () => {
    await saveLayers(folder, small());
    await edit(layer({ class_name: 'MyAttention' }));
    expect(await complaint()).toMatch(/has no layer called MyAttention\. Custom layers are code/);
  });

  it.each(['constructor', '__proto__', 'toString'])('may not be called %s either', async (name) => {
    await saveLayers(folder, small());
    await edit(layer({ class_name: name }));
    expect(await complaint()).toMatch(/cannot be loaded/);
  });

  it.each([
    ['another format', { format: 'keras', modelTopology: {} }, /its format is "keras"/],
    ['no layers', { format: 'layers-model', modelTopology: { some: 1 } }, /neither layers nor nodes/],
    ['no topology', { weightsManifest: [] }, /has no modelTopology/],
    ['a list', [], /not a JSON object/],
    [
      'a node that reads nothing',
      { modelTopology: { node: [{ name: 'y', op: 'Relu', input: ['x:1'] }] } },
      /"y" reads "x:1"/,
    ],
    [
      'two nodes of one name',
      {
        modelTopology: {
          node: [
            { name: 'y', op: 'A' },
            { name: 'y', op: 'B' },
          ],
        },
      },
      /one name/,
    ],
    [
      'a circle, which nobody would come out of',
      {
        modelTopology: {
          node: [
            { name: 'x', op: 'Placeholder' },
            { name: 'y', op: 'Add', input: ['x', 'z'] },
            { name: 'z', op: 'Relu', input: ['y:0'] },
          ],
        },
      },
      /the node "y" waits in a circle for what it gives itself/,
    ],
    ['a node without a name', { modelTopology: { node: [null] } }, /lacks a name/],
    ['tables to fill', { modelTopology: { node: [] }, weightsManifest: [], modelInitializer: {} }, /fills tables/],
  ])('is refused: %s', async (_what, json, says) => {
    await saveLayers(folder, small());
    await edit(() => json);
    expect(await complaint()).toMatch(says);
  });
});
