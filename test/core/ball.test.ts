import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ball, shorten, sizeOf } from '../../src/core/ball.ts';
import { NORMS, type Norm } from '../../src/core/threat-model.ts';
import { tf } from '../../src/tf.ts';
import {
  anyEpsilon,
  anyNorm,
  anySeed,
  anyShape,
  radii,
  randomImages,
  randomTensor,
  rows,
  seededNoise,
} from './batches.ts';
import { distanceFromUniform, dual, inner, minus, normOf, projection } from './reference.ts';

/** What float32 may add to a radius: as much as the verification pass forgives. */
const within = (epsilon: number): number => Math.fround(epsilon) + 1e-6 * Math.max(1, epsilon);

interface Case {
  readonly norm: Norm;
  readonly clean: tf.Tensor4D;
  readonly epsilon: number;
  /** Points in and far out of the ball and the box. */
  readonly x: tf.Tensor4D;
}

const anyCase = fc
  .tuple(anyNorm, anyShape, anySeed, anyEpsilon, fc.constantFrom(1e-3, 0.1, 1, 30))
  .map(([norm, shape, seed, epsilon, spread]) => ({ norm, shape, seed, epsilon, spread }));

const build = ({
  norm,
  shape,
  seed,
  epsilon,
  spread,
}: typeof anyCase extends fc.Arbitrary<infer T> ? T : never): Case => {
  const clean = randomImages(shape, seed);
  return { norm, clean, epsilon, x: clean.add(randomTensor(shape, seed + 1, 'normal').mul(spread)) };
};

const ballOf = ({ norm, clean, epsilon }: Omit<Case, 'x'>, seed = 0) => {
  const [images] = clean.shape;
  return ball(norm, { clean, epsilon: radii(images, epsilon), noise: seededNoise(images, seed) });
};

