import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { UserError } from '../../src/core/errors.ts';
import { crossEntropy } from '../../src/core/losses.ts';
import { defineNetwork, type UserModel, type UserNetwork } from '../../src/core/user-network.ts';
import { chain, conv, dense, flatten } from '../../src/models/blocks.ts';
import { openModelFolder, openNetworkModule } from '../../src/models/user-network.ts';
import { tf } from '../../src/tf.ts';
import type { StoredTensor } from '../../src/weights/stored-tensor.ts';
import { loadTfjsModel } from '../../src/weights/tfjs-model.ts';
import {
  FLOAT,
  type GraphConstant,
  type GraphNode,
  placeholder,
  saveGraph,
  saveLayers,
  wave,
} from '../weights/tfjs-folder.ts';
import { relativeError } from './close.ts';

let root: string;
let folder: string;
let count = 0;
beforeAll(async () => {
  void tf.setBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'gibbon-user-'));
});
beforeEach(() => {
  folder = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true }));

const FILE = 'mine.ts';
const openModule = (exported: unknown, more: object = {}) =>
  openNetworkModule(exported, { file: FILE, sha256: 'of-the-module', ...more });

async function complaint(opened: Promise<unknown>): Promise<string> {
  const error = await opened.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).not.toContain('\n');
  return (error as UserError).message;
}

/** Weights that are not all alike. */
function fill(model: tf.LayersModel): tf.LayersModel {
  const positive = (name: string): boolean => /variance|gamma/.test(name);
  model.weights.forEach((weight, i) => {
    const shape = weight.shape as number[];
    const values = wave(
      shape.reduce((a, b) => a * b, 1),
      100 * i,
    );
    const tensor = tf.tensor(positive(weight.originalName) ? values.map((v) => 1 + v / 2) : values, shape);
    weight.write(tensor);
    tensor.dispose();
  });
  return model;
}

/** Logits and the gradient of the loss towards the images. */
async function logitsAndGradient(prepare: Prepare, { input, logits }: Classifier, batch: number) {
  const fn = (x: tf.Tensor) => {
    const loss = (images: tf.Tensor): tf.Tensor =>
      crossEntropy(logits(images as tf.Tensor4D), tf.tensor1d([1, 2].slice(0, batch), 'int32')).sum();
    return { logits: logits(x as tf.Tensor4D), gradient: tf.grad(loss)(x) };
  };
  const executable = await prepare(fn, [{ shape: [batch, ...input] }]);
  const pixels = batch * input.reduce((a, b) => a * b);
  const result = await executable(wave(pixels).map((v) => 0.5 + v / 2));
  await executable.release();
  return result;
}

/** Compiled code must compute what TensorFlow.js does, the gradient too. */
async function agrees(classifier: Classifier, batch = 2): Promise<void> {
  const expected = await logitsAndGradient(eager, classifier, batch);
  const compiled = await logitsAndGradient(compile, classifier, batch);
  expect(expected.logits.shape).toEqual([batch, classifier.classes]);
  expect(Math.max(...expected.gradient.data)).toBeGreaterThan(0);
  expect(relativeError(compiled.logits.data, expected.logits.data)).toBeLessThan(1e-5);
  expect(relativeError(compiled.gradient.data, expected.gradient.data)).toBeLessThan(1e-5);
}

const ofFirst = (data: ArrayLike<number>, classes: number): number[] => Array.from(data).slice(0, classes);

/** One layer of every kind that image classifiers are made of. */
const zoo = (): tf.LayersModel =>
  fill(
    tf.sequential({
      name: 'zoo',
      layers: [
        tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 3], name: 'conv' }),
        tf.layers.batchNormalization({ name: 'norm' }),
        tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2, name: 'depthwise' }),
        tf.layers.prelu({ sharedAxes: [1, 2], name: 'prelu' }),
        tf.layers.maxPooling2d({ poolSize: 2, name: 'max' }),
        tf.layers.separableConv2d({ filters: 5, kernelSize: 2, activation: 'elu', name: 'separable' }),
        tf.layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same', name: 'average' }),
        tf.layers.dropout({ rate: 0.5, name: 'dropout' }),
        tf.layers.flatten({ name: 'flatten' }),
        tf.layers.dense({ units: 6, activation: 'tanh', name: 'hidden' }),
        tf.layers.dense({ units: 4, activation: 'softmax', name: 'out' }),
      ],
    }),
  );

const image = (sizes: readonly number[]): tf.Tensor => tf.tensor(wave(sizes.reduce((a, b) => a * b)), [...sizes]);

