/** Training steps: forward, backward and update in one graph, held against TensorFlow.js step by step. */
import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { tf } from '../../src/tf.ts';
import { array, stream } from './arbitrary.ts';

const STEPS = 20;
const BATCH = 6;
const SIDE = 8;
const CLASSES = 3;

beforeEach(() => {
  void tf.setBackend('cpu');
});

/** A small network whose weights are always the same. */
function network(): tf.LayersModel {
  const layers = [
    tf.layers.conv2d({ inputShape: [SIDE, SIDE, 2], filters: 4, kernelSize: 3, padding: 'same', useBias: false }),
    tf.layers.batchNormalization({}),
    tf.layers.reLU(),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same' }),
    tf.layers.conv2d({ filters: 16, kernelSize: 1, activation: 'relu' }),
    tf.layers.globalAveragePooling2d({}),
    tf.layers.dense({ units: CLASSES }),
  ];
  const model = tf.sequential({ layers });
  model.setWeights(
    model.getWeights().map((weight, i) => {
      // Variances are positive; the rest may be anything small.
      const { size, shape } = weight;
      const data = array(size, 'float32', i, { from: -0.5, to: 0.5 });
      const isVariance = model.weights[i]?.originalName.includes('variance') ?? false;
      const isScale = model.weights[i]?.originalName.includes('gamma') ?? false;
      return tf.tensor(
        data.map((v) => (isVariance || isScale ? 1 + v : v)),
        shape,
      );
    }),
  );
  return model;
}

const images = (step: number): Float32Array =>
  array(BATCH * SIDE * SIDE * 2, 'float32', 100 + (step % 2), { from: 0, to: 1 }) as Float32Array;
const labels = (step: number): Int32Array => {
  const next = stream(step % 2);
  return Int32Array.from({ length: BATCH }, () => Math.floor(next() * CLASSES));
};

const lossOf = (model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor): tf.Scalar => {
  const logits = model.apply(x, { training: true }) as tf.Tensor2D;
  return tf.losses.softmaxCrossEntropy(tf.oneHot(y as tf.Tensor1D, CLASSES).toFloat(), logits);
};

interface History {
  readonly losses: number[];
  readonly weights: number[][];
}

const weightsOf = (model: tf.LayersModel): number[][] =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));

/** Twenty steps as TensorFlow.js itself does them. */
function eagerly(optimizer: tf.Optimizer): History {
  const model = network();
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const loss = tf.tidy(() => {
      const x = tf.tensor(images(step), [BATCH, SIDE, SIDE, 2]);
      const y = tf.tensor(labels(step), [BATCH], 'int32');
      return optimizer.minimize(() => lossOf(model, x, y), true) as tf.Scalar;
    });
    return loss.dataSync()[0] as number;
  });
  const weights = weightsOf(model);
  model.dispose();
  return { losses, weights };
}

async function compiled(optimizer: tf.Optimizer): Promise<History> {
  const model = network();
  const step = await compile(
    (x, y) => optimizer.minimize(() => lossOf(model, x, y), true) as tf.Scalar,
    [{ shape: [BATCH, SIDE, SIDE, 2] }, { shape: [BATCH], dtype: 'int32' }],
    { weights: 'live' },
  );
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) losses.push((await step(images(i), labels(i))).data[0] as number);
  await step.release();
  const weights = weightsOf(model);
  model.dispose();
  return { losses, weights };
}

const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.02, 0.9),
  nesterov: () => tf.train.momentum(0.02, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.005, 0.9),
  'rmsprop with momentum': () => tf.train.rmsprop(0.002, 0.9, 0.5),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
};

