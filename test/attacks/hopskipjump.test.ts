import { beforeAll, describe, expect, it } from 'vitest';
import hopskipjump from '../../attacks/hopskipjump.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { states, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { dual, inner, minus, normOf } from '../core/reference.ts';
import { oracleNet, readOracle } from './oracle-net.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Wanted = Omit<Trial, 'attack' | 'epsilon'>;

/** How near the attack comes to every image, Infinity where it finds no start, and where it ends. */
async function nearest(wanted: Wanted): Promise<{ distances: number[]; x: Float32Array }> {
  const { clean, label, norm } = wanted;
  const pixels = clean.length / label.length;
  const row = (values: Float32Array, image: number) => values.subarray(image * pixels, (image + 1) * pixels);
  let distances = Array.from(label, () => Number.POSITIVE_INFINITY);
  let x: Float32Array = clean;
  for await (const state of states(compile, { attack: hopskipjump, epsilon: pixels, ...wanted })) {
    x = state.x as Float32Array;
    distances = distances.map((best, image) =>
      state.round?.[image] === 0 ? best : Math.min(best, normOf(norm as Norm, minus(row(x, image), row(clean, image)))),
    );
  }
  return { distances, x };
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
};

describe.each(['L2', 'Linf'] as const)('HopSkipJump in %s', (norm) => {
  it('comes as near as another implementation of its paper within as many queries', async () => {
    const peer = await readOracle('peers.safetensors');
    const theirs = await readOracle('hopskipjump.safetensors');
    const classifier = await oracleNet();
    const images = 16;
    const clean = peer('x').slice(0, images * 784);
    const label = Int32Array.from(peer('y').slice(0, images));
    const { distances, x } = await nearest({ classifier, norm, clean, label, params: { queries: 2500 } });
    expect(Math.abs(median(distances) / median([...theirs(norm)]) - 1)).toBeLessThan(0.1);
    // A hair beyond the boundary, where rounding no longer decides.
    const beyond = tf.tensor4d(
      x.map((value, i) => value + 0.001 * (value - (clean[i] as number))),
      [images, 28, 28, 1],
    );
    const classes = classifier.logits(beyond).argMax(1).dataSync();
    expect(label.filter((y, i) => y === classes[i])).toHaveLength(0);
  });

  it('finds the distance of a linear boundary, |f| / ‖w‖, but for 2 %', async () => {
    const w = [0.9, -0.5, 0.3, 0.7, -1.1, 0.4, -0.2, 0.8, 0.6, -0.9, 0.5, -0.7];
    const grey = w.map((_, i) => 0.45 + 0.01 * i);
    const classifier: Classifier = {
      name: 'linear',
      classes: 2,
      input: [3, 4, 1],
      logits: (x) => {
        const f = x.reshape([-1, 12]).matMul(tf.tensor2d(w, [12, 1]));
        return tf.concat([f, tf.zerosLike(f)], 1) as tf.Tensor2D;
      },
    };
    const label = Int32Array.of(inner(w, grey) > 0 ? 0 : 1);
    const { distances } = await nearest({
      classifier,
      norm,
      clean: Float32Array.from(grey),
      label,
      params: { queries: 4000 },
    });
    const exact = Math.abs(inner(w, grey)) / normOf(dual[norm], w);
    expect(distances[0]).toBeGreaterThan(exact * 0.999);
    expect(distances[0]).toBeLessThan(exact * 1.02);
  });
});

describe('HopSkipJump without a start', () => {
  it('leaves the image as it is', async () => {
    const constant: Classifier = {
      name: 'constant',
      classes: 2,
      input: [3, 4, 1],
      logits: (x) =>
        x
          .reshape([-1, 12])
          .matMul(tf.zeros([12, 2]))
          .add(tf.tensor1d([1, 0])) as tf.Tensor2D,
    };
    const clean = new Float32Array(12).fill(0.5);
    const { distances, x } = await nearest({
      ...{ classifier: constant, norm: 'L2', clean, label: Int32Array.of(0) },
      params: { queries: 50 },
    });
    expect(x).toEqual(clean);
    expect(distances).toEqual([Number.POSITIVE_INFINITY]);
  });
});