describe('a LayersModel', () => {
  it('is attacked as compiled code computes it, its gradient too', async () => {
    const { classifier, dispose } = await openModule(zoo());
    await agrees(classifier);
    dispose();
  });

  it('gives logits: its softmax is taken off, and that is said', async () => {
    const x = image([2, 8, 8, 3]);
    const model = zoo();
    const probabilities = Array.from((model.predict(x) as tf.Tensor).dataSync());
    const { classifier, notes } = await openModule(model);
    const again = tf.softmax(classifier.logits(x as tf.Tensor4D)).dataSync();
    expect(relativeError(again, probabilities)).toBeLessThan(1e-6);
    expect(notes).toEqual([expect.stringMatching(/^the softmax at its end is taken off/)]);
  });

  it.each([
    ['a softmax layer', () => tf.layers.softmax()],
    ['an activation layer', () => tf.layers.activation({ activation: 'softmax' })],
    [
      'a model in the model',
      () =>
        tf.sequential({
          layers: [tf.layers.dense({ units: 3, inputShape: [3], activation: 'softmax', name: 'inner' })],
        }),
    ],
    [
      'followed by layers that change nothing',
      () => {
        const [softmax, reshape] = [
          tf.layers.softmax({ inputShape: [3] }),
          tf.layers.reshape({ targetShape: [1, 1, 3] }),
        ];
        return tf.sequential({ layers: [softmax, reshape, tf.layers.flatten()] });
      },
    ],
    ['a sigmoid', () => tf.layers.dense({ units: 3, activation: 'sigmoid' })],
  ] as const)('loses it too where it is %s', async (_what, last) => {
    const model = fill(
      tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2, 1] }), tf.layers.dense({ units: 3 }), last()] }),
    );
    const x = image([2, 2, 2, 1]);
    const squashed = Array.from((model.predict(x) as tf.Tensor).dataSync());
    const { classifier, notes } = await openModule(model);
    const logits = classifier.logits(x as tf.Tensor4D);
    const again = notes[0]?.includes('sigmoid') ? tf.sigmoid(logits) : tf.softmax(logits);
    expect(relativeError(again.dataSync(), squashed)).toBeLessThan(1e-6);
    expect(Math.min(...logits.dataSync())).toBeLessThan(0);
  });

  it('that gives logits already is taken as it is', async () => {
    const model = fill(
      tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2, 1] }), tf.layers.dense({ units: 3 })] }),
    );
    const x = image([2, 2, 2, 1]);
    const { classifier, notes, architecture } = await openModule(model);
    expect(notes).toEqual([]);
    expect(Array.from(classifier.logits(x as tf.Tensor4D).dataSync())).toEqual(
      Array.from((model.predict(x) as tf.Tensor).dataSync()),
    );
    expect(architecture).toEqual({ name: 'mine', title: 'mine', idea: 'Given as mine.ts', parameters: 15 });
  });

  it('draws no first weights, whatever its file says of them', async () => {
    const dense = tf.layers.dense({ units: 3, activation: 'softmax', name: 'out' });
    const model = fill(tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2, 1] }), dense] }));
    await saveLayers(folder, model);
    const path = join(folder, 'model.json');
    const text = await readFile(path, 'utf8');
    // With a word for its scale it would be drawn for ever, and a rectifier gives weights of no shape that fits.
    await writeFile(path, text.replace(/"kernel_initializer":\{.*?\}\}/, '"kernel_initializer":"relu"'));
    expect(await readFile(path, 'utf8')).toContain('"relu"');
    const { classifier } = await openModelFolder(folder);
    const [mine, theirs] = [(await openModule(model)).classifier, classifier];
    const x = image([2, 2, 2, 1]) as tf.Tensor4D;
    expect(theirs.logits(x).dataSync()).toEqual(mine.logits(x).dataSync());
  });

  it('counts what was trained, not what was averaged', async () => {
    const model = tf.sequential({
      layers: [tf.layers.batchNormalization({ inputShape: [1, 1, 4] }), tf.layers.flatten()],
    });
    expect((await openModule(model)).architecture.parameters).toBe(8);
  });

  it('that takes a row of numbers, or no channels, gets the image row by row', async () => {
    const flat = fill(tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [6], name: 'a' })] }));
    const square = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 3] }), flat] });
    const x = image([2, 2, 3, 1]);
    const expected = Array.from((flat.predict(x.reshape([2, 6])) as tf.Tensor).dataSync());
    const stated = defineNetwork({ name: 'flat', input: [2, 3, 1], classes: 3, build: () => flat });
    for (const { classifier } of [await openModule(stated), await openModule(square)]) {
      expect(classifier.input).toEqual([2, 3, 1]);
      expect(Array.from(classifier.logits(x as tf.Tensor4D).dataSync())).toEqual(expected);
    }
  });

  it('whose layers a module describes, without weights, is told to be as its module builds it', async () => {
    const flat = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 3, 1] })] });
    const { notes } = await openModule(
      defineNetwork({ name: 'flat', input: [2, 3, 1], classes: 6, build: () => flat }),
    );
    expect(notes).toEqual([expect.stringMatching(/^without --weights, .* random ones, unless build loads others$/)]);
    expect((await openModule(flat)).notes).toEqual([]);
  });
});