describe('a compiled training step follows TensorFlow.js', () => {
  it.each(Object.keys(OPTIMIZERS))('with %s', async (name) => {
    const make = OPTIMIZERS[name] as () => tf.Optimizer;
    const [expected, got] = [eagerly(make()), await compiled(make())];
    expect(Math.min(...expected.losses.slice(-5))).toBeLessThan(expected.losses[0] as number);
    got.losses.forEach((loss, i) => {
      expect(Math.abs(loss - (expected.losses[i] as number)), `loss of step ${i}`).toBeLessThan(1e-3);
    });
    got.weights.forEach((weight, i) => {
      weight.forEach((value, k) => {
        expect(Math.abs(value - (expected.weights[i]?.[k] as number)), `weight ${i} at ${k}`).toBeLessThan(5e-3);
      });
    });
  });

  it('moving the averages of batch normalisation as TensorFlow.js does', async () => {
    const averages = (weights: readonly number[][], model: tf.LayersModel): number[][] =>
      weights.filter((_, i) => model.weights[i]?.originalName.includes('moving') ?? false);
    const model = network();
    const before = averages(weightsOf(model), model);
    const optimizer = () => tf.train.sgd(0);
    const [expected, got] = [eagerly(optimizer()), await compiled(optimizer())];
    const [wanted, moved] = [averages(expected.weights, model), averages(got.weights, model)];
    expect(moved).toHaveLength(2);
    moved.forEach((values, i) => {
      values.forEach((value, k) => {
        expect(Math.abs(value - (wanted[i]?.[k] as number))).toBeLessThan(1e-4);
        expect(value).not.toBe(before[i]?.[k]);
      });
    });
    model.dispose();
  });

  it('twice: slots made by one compilation serve the next', async () => {
    const [w, optimizer] = [tf.variable(tf.tensor1d([1, -2])), tf.train.momentum(0.1, 0.9)];
    const [v, reference] = [tf.variable(tf.tensor1d([1, -2])), tf.train.momentum(0.1, 0.9)];
    const compileStep = (length: number) =>
      compile(
        (x) => optimizer.minimize(() => tf.mul(x, w).square().sum() as tf.Scalar, true) as tf.Scalar,
        [{ shape: [length, 2] }],
        { weights: 'live' },
      );
    const [short, long] = [await compileStep(1), await compileStep(3)];
    const step = (x: Float32Array): void => {
      tf.tidy(
        () =>
          reference.minimize(
            () =>
              tf
                .mul(tf.tensor(x, [x.length / 2, 2]), v)
                .square()
                .sum() as tf.Scalar,
            true,
          ) as tf.Scalar,
      );
    };
    for (const [run, length] of [
      [short, 1],
      [long, 3],
      [short, 1],
      [long, 3],
    ] as const) {
      const x = array(length * 2, 'float32', length, { from: -0.5, to: 0.5 }) as Float32Array;
      await run(x);
      step(x);
    }
    const [got, expected] = [w.dataSync(), v.dataSync()];
    expect(got[0]).toBeCloseTo(expected[0] as number, 5);
    expect(got[1]).toBeCloseTo(expected[1] as number, 5);
    await short.release();
    await long.release();
    for (const each of [w, v, optimizer, reference]) each.dispose();
  });

  it('with an attack inside the step, which sees the weights before the update', async () => {
    const w = tf.variable(tf.tensor2d([0.5, -0.25, 0.75, 1], [4, 1]));
    const attack = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => {
      const loss = (t: tf.Tensor): tf.Tensor =>
        tf
          .matMul(t as tf.Tensor2D, w as tf.Tensor2D)
          .sub(y)
          .square()
          .sum();
      return x.add(tf.grad(loss)(x).sign().mul(0.1));
    };
    const train = (optimizer: tf.Optimizer, x: tf.Tensor, y: tf.Tensor): tf.Scalar => {
      const adversarial = attack(attack(x, y), y);
      return optimizer.minimize(
        () =>
          tf
            .matMul(adversarial as tf.Tensor2D, w as tf.Tensor2D)
            .sub(y)
            .square()
            .mean() as tf.Scalar,
        true,
      ) as tf.Scalar;
    };
    const start = w.dataSync().slice();
    const [x, y] = [array(12, 'float32', 1) as Float32Array, array(3, 'float32', 2) as Float32Array];
    const eagerLosses = [0, 1, 2].map(
      () =>
        tf.tidy(() => train(tf.train.sgd(0.01), tf.tensor(x, [3, 4]), tf.tensor(y, [3, 1]))).dataSync()[0] as number,
    );
    const eagerWeights = w.dataSync().slice();
    w.assign(tf.tensor2d(start, [4, 1]));
    const step = await compile((a, b) => train(tf.train.sgd(0.01), a, b), [{ shape: [3, 4] }, { shape: [3, 1] }], {
      weights: 'live',
    });
    for (const expected of eagerLosses) expect((await step(x, y)).data[0]).toBeCloseTo(expected, 4);
    eagerWeights.forEach((value, i) => {
      expect(w.dataSync()[i]).toBeCloseTo(value, 4);
    });
    await step.release();
    w.dispose();
  });
});
