/**
 * Weights and inputs as a pure function of a key and an index, so that two programs agree on a network without exchanging
 * a file: the formula of `test/oracles/`.
 */
import { stringHash } from '../../src/core/rng.ts';
import { permute } from '../../src/models/permute.ts';
import { sizeOf, weightsOf } from '../../src/models/weights.ts';
import type { tf } from '../../src/tf.ts';

/** Numbers in [-1, 1), one per index. */
export function oracleUniform(key: string, count: number): Float32Array<ArrayBuffer> {
  const seed = stringHash(key);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    values[i] = ((x >>> 8) / 2 ** 24) * 2 - 1;
  }
  return values;
}

/** u·√(6 / fan-in) for kernels, .05·u for their biases; batch norm: 1 + .1·u, .1·u, mean .1·u, variance 1 + .2·u. */
export function fillWithOracleWeights(model: tf.LayersModel): void {
  const weights = weightsOf(model);
  const normalising = new Set(
    weights.filter(({ name }) => name.endsWith('.running_mean')).map(({ name }) => layerOf(name)),
  );
  for (const { name, shape, write } of weights) {
    const own = name.slice(layerOf(name).length + 1);
    const [centre, spread] = centreAndSpread(own, shape, normalising.has(layerOf(name)));
    const values = oracleUniform(name, sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = centre + spread * (values[i] as number);
    write(values);
  }
}

const layerOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

function centreAndSpread(own: string, shape: readonly number[], normalises: boolean): readonly [number, number] {
  if (shape.length > 1) return [0, Math.sqrt(6 / sizeOf(shape.slice(1)))];
  if (!normalises) return [0, 0.05];
  if (own === 'running_var') return [1, 0.2];
  return [own === 'weight' ? 1 : 0, 0.1];
}

/** Images in [0,1], [batch, height, width, channels]; the formula counts channel by channel. */
export function oracleImages(
  batch: number,
  [height, width, channels]: readonly [number, number, number],
): Float32Array<ArrayBuffer> {
  const nchw = [batch, channels, height, width];
  const values = oracleUniform('input', sizeOf(nchw)).map((u) => (u + 1) / 2);
  return permute(values, nchw, [0, 2, 3, 1]);
}