const CONV = {
  ...FLOAT,
  dilations: { list: { i: ['1', '1', '1', '1'] } },
  strides: { list: { i: ['1', '1', '1', '1'] } },
  padding: { s: 'U0FNRQ==' },
};
const STRIDED = { ...CONV, strides: { list: { i: ['1', '2', '2', '1'] } } };
const WINDOW = { ...STRIDED, ksize: { list: { i: ['1', '2', '2', '1'] } }, padding: { s: 'VkFMSUQ=' } };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const fusedWith = (...ops: readonly string[]) => ({
  fused_ops: { list: { s: ops.map(base64) } },
  num_args: { i: String(ops.filter((op) => op === 'BiasAdd' || op === 'Prelu').length) },
});

const constant = (shape: readonly number[], from = 0): GraphConstant => ({
  shape,
  data: wave(
    shape.reduce((a, b) => a * b, 1),
    from,
  ),
});
const whole = (...values: readonly number[]): GraphConstant => ({
  shape: [values.length],
  data: Int32Array.from(values),
});

const TINY: Readonly<Record<string, GraphNode>> = {
  image: placeholder([-1, 4, 4, 1]),
  conv: { op: 'Conv2D', input: ['image', 'filter'], attr: CONV },
  biased: { op: 'BiasAdd', input: ['conv', 'bias'], attr: FLOAT },
  relu: { op: 'Relu', input: ['biased'], attr: FLOAT },
  row: { op: 'Reshape', input: ['relu', 'rowShape'], attr: FLOAT },
  product: { op: 'MatMul', input: ['row', 'weights'], attr: FLOAT },
  softmax: { op: 'Softmax', input: ['product'], attr: FLOAT },
  Identity: { op: 'Identity', input: ['softmax'], attr: FLOAT },
};
const TINY_CONSTANTS = {
  filter: constant([3, 3, 1, 2]),
  bias: constant([2], 50),
  rowShape: whole(-1, 32),
  weights: constant([32, 3], 80),
};
const withOutput = (tensorShape: object) => ({
  signature: { outputs: { Identity: { name: 'Identity:0', dtype: 'DT_FLOAT', tensorShape } } },
});
const signature = (classes: number) => withOutput({ dim: [{ size: '-1' }, { size: String(classes) }] });