const expectInside = ({ norm, clean, epsilon }: Omit<Case, 'x'>, point: tf.Tensor4D): void => {
  const cleanRows = rows(clean);
  rows(point).forEach((row, i) => {
    expect(row.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(normOf(norm, minus(row, cleanRows[i] as Float32Array))).toBeLessThanOrEqual(within(epsilon));
  });
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

/** A property whose tensors are freed after every run. */
const holds = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void, runs = 60): void =>
  fc.assert(
    fc.property(arbitrary, (value) => {
      tf.tidy(() => check(value));
    }),
    { numRuns: runs },
  );

describe('the projection', () => {
  it('lies in the ball and in the box', () => {
    holds(anyCase, (drawn) => {
      const given = build(drawn);
      expectInside(given, ballOf(given).project(given.x));
    });
  });

  it('agrees with float64', () => {
    holds(
      anyCase,
      (drawn) => {
        const given = build(drawn);
        const [cleanRows, xRows] = [rows(given.clean), rows(given.x)];
        rows(ballOf(given).project(given.x)).forEach((row, i) => {
          const [clean, x] = [cleanRows[i] as Float32Array, xRows[i] as Float32Array];
          const exact = projection(given.norm, x, clean, Math.fround(given.epsilon));
          // Thresholds of L1 are differences of numbers as large as the farthest pixel.
          const scale = Math.max(1, normOf('Linf', minus(x, clean)));
          expect(normOf('Linf', minus(row, exact))).toBeLessThan(1e-6 * scale);
        });
      },
      150,
    );
  });

  it('projected again stays where it is', () => {
    holds(anyCase, (drawn) => {
      const given = build(drawn);
      const { project } = ballOf(given);
      const once = project(given.x);
      expect(once.sub(project(once)).abs().max().dataSync()[0]).toBeLessThan(2e-6);
    });
  });

  it('leaves a point of the ball and the box where it is', () => {
    holds(anyCase, (drawn) => {
      const given = build(drawn);
      const { project, randomPoint } = ballOf(given, drawn.seed);
      const inside = randomPoint();
      expect(inside.sub(project(inside)).abs().max().dataSync()[0]).toBeLessThan(2e-6);
    });
  });

  it('of radius zero is the clean image, bit for bit', () => {
    holds(anyCase, (drawn) => {
      const given = { ...build(drawn), epsilon: 0 };
      expect(ballOf(given).project(given.x).dataSync()).toEqual(given.clean.dataSync());
    });
  });

  it('is the nearest point of all that the ball and the box have in common', () => {
    holds(fc.tuple(anyCase, fc.array(anySeed, { minLength: 5, maxLength: 5 })), ([drawn, seeds]) => {
      // In L2 the contract is ball, then box, which is the nearest point only where the ball lies in the box.
      const { norm, clean: images, epsilon: radius, x } = build(drawn);
      const clean = norm === 'L2' ? images.mul(0.2).add(0.4) : images;
      const given = { norm, clean: clean as tf.Tensor4D, epsilon: norm === 'L2' ? Math.min(radius, 0.4) : radius };
      const xRows = rows(x);
      const distances = (point: tf.Tensor4D) =>
        rows(point).map((row, i) => normOf('L2', minus(row, xRows[i] as Float32Array)));
      const nearest = distances(ballOf(given).project(x));
      for (const seed of seeds) {
        const others = distances(ballOf(given, seed).randomPoint());
        nearest.forEach((distance, i) => {
          expect(distance).toBeLessThanOrEqual((others[i] as number) * (1 + 1e-6) + 1e-6);
        });
      }
    });
  });
});

describe('a perturbation that is shortened', () => {
  it('is what projection makes of it in the middle of a box that it never leaves', () => {
    for (const norm of NORMS) {
      tf.tidy(() => {
        const middle = tf.fill([3, 2, 2, 1], 0.5) as tf.Tensor4D;
        const delta = randomTensor([3, 2, 2, 1], 5, 'uniform').sub(0.5) as tf.Tensor4D;
        const epsilon = tf.tensor4d([0, 0.3, 9], [3, 1, 1, 1]);
        const projected = ball(norm, { clean: middle, epsilon, noise: seededNoise(3, 0) }).project(middle.add(delta));
        const shortened = shorten(norm, delta, epsilon);
        const difference = projected.sub(middle).sub(shortened).abs().max().dataSync()[0];
        expect(difference).toBeLessThan(1e-6);
      });
    }
  });

  it('may lead out of the box, for it belongs to no image', () => {
    for (const norm of NORMS) {
      const far = tf.fill([1, 2, 2, 1], 5) as tf.Tensor4D;
      const shortened = shorten(norm, far, tf.fill([1, 1, 1, 1], 8));
      expect(normOf(norm, shortened.dataSync() as Float32Array)).toBeCloseTo(norm === 'Linf' ? 5 : 8, 5);
    }
  });
});

describe('the steepest direction', () => {
  const anyGradient = fc.tuple(anyNorm, anyShape, anySeed, fc.constantFrom(1e-30, 1e-12, 1, 1e12, 1e30));

  it('has length one and the largest inner product that any such direction has: the dual norm', () => {
    holds(anyGradient, ([norm, shape, seed, scale]) => {
      const clean = randomImages(shape, 0);
      const gradient = randomTensor(shape, seed, 'normal').mul(scale) as tf.Tensor4D;
      const others = randomTensor(shape, seed + 1, 'normal');
      const gradients = rows(gradient);
      const otherRows = rows(others);
      rows(ballOf({ norm, clean, epsilon: 1 }).steepest(gradient)).forEach((u, i) => {
        const g = Float64Array.from(gradients[i] as Float32Array, (v) => v / scale);
        expect(Math.abs(normOf(norm, u) - 1)).toBeLessThan(1e-6);
        const reached = inner(g, u);
        const most = normOf(dual[norm], g);
        expect(Math.abs(reached / most - 1)).toBeLessThan(1e-5);
        const other = otherRows[i] as Float32Array;
        expect(reached).toBeGreaterThanOrEqual(inner(g, other) / normOf(norm, other) - 1e-5 * most);
      });
    });
  });

  it('is zero where the gradient is zero, whatever the other images', () => {
    holds(fc.tuple(anyNorm, anyShape, anySeed), ([norm, shape, seed]) => {
      const some = randomTensor(shape, seed, 'normal');
      const none = tf.zerosLike(some);
      const clean = tf.concat([randomImages(shape, 0), randomImages(shape, 0)]) as tf.Tensor4D;
      const steps = rows(ballOf({ norm, clean, epsilon: 1 }).steepest(tf.concat([some, none]) as tf.Tensor4D));
      for (const step of steps.slice(shape[0])) expect(step.every((v) => v === 0)).toBe(true);
      for (const step of steps.slice(0, shape[0])) expect(step.some((v) => v !== 0)).toBe(true);
    });
  });

  it('takes one pixel in L1, even among equals', () => {
    const clean = randomImages([1, 3, 3, 1], 0);
    const equal = tf.onesLike(clean).neg() as tf.Tensor4D;
    const [step] = rows(ballOf({ norm: 'L1', clean, epsilon: 1 }).steepest(equal)) as [Float32Array];
    expect(step.filter((v) => v === -1)).toHaveLength(1);
    expect(step.filter((v) => v === 0)).toHaveLength(8);
  });
});

describe('the spread step', () => {
  const anyStep = fc.tuple(anyShape, anySeed, fc.double({ min: 0, max: 1, noNaN: true }));

  it('is in L1 shared equally by the steepest pixels, those apart that stand at the wall', () => {
    holds(anyStep, ([shape, seed, share]) => {
      const clean = randomImages(shape, seed);
      const gradient = randomTensor(shape, seed + 1, 'normal');
      const xRows = rows(clean);
      const gradients = rows(gradient);
      rows(ballOf({ norm: 'L1', clean, epsilon: 1 }).spread(gradient, clean, share)).forEach((step, i) => {
        const [x, g] = [xRows[i] as Float32Array, gradients[i] as Float32Array];
        const free = Array.from(g, (slope, j) => (x[j] === (slope > 0 ? 1 : 0) ? 0 : slope));
        const sizes = free.map(Math.abs).filter((size) => size > 0);
        const moved = sizes.sort((a, b) => b - a).slice(0, Math.max(1, Math.ceil(share * g.length)));
        const expected = free.map((slope) => (moved.includes(Math.abs(slope)) ? Math.sign(slope) / moved.length : 0));
        expect(normOf('Linf', minus(step, expected))).toBeLessThan(1e-6);
      });
    });
  });

  it('is the steepest one in other norms, and in L1 for a share that holds one pixel', () => {
    holds(anyStep, ([shape, seed, share]) => {
      const gradient = randomTensor(shape, seed, 'normal');
      const grey = tf.fill(shape, 0.5) as tf.Tensor4D;
      for (const norm of NORMS) {
        const { spread, steepest } = ballOf({ norm, clean: grey, epsilon: 1 });
        const step = spread(gradient, grey, norm === 'L1' ? 0 : share);
        expect(step.dataSync()).toEqual(steepest(gradient).dataSync());
      }
    });
  });
});

describe('every image', () => {
  it('is on its own: a batch equals its images one by one, bit for bit', () => {
    holds(anyCase, (drawn) => {
      const { norm, clean, epsilon, x } = build(drawn);
      const [images] = clean.shape;
      // Radii of their own.
      const radius = tf.linspace(epsilon, epsilon / 2, images).reshape([images, 1, 1, 1]) as tf.Tensor4D;
      const all = (first: number, count: number) => {
        const part = (t: tf.Tensor4D) => t.slice(first, count);
        const { project, randomPoint, steepest } = ball(norm, {
          clean: part(clean),
          epsilon: part(radius),
          noise: seededNoise(count, drawn.seed, first),
        });
        const results = [project(part(x)), randomPoint(), steepest(part(x)), sizeOf(norm, part(x))];
        return results.map(rows);
      };
      const together = all(0, images);
      for (let i = 0; i < images; i++) {
        const alone = all(i, 1);
        expect(alone.map((result) => result[0])).toEqual(together.map((result) => result[i]));
      }
    });
  });

  it('has the size of its norm', () => {
    holds(fc.tuple(anyNorm, anyShape, anySeed, fc.constantFrom(0, 1e-8, 1, 100)), ([norm, shape, seed, scale]) => {
      const x = randomTensor(shape, seed, 'normal').mul(scale) as tf.Tensor4D;
      const sizes = sizeOf(norm, x);
      expect(sizes.shape).toEqual([shape[0], 1, 1, 1]);
      rows(x).forEach((row, i) => {
        const exact = normOf(norm, row);
        expect(Math.abs((sizes.dataSync()[i] as number) - exact)).toBeLessThanOrEqual(1e-6 * exact);
      });
    });
  });
});

describe('a random point', () => {
  it('lies in the ball and in the box', () => {
    holds(anyCase, (drawn) => {
      const given = build(drawn);
      expectInside(given, ballOf(given, drawn.seed).randomPoint());
    });
  });

  /** Perturbations of grey images, far from the box's walls, in units of the radius. */
  const sample = (norm: Norm, pixels: number, images: number): Float32Array[] => {
    const clean = tf.fill([images, 1, pixels, 1], 0.5) as tf.Tensor4D;
    const epsilon = 0.25;
    return rows(ballOf({ norm, clean, epsilon }, 17).randomPoint().sub(clean).div(epsilon));
  };

  it.each(NORMS.flatMap((norm) => [1, 2, 12].map((pixels) => [norm, pixels] as const)))(
    'in %s has the radius of a uniform one in %i dimensions: U^(1/d)',
    (norm, pixels) => {
      const volumes = sample(norm, pixels, 2000).map((delta) => normOf(norm, delta) ** pixels);
      expect(distanceFromUniform(volumes)).toBeLessThan(1.95);
    },
  );

  it('moved to the edge is on it, unless the box is in the way', () => {
    holds(anyCase, (drawn) => {
      const given = build(drawn);
      expectInside(given, ballOf(given, drawn.seed).randomEdgePoint());
      const epsilon = Math.min(given.epsilon, 0.4);
      const grey = tf.fill(given.clean.shape, 0.5) as tf.Tensor4D;
      const point = ballOf({ norm: given.norm, clean: grey, epsilon }, drawn.seed).randomEdgePoint();
      for (const row of rows(point.sub(grey))) {
        expect(Math.abs(normOf(given.norm, row) - epsilon)).toBeLessThan(2e-6);
      }
    });
  });

  it('has independent uniform coordinates in Linf', () => {
    const deltas = sample('Linf', 2, 2000);
    for (const i of [0, 1]) {
      expect(distanceFromUniform(deltas.map((delta) => ((delta[i] as number) + 1) / 2))).toBeLessThan(1.95);
    }
    expect(Math.abs(deltas.reduce((sum, [a = 0, b = 0]) => sum + a * b, 0) / 2000)).toBeLessThan(
      4 / 3 / Math.sqrt(2000),
    );
  });

  it('has no favourite direction in L2', () => {
    const turns = sample('L2', 2, 2000).map(([a = 0, b = 0]) => Math.atan2(a, b) / (2 * Math.PI) + 0.5);
    expect(distanceFromUniform(turns)).toBeLessThan(1.95);
  });

  it('has no favourite edge of the diamond, nor place on it, in L1', () => {
    const deltas = sample('L1', 2, 2000);
    const along = deltas.map((delta) => Math.abs(delta[0] as number) / normOf('L1', delta));
    expect(distanceFromUniform(along)).toBeLessThan(1.95);
    const edges = [0, 0, 0, 0];
    for (const [a = 0, b = 0] of deltas) {
      const edge = (a > 0 ? 1 : 0) + (b > 0 ? 2 : 0);
      edges[edge] = (edges[edge] as number) + 1;
    }
    for (const count of edges) expect(Math.abs(count - 500)).toBeLessThan(80);
  });
});
