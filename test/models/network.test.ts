import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { Dropout } from '../../src/models/dropout.ts';
import { buildNetwork, type Network, type NetworkSpec, trainingLogits } from '../../src/models/network.ts';
import { permute } from '../../src/models/permute.ts';
import { sizeOf, weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { relativeError } from './close.ts';
import { oracleImages } from './oracle-weights.ts';

beforeAll(() => tf.setBackend('cpu'));

const SPEC: NetworkSpec = {
  arch: 'vgg11',
  variant: 'small',
  width: 1 / 16,
  input: [28, 28, 1],
  classes: 10,
  normalisation: { mean: [0], std: [1] },
};
const images = (): tf.Tensor4D => tf.tensor4d(oracleImages(2, [28, 28, 1]), [2, 28, 28, 1]);

async function valuesOf({ model }: Network): Promise<Readonly<Record<string, readonly number[]>>> {
  const entries = weightsOf(model).map(async ({ name, read }) => [name, [...(await read())]]);
  return Object.fromEntries(await Promise.all(entries));
}

describe('first weights', () => {
  it('are a function of the seed alone, whatever was built before', async () => {
    const first = buildNetwork(SPEC, 5);
    const other = buildNetwork(SPEC, 6);
    const again = buildNetwork(SPEC, 5);
    expect(await valuesOf(again)).toEqual(await valuesOf(first));
    expect((await valuesOf(other))['features.0.weight']).not.toEqual((await valuesOf(first))['features.0.weight']);
    for (const network of [first, other, again]) network.dispose();
  });

  it('are He normal by fan-out in convolutions, 0.01 wide in dense layers, neutral elsewhere', async () => {
    const network = buildNetwork({ ...SPEC, width: 1 / 4, classes: 100 }, 0);
    for (const { name, shape, read } of weightsOf(network.model)) {
      const values = await read();
      if (shape.length === 1) {
        expect(new Set(values), name).toEqual(new Set([/running_var|features.*weight/.test(name) ? 1 : 0]));
        continue;
      }
      const [out, , height = 1, width = 1] = shape as [number, number, number?, number?];
      const expected = shape.length === 4 ? Math.sqrt(2 / (out * height * width)) : 0.01;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
      // The deviation of a sample of n scatters by 1 / √(2n) of itself.
      expect(Math.abs(deviation / expected - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
    }
    network.dispose();
  });
});

describe('networks in one process', () => {
  it('do not share weights, even under the same names', () => {
    const [a, b] = [buildNetwork(SPEC, 1), buildNetwork(SPEC, 1)];
    const before = b.classifier.logits(images()).dataSync();
    for (const { shape, write } of weightsOf(a.model)) write(new Float32Array(sizeOf(shape)));
    expect(b.classifier.logits(images()).dataSync()).toEqual(before);
    a.dispose();
    expect(b.classifier.logits(images()).dataSync()).toEqual(before);
    b.dispose();
  });

  it('free everything when disposed, used or not', () => {
    const x = images();
    const before = tf.memory();
    const network = buildNetwork(SPEC, 1);
    network.classifier.logits(x).dispose();
    trainingLogits(network, x).dispose();
    tf.tidy(() => void tf.variableGrads(() => trainingLogits(network, x).sum()));
    network.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });
});

describe('training mode', () => {
  it('moves the running statistics, and inference leaves them alone', async () => {
    const network = buildNetwork(SPEC, 1);
    const still = await valuesOf(network);
    network.classifier.logits(images());
    expect(await valuesOf(network)).toEqual(still);
    trainingLogits(network, images());
    const moved = await valuesOf(network);
    const changed = Object.keys(moved).filter((name) => String(moved[name]) !== String(still[name]));
    expect(changed).toEqual(Object.keys(moved).filter((name) => name.includes('running_')));
    network.dispose();
  });

  it('needs noise where the network drops out, and is a function of it', () => {
    const spec: NetworkSpec = {
      ...SPEC,
      variant: 'imagenet',
      width: 1 / 64,
      input: [32, 32, 3],
      normalisation: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
    };
    const network = buildNetwork(spec, 1);
    const x = tf.tensor4d(oracleImages(2, [32, 32, 3]), [2, 32, 32, 3]);
    const asked: (readonly number[])[] = [];
    const noise = (value: number) => (shape: readonly number[]) => {
      asked.push(shape);
      return tf.fill([2, ...shape], value);
    };
    expect(() => trainingLogits(network, x)).toThrow(/noise source/);
    const kept = trainingLogits(network, x, noise(0.9)).dataSync();
    expect(asked).toEqual([[64], [64]]);
    expect(trainingLogits(network, x, noise(0.9)).dataSync()).toEqual(kept);
    expect(trainingLogits(network, x, noise(0.1)).dataSync()).not.toEqual(kept);
    network.dispose();
  });

  it('of dropout keeps and scales what the noise says, and nothing in inference', () => {
    const layer = new Dropout('drop', 0.25);
    const noise = () => tf.tensor2d([[0.1, 0.3, 0.24, 0.9]]);
    const x = tf.tensor2d([[3, 3, 3, 6]]);
    expect([...(layer.apply(x, { training: true, noise }) as tf.Tensor).dataSync()]).toEqual([0, 4, 0, 8]);
    expect([...(layer.apply(x, { training: false }) as tf.Tensor).dataSync()]).toEqual([3, 3, 3, 6]);
  });
});

describe('normalisation', () => {
  it('is inside the classifier: (x - mean) / std for each channel', () => {
    const spec: NetworkSpec = { ...SPEC, input: [32, 32, 3], normalisation: { mean: [0, 0, 0], std: [1, 1, 1] } };
    const plain = buildNetwork(spec, 1);
    const normalised = buildNetwork({ ...spec, normalisation: { mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] } }, 1);
    const x = tf.tensor4d(oracleImages(1, [32, 32, 3]), [1, 32, 32, 3]);
    const byHand = x.sub([0.1, 0.2, 0.3]).div([0.5, 0.25, 2]) as tf.Tensor4D;
    const expected = plain.classifier.logits(byHand).dataSync();
    expect(relativeError(normalised.classifier.logits(x).dataSync(), expected)).toBeLessThan(1e-6);
    expect(relativeError(plain.classifier.logits(x).dataSync(), expected)).toBeGreaterThan(1e-3);
    for (const network of [plain, normalised]) network.dispose();
  });
});

describe('a spec that makes no sense', () => {
  it.each<[string, Partial<NetworkSpec>, RegExp]>([
    ['an unknown architecture', { arch: 'vgg17' }, /unknown architecture/],
    ['no width', { width: 0 }, /the width is 0/],
    ['an endless width', { width: Number.POSITIVE_INFINITY }, /the width/],
    ['half a pixel', { input: [28.5, 28, 1] }, /the image shape/],
    ['no classes', { classes: 0 }, /the number of classes is 0/],
    ['a mean of another length', { normalisation: { mean: [0, 0], std: [1] } }, /the mean is \[0,0\]/],
    ['no deviation', { normalisation: { mean: [0], std: [0] } }, /the std is \[0\]/],
  ])('such as %s is refused, naming it', (_what, change, message) => {
    const build = () => buildNetwork({ ...SPEC, ...change }, 0);
    expect(build).toThrow(message);
    expect(build).toThrow(UserError);
  });
});

describe('permuting axes', () => {
  it('agrees with TensorFlow.js, and its inverse undoes it', () => {
    const cases = fc
      .array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
      .chain((shape) =>
        fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
      );
    fc.assert(
      fc.property(cases, ([shape, order]) => {
        const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i);
        const permuted = permute(values, shape, order);
        expect(permuted).toEqual(tf.tidy(() => tf.tensor(values.slice(), shape).transpose(order).dataSync()));
        const inverse = order.map((_, axis) => order.indexOf(axis));
        expect(
          permute(
            permuted,
            order.map((axis) => shape[axis] as number),
            inverse,
          ),
        ).toEqual(values);
      }),
    );
  });
});