/** What converters make of mobile networks: fused kernels with every activation, and all that moves maps about. */
const FUSED: Readonly<Record<string, GraphNode>> = {
  image: placeholder([-1, 8, 8, 3]),
  padded: { op: 'Pad', input: ['image', 'paddings'], attr: FLOAT },
  a: { op: '_FusedConv2D', input: ['padded', 'fa', 'ba'], attr: { ...STRIDED, ...fusedWith('BiasAdd', 'Relu6') } },
  b: { op: 'FusedDepthwiseConv2dNative', input: ['a', 'fb', 'bb'], attr: { ...CONV, ...fusedWith('BiasAdd', 'Relu') } },
  c: { op: '_FusedConv2D', input: ['b', 'fc', 'bc', 'alpha'], attr: { ...CONV, ...fusedWith('BiasAdd', 'Prelu') } },
  d: { op: '_FusedConv2D', input: ['c', 'fd', 'bd'], attr: { ...CONV, ...fusedWith('BiasAdd') } },
  sum: { op: 'AddV2', input: ['d', 'a'], attr: FLOAT },
  norm: {
    op: 'FusedBatchNormV3',
    input: ['sum', 'gamma', 'beta', 'mean', 'variance'],
    attr: { ...FLOAT, epsilon: { f: 0.001 } },
  },
  prelu: { op: 'Prelu', input: ['norm', 'alpha'], attr: FLOAT },
  larger: { op: 'ResizeBilinear', input: ['prelu', 'size'], attr: FLOAT },
  max: { op: 'MaxPool', input: ['larger'], attr: WINDOW },
  average: { op: 'AvgPool', input: ['max'], attr: WINDOW },
  turned: { op: 'Transpose', input: ['average', 'turn'], attr: FLOAT },
  mean2: { op: 'Mean', input: ['turned', 'axes'], attr: { ...FLOAT, keep_dims: { b: true } } },
  row: { op: 'Squeeze', input: ['mean2'], attr: { ...FLOAT, squeeze_dims: { list: { i: ['1', '2'] } } } },
  hidden: { op: '_FusedMatMul', input: ['row', 'w1', 'b1'], attr: { ...FLOAT, ...fusedWith('BiasAdd', 'Elu') } },
  logits: { op: '_FusedMatMul', input: ['hidden', 'w2', 'b2'], attr: { ...FLOAT, ...fusedWith('BiasAdd') } },
  Softmax: { op: 'Softmax', input: ['logits'], attr: FLOAT },
  shaped: { op: 'Reshape', input: ['Softmax', 'out'], attr: FLOAT },
  Identity: { op: 'Identity', input: ['shaped'], attr: FLOAT },
};
const FUSED_CONSTANTS = {
  paddings: { shape: [4, 2], data: Int32Array.from([0, 0, 1, 0, 0, 1, 0, 0]) },
  ...{ fa: constant([3, 3, 3, 4]), ba: constant([4], 5) },
  ...{ fb: constant([3, 3, 4, 1], 10), bb: constant([4], 15) },
  ...{ fc: constant([1, 1, 4, 4], 20), bc: constant([4], 25), alpha: constant([4], 30) },
  ...{ fd: constant([3, 3, 4, 4], 35), bd: constant([4], 40) },
  ...{ gamma: constant([4], 45), beta: constant([4], 50), mean: constant([4], 55) },
  variance: { shape: [4], data: Float32Array.of(0.5, 1, 2, 0.25) },
  size: whole(8, 8),
  turn: whole(0, 2, 1, 3),
  axes: whole(1, 2),
  ...{ w1: constant([4, 5], 60), b1: constant([5], 70), w2: constant([5, 4], 75), b2: constant([4], 95) },
  out: whole(-1, 4),
};

describe('a GraphModel', () => {
  // One image where maps are resized: TensorFlow.js's cpu gradient of that forgets all others.
  it.each([
    ['a few operations', TINY, TINY_CONSTANTS, 3, 2],
    ['fused kernels', FUSED, FUSED_CONSTANTS, 4, 1],
  ] as const)(
    'of %s is attacked as compiled code computes it, its gradient too',
    async (_what, nodes, constants, classes, batch) => {
      await saveGraph(folder, nodes, constants, signature(classes));
      const { classifier, dispose } = await openModelFolder(folder);
      await agrees(classifier, batch);
      dispose();
    },
  );

  it.each([
    ['at its end', TINY, TINY_CONSTANTS, [2, 4, 4, 1]],
    ['before a reshape', FUSED, FUSED_CONSTANTS, [2, 8, 8, 3]],
  ] as const)('gives what flows into the softmax %s', async (_what, nodes, constants, sizes) => {
    const classes = nodes === TINY ? 3 : 4;
    await saveGraph(folder, nodes, constants, signature(classes));
    const { classifier, notes } = await openModelFolder(folder);
    expect(notes).toEqual([expect.stringMatching(/^the softmax/)]);
    const { model } = await loadTfjsModel(folder);
    const x = image(sizes);
    const probabilities = (model.predict(x) as tf.Tensor).dataSync();
    expect(relativeError(tf.softmax(classifier.logits(x as tf.Tensor4D)).dataSync(), probabilities)).toBeLessThan(1e-6);
    // Handed over by a module, it is the same network.
    const again = await openModule(
      defineNetwork({ name: 'g', input: sizes.slice(1) as never, classes, build: () => model }),
    );
    expect(again.classifier.logits(x as tf.Tensor4D).dataSync()).toEqual(
      classifier.logits(x as tf.Tensor4D).dataSync(),
    );
  });

  it('without a signature needs its classes stated', async () => {
    await saveGraph(folder, TINY, TINY_CONSTANTS);
    expect(await complaint(openModelFolder(folder))).toMatch(
      /does not say how many classes .* state classes \(in gibbon\.json\)/,
    );
    await writeFile(join(folder, 'gibbon.json'), '{"classes":["a","b","c"]}');
    const { classifier, classNames } = await openModelFolder(folder);
    expect([classifier.classes, classNames]).toEqual([3, ['a', 'b', 'c']]);
  });

  it.each([
    ['no list', 0],
    ['nothing in its list', [null]],
  ])('whose signature has %s for a shape needs its classes stated', async (_what, dim) => {
    await saveGraph(folder, TINY, TINY_CONSTANTS, withOutput({ dim }));
    expect(await complaint(openModelFolder(folder))).toMatch(/does not say how many classes/);
  });

  it('whose signature TensorFlow.js cannot follow is refused in one line', async () => {
    const more = { signature: { inputs: { image: { name: 'constructor' } }, outputs: {} } };
    await saveGraph(folder, TINY, TINY_CONSTANTS, more);
    expect(await complaint(openModelFolder(folder))).toContain(folder);
  });

  it('that does not give what is stated is found out before a number is computed', async () => {
    await saveGraph(folder, TINY, TINY_CONSTANTS);
    await writeFile(join(folder, 'gibbon.json'), '{"classes":5}');
    const { classifier } = await openModelFolder(folder);
    expect(() => classifier.logits(tf.zeros([2, 4, 4, 1]))).toThrow(/gives \[2, 3\] for 2 images/);
  });

  it.each([
    [
      'an unknown operation',
      { ...TINY, relu: { op: 'MyRelu', input: ['biased'] } },
      /operation MyRelu, which TensorFlow\.js does not have/,
    ],
    ['a loop', { ...TINY, relu: { op: 'While', input: ['biased'] } }, /operation While, whose result/],
  ])('with %s says so in one line', async (_what, nodes, says) => {
    await saveGraph(folder, nodes, TINY_CONSTANTS, signature(3));
    const { classifier } = await openModelFolder(folder);
    expect(() => classifier.logits(tf.zeros([2, 4, 4, 1]))).toThrow(says);
    expect(() => classifier.logits(tf.zeros([2, 4, 4, 1]))).toThrow(UserError);
  });

  it.each([
    ['of one image at a time', { ...TINY, image: placeholder([1, 4, 4, 1]) }, /takes 1 image at a time/],
    ['of bytes', { ...TINY, image: placeholder([-1, 4, 4, 1], 'DT_UINT8') }, /takes int32 images/],
    ['of two inputs', { ...TINY, other: placeholder([-1]) }, /has 2 inputs/],
    ['of channels first', { ...TINY, image: placeholder([-1, 3, 32, 32]) }, /channels first.*NHWC/],
    ['of any size', { ...TINY, image: placeholder([-1, -1, -1, 1]) }, /any size \(\[\?, \?, 1\]\); state input/],
    [
      'of a size that no image has',
      { ...TINY, image: placeholder([-1, 1e9, 4, 1]) },
      /\[1000000000, 4, 1\]; sizes are/,
    ],
    ['of no pixels', { ...TINY, image: placeholder([-1, 0, 4, 1]) }, /\[0, 4, 1\]; sizes are whole numbers/],
  ])('%s is refused with a hint', async (_what, nodes, says) => {
    await saveGraph(folder, nodes, TINY_CONSTANTS, signature(3));
    expect(await complaint(openModelFolder(folder))).toMatch(says);
  });
});

describe('gibbon.json', () => {
  const save = () =>
    saveLayers(
      folder,
      fill(
        tf.sequential({
          layers: [
            tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [null, null, 2] as never }),
            tf.layers.globalAveragePooling2d({}),
          ],
        }),
      ),
    );
  const side = (value: unknown) => writeFile(join(folder, 'gibbon.json'), JSON.stringify(value));

  it('states what model.json does not: size, names, normalisation', async () => {
    await save();
    await side({
      name: 'two',
      title: 'Two',
      training: 'adversarial',
      year: 2020,
      input: [5, 4, 2],
      classes: ['x', 'y', 'z'],
      normalisation: { mean: [0.5, 0.25], std: 0.5 },
    });
    const { classifier, architecture, training, classNames } = await openModelFolder(folder);
    expect(architecture).toEqual({
      name: 'two',
      title: 'Two',
      year: 2020,
      idea: expect.stringContaining('Given as'),
      parameters: 27,
    });
    expect([classifier.input, training, classNames]).toEqual([[5, 4, 2], 'adversarial', ['x', 'y', 'z']]);
    const x = image([1, 5, 4, 2]) as tf.Tensor4D;
    const { model } = await loadTfjsModel(folder);
    const expected = (model.predict(x.sub([0.5, 0.25]).div(0.5)) as tf.Tensor).dataSync();
    expect(relativeError(classifier.logits(x).dataSync(), expected)).toBeLessThan(1e-6);
  });

  it('may scale and shift instead, which is the same', async () => {
    await save();
    const x = image([1, 5, 4, 2]) as tf.Tensor4D;
    const logits = [];
    for (const normalisation of [
      { mean: 0.5, std: 0.25 },
      { scale: 4, offset: [-2, -2] },
    ]) {
      await side({ input: [5, 4, 2], normalisation });
      logits.push((await openModelFolder(folder)).classifier.logits(x).dataSync());
    }
    expect(relativeError(logits[0] ?? [], logits[1] ?? [])).toBeLessThan(1e-6);
  });

  it('belongs to what is hashed', async () => {
    await save();
    await side({ input: [5, 4, 2] });
    const first = (await openModelFolder(folder)).sha256;
    await side({ input: [5, 4, 2], normalisation: { mean: 0.5, std: 1 } });
    expect((await openModelFolder(folder)).sha256).not.toBe(first);
  });

  it.each([
    [{ input: [5, 4, 2], normalization: {} }, /Unrecognized key: "normalization"/],
    [{ input: [5, 4] }, /input: must be \[height, width, channels\]/],
    [{ input: [5, 4, 2], normalisation: { mean: 0 } }, /normalisation: must be \{ mean, std \} or/],
    [
      { input: [5, 4, 2], normalisation: { mean: [1, 2, 3], std: 1 } },
      /3 numbers for mean, and images have 2 channels/,
    ],
    [{ input: [5, 4, 2], normalisation: { mean: 0, std: [1, 0] } }, /std that is not above 0/],
    [{ input: [5, 4, 3] }, /takes images of \[\?, \?, 2\], and input says \[5, 4, 3\]/],
    [{ input: [5, 4, 2], classes: 4 }, /gives 3 numbers for an image, and classes says 4/],
    [{ input: [5, 4, 2], name: '../up' }, /name: must be letters/],
    [{ input: [5, 4, 2], paper: 'javascript:alert(1)' }, /paper: must be an https URL/],
    [{}, /takes images of any size/],
  ])('that says %j is refused', async (value, says) => {
    await save();
    await side(value);
    expect(await complaint(openModelFolder(folder))).toMatch(says);
  });

  it('that is no JSON is refused', async () => {
    await save();
    await writeFile(join(folder, 'gibbon.json'), '{');
    expect(await complaint(openModelFolder(folder))).toMatch(/gibbon\.json is not JSON/);
  });

  it('of any size, or no file at all, is refused unread', async () => {
    await save();
    await writeFile(join(folder, 'gibbon.json'), '');
    await truncate(join(folder, 'gibbon.json'), 2 ** 25);
    expect(await complaint(openModelFolder(folder))).toMatch(/gibbon\.json: it has 33554432 bytes, and 16777216 are/);
    await rm(join(folder, 'gibbon.json'));
    await mkdir(join(folder, 'gibbon.json'));
    expect(await complaint(openModelFolder(folder))).toMatch(/gibbon\.json: it is a folder, not a file/);
  });
});

describe('a module', () => {
  const model = () =>
    fill(tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2, 1] }), tf.layers.dense({ units: 3 })] }));
  const x = () => image([2, 2, 2, 1]) as tf.Tensor4D;
  const facts: UserNetwork = { name: 'm', input: [2, 2, 1], classes: 3, build: model };

  it.each([
    ['a model', model],
    ['a function', () => model],
    ['a function that takes its time', () => async () => model()],
    ['a description', () => facts],
    ['a description that takes its time', () => ({ ...facts, build: async (): Promise<UserModel> => model() })],
  ])('may export %s', async (_what, exported) => {
    const { classifier, sha256 } = await openModule(exported());
    expect(Array.from(classifier.logits(x()).dataSync())).toEqual(
      Array.from((model().predict(x()) as tf.Tensor).dataSync()),
    );
    expect(sha256).toBe('of-the-module');
  });

  it.each([
    ['nothing', undefined, /mine\.ts gives no network: write export default defineNetwork/],
    ['a number', 4, /gives no network/],
    ['a function of nothing', () => undefined, /gives no network/],
    [
      'a model of another TensorFlow.js',
      { name: 'x', input: [1, 1, 1], classes: 2, build: () => ({ predict: 1 }) },
      /another copy of TensorFlow\.js/,
    ],
    ['a description without build', { name: 'x', input: [2, 2, 1], classes: 3 }, /build: must be a function/],
    ['a description without classes', { ...facts, classes: undefined }, /classes: must be how many/],
    [
      'one that throws',
      { ...facts, build: () => tf.layers.dense({ units: -1 }) && tf.fill([-1], 0) },
      /cannot be built: /,
    ],
    ['one image size too many', { ...facts, input: [3, 3, 1] }, /input says \[3, 3, 1\]/],
    [
      'one class',
      tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2, 1] }), tf.layers.dense({ units: 1 })] }),
      /gives one number for an image/,
    ],
    [
      'maps',
      tf.sequential({ layers: [tf.layers.conv2d({ filters: 3, kernelSize: 1, inputShape: [2, 2, 1] })] }),
      /gives \[2, 2, 3\] for an image/,
    ],
  ])('that exports %s is told what to do', async (_what, exported, says) => {
    expect(await complaint(openModule(exported))).toMatch(says);
  });

  it('leaves nothing behind when it is disposed', async () => {
    const before = tf.memory().numTensors;
    (await openModule(facts)).dispose();
    (await openModule(zoo())).dispose();
    await complaint(openModule({ ...facts, input: [3, 3, 1] }));
    expect(await complaint(openModule({ ...facts, build: zoo }))).toMatch(/takes images of \[8, 8, 3\]/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('weights from PyTorch', () => {
  const layers = (): tf.LayersModel => {
    const x = tf.input({ shape: [4, 4, 2] });
    return tf.model({
      inputs: x,
      outputs: chain(
        conv(4, 3)('features.0'),
        (y) => tf.layers.batchNormalization({ epsilon: 1e-5, name: 'bn' }).apply(y) as tf.SymbolicTensor,
        (y) =>
          tf.layers.depthwiseConv2d({ kernelSize: 1, depthMultiplier: 2, name: 'dw' }).apply(y) as tf.SymbolicTensor,
        flatten()('flatten'),
        dense(3)('fc'),
      )(x),
    });
  };
  const shapes: Readonly<Record<string, readonly number[]>> = {
    ...{ 'features.0.weight': [4, 2, 3, 3], 'features.0.bias': [4] },
    ...{
      'features.1.weight': [4],
      'features.1.bias': [4],
      'features.1.running_mean': [4],
      'features.1.running_var': [4],
    },
    ...{ 'features.2.weight': [8, 1, 1, 1], 'features.2.bias': [8] },
    ...{ 'fc.weight': [3, 32], 'fc.bias': [3] },
  };
  const state = (): Map<string, StoredTensor> =>
    new Map(
      Object.entries(shapes).map(([name, shape], i) => {
        const data = wave(
          shape.reduce((a, b) => a * b),
          31 * i,
        ).map((v) => (name.endsWith('var') ? 1 + v / 2 : v));
        return [name, { dtype: 'F32', shape, data: new Float32Array(data) }] as const;
      }),
    );
  const torch = { bn: 'features.1', dw: 'features.2' };
  const network = (more: Partial<UserNetwork> = {}): UserNetwork => ({
    name: 'n',
    input: [4, 4, 2],
    classes: 3,
    build: layers,
    torch,
    ...more,
  });
  const open = (tensors: Map<string, StoredTensor>, more: Partial<UserNetwork> = {}) =>
    openModule(network(more), { weights: { source: 'net.pth', tensors, sha256: 'of-the-weights' } });

  it('land where the same network in PyTorch has them', async () => {
    const tensors = state();
    const at = (name: string) => tensors.get(name)?.data as Float32Array;
    const x = wave(32);
    const { classifier, sha256 } = await open(tensors);
    // The network once more, in loops over PyTorch's arrays.
    const map: number[] = [];
    for (let o = 0; o < 4; o++)
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 2; j++) {
          let sum = at('features.0.bias')[o] as number;
          for (let c = 0; c < 2; c++)
            for (let k = 0; k < 3; k++)
              for (let l = 0; l < 3; l++)
                sum +=
                  (at('features.0.weight')[((o * 2 + c) * 3 + k) * 3 + l] as number) *
                  (x[((i + k) * 4 + j + l) * 2 + c] as number);
          const [γ, β, μ, σ2] = ['weight', 'bias', 'running_mean', 'running_var'].map(
            (n) => at(`features.1.${n}`)[o] as number,
          ) as [number, number, number, number];
          map.push(((sum - μ) / Math.sqrt(σ2 + 1e-5)) * γ + β);
        }
    const wide = Array.from({ length: 32 }, (_, i) => {
      const channel = Math.floor(i / 4);
      return (
        (map[Math.floor(channel / 2) * 4 + (i % 4)] as number) * (at('features.2.weight')[channel] as number) +
        (at('features.2.bias')[channel] as number)
      );
    });
    const expected = [0, 1, 2].map((k) =>
      wide.reduce((sum, v, i) => sum + v * (at('fc.weight')[k * 32 + i] as number), at('fc.bias')[k] as number),
    );
    expect(relativeError(classifier.logits(tf.tensor4d(x, [1, 4, 4, 2])).dataSync(), expected)).toBeLessThan(1e-5);
    expect(sha256).toBe(createHash('sha256').update('of-the-module\nof-the-weights').digest('hex'));
  });

  it.each([
    [
      'a tensor too few',
      (t: Map<string, StoredTensor>) => t.delete('fc.bias'),
      /net\.pth do not fit .*fc\.bias is missing/,
    ],
    [
      'a tensor too many',
      (t: Map<string, StoredTensor>) => t.set('fc2.bias', t.get('fc.bias') as StoredTensor),
      /fc2\.bias is unexpected/,
    ],
    [
      'a shape of their own',
      (t: Map<string, StoredTensor>) => t.set('fc.bias', t.get('features.0.bias') as StoredTensor),
      /fc\.bias has the shape \[4\], not \[3\]/,
    ],
  ])('with %s are refused', async (_what, change, says) => {
    const tensors = state();
    change(tensors);
    expect(await complaint(open(tensors))).toMatch(says);
  });

  it('may have counters that nobody reads', async () => {
    const tensors = state().set('features.1.num_batches_tracked', {
      dtype: 'I64',
      shape: [],
      data: BigInt64Array.of(3n),
    });
    await expect(open(tensors)).resolves.toBeDefined();
  });

  it('are not mixed up by a flatten that goes pixel by pixel', async () => {
    const mixed = () =>
      tf.sequential({
        layers: [tf.layers.flatten({ inputShape: [4, 4, 2], name: 'flat' }), tf.layers.dense({ units: 3, name: 'fc' })],
      });
    expect(await complaint(open(state(), { build: mixed, torch: {} }))).toMatch(
      /"flat" flattens maps in another order .* flatten\(\) from gibbon/,
    );
  });

  it('come with a word on an epsilon that PyTorch does not have', async () => {
    const build = () =>
      tf.sequential({
        layers: [tf.layers.batchNormalization({ inputShape: [1, 1, 3], name: 'bn' }), tf.layers.flatten()],
      });
    const tensors = new Map(
      ['weight', 'bias', 'running_mean', 'running_var'].map((n) => [
        `bn.${n}`,
        { dtype: 'F32', shape: [3], data: Float32Array.of(1, 1, 1) } as const,
      ]),
    );
    const { notes } = await open(tensors, { build, torch: {}, input: [1, 1, 3] });
    expect(notes).toEqual([expect.stringMatching(/"bn" has epsilon 0\.001; PyTorch's is 0\.00001/)]);
  });

  it('are refused where a name in torch means no layer, or one layer means two modules', async () => {
    expect(await complaint(open(state(), { torch: { conv9: 'x' } }))).toMatch(
      /torch names the layer "conv9".*features\.0, bn, dw, fc/,
    );
    const build = () =>
      tf.sequential({
        layers: [
          tf.layers.separableConv2d({ filters: 3, kernelSize: 4, inputShape: [4, 4, 2], name: 's' }),
          tf.layers.flatten(),
        ],
      });
    expect(await complaint(open(state(), { build, torch: {} }))).toMatch(/"s" is two convolutions in one/);
  });

  it('are refused where a kernel has more axes than those of images', async () => {
    const build = () =>
      tf.sequential({
        layers: [
          tf.layers.reshape({ targetShape: [4, 4, 2, 1], inputShape: [4, 4, 2] }),
          tf.layers.conv3d({ filters: 3, kernelSize: [4, 4, 2], name: 'c3' }),
          tf.layers.reshape({ targetShape: [3] }),
        ],
      });
    const tensors = new Map<string, StoredTensor>([
      ['c3.weight', { dtype: 'F32', shape: [3, 1, 4, 4, 2], data: wave(96) as Float32Array<ArrayBuffer> }],
      ['c3.bias', { dtype: 'F32', shape: [3], data: wave(3) as Float32Array<ArrayBuffer> }],
    ]);
    expect(await complaint(open(tensors, { build, torch: {} }))).toMatch(/"c3" has a weight of 5 axes/);
  });

  it('find layers of any name', async () => {
    const build = () =>
      tf.sequential({
        layers: [
          tf.layers.reshape({ targetShape: [32], inputShape: [4, 4, 2] }),
          tf.layers.dense({ units: 3, name: 'constructor' }),
        ],
      });
    const tensors = new Map(
      ['weight', 'bias'].map((n) => [`constructor.${n}`, state().get(`fc.${n}`) as StoredTensor]),
    );
    await expect(open(tensors, { build, torch: {} })).resolves.toBeDefined();
  });
});

it('the first image of a batch is on its own', async () => {
  const { classifier } = await openModule(zoo());
  const x = image([2, 8, 8, 3]) as tf.Tensor4D;
  const [both, one] = [
    classifier.logits(x).dataSync(),
    classifier.logits(x.slice([0, 0, 0, 0], [1, 8, 8, 3])).dataSync(),
  ];
  expect(ofFirst(both, 4)).toEqual(Array.from(one));
});
