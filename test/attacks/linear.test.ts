import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { fillNoise } from '../../src/core/rng.ts';
import { diameterOf, NORMS, type Norm } from '../../src/core/threat-model.ts';
import { lastIterate, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { dual, inner, minus, normOf } from '../core/reference.ts';
import { nearest } from './run.ts';

/** On a linear model of two classes the best perturbation is known: ε along the steepest direction of w = w₁ - w₀. */
const PIXELS = 12;
const draws = (image: number, distribution: 'uniform' | 'normal'): Float32Array => {
  const values = new Float32Array(PIXELS);
  fillNoise(values, { seed: 0, image, restart: 0, step: 0, draw: 0 }, distribution);
  return values;
};
const [w0, w1] = [draws(1, 'normal'), draws(2, 'normal')];
const w = minus(w1, w0);
const linear: Classifier = {
  name: 'linear',
  classes: 2,
  input: [3, 4, 1],
  logits: (x) =>
    x.reshape([x.shape[0], PIXELS]).matMul(tf.tensor2d([...w0, ...w1], [2, PIXELS]).transpose()) as tf.Tensor2D,
};

/** A grey image, so that no radius here meets the box. */
const clean = draws(3, 'uniform').map((value) => 0.4 + 0.2 * value);
const EPSILON = 0.25;
const attacked = (attack: Trial['attack'], norm: Norm, rest: Partial<Trial> = {}): Promise<Float32Array> =>
  lastIterate(eager, { attack, classifier: linear, norm, epsilon: EPSILON, clean, label: Int32Array.of(0), ...rest });

const sign = w.map(Math.sign);
const length = normOf('L2', w);
const largest = normOf('Linf', w);
const STEEPEST: Readonly<Record<Norm, number[]>> = {
  Linf: sign,
  L2: w.map((v) => v / length),
  L1: w.map((v) => (Math.abs(v) === largest ? Math.sign(v) : 0)),
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('on a linear model', () => {
  it.each(NORMS)('FGSM in %s is the closed form, away from the truth and towards a target', async (norm) => {
    const step = (by: number) => Array.from(clean, (v, i) => v + by * (STEEPEST[norm][i] as number));
    expect(normOf('Linf', minus(await attacked(fgsm, norm), step(EPSILON)))).toBeLessThan(1e-6);
    const towards = await attacked(fgsm, norm, { label: Int32Array.of(1), target: Int32Array.of(0) });
    expect(normOf('Linf', minus(towards, step(-EPSILON)))).toBeLessThan(1e-6);
  });

  it.each(NORMS)(
    'PGD in %s reaches the best point from a random start, and gains ε times the dual norm',
    async (norm) => {
      const x = await attacked(pgd, norm, { params: { step: 0.05 } });
      expect(Math.abs(inner(w, minus(x, clean)) / (EPSILON * normOf(dual[norm], w)) - 1)).toBeLessThan(0.001);
    },
  );

  it.each(NORMS)('PGD in %s of one step of length ε, without a random start, is FGSM', async (norm) => {
    const once = await attacked(pgd, norm, { params: { steps: 1, step: EPSILON, random: false } });
    expect(once).toEqual(await attacked(fgsm, norm));
  });

  it('PGD walks 2.5 ε in all, unless told how long a step is', async () => {
    const first = await attacked(pgd, 'L2', { params: { steps: 40, random: false }, mostSteps: 1 });
    expect(normOf('L2', minus(first, clean))).toBeCloseTo((2.5 * EPSILON) / 40, 6);
    const told = await attacked(pgd, 'L2', { params: { steps: 40, step: 0.01, random: false }, mostSteps: 1 });
    expect(normOf('L2', minus(told, clean))).toBeCloseTo(0.01, 6);
  });
});

const files = readdirSync(join(PACKAGE_ROOT, 'attacks')).filter((file) => file.endsWith('.ts'));
const seekers = (
  await Promise.all(
    files.map(async (file) => ((await import(join(PACKAGE_ROOT, 'attacks', file))) as { default: Attack }).default),
  )
).filter(({ minimumNorm }) => minimumNorm === true);

/** How much farther than the nearest one an attack's best candidate may be: what its overshoot and its search leave. */
const EXCESS: Readonly<Record<string, number>> = { deepfool: 0.0201, 'fab-t': 0.01 };

const PARAMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { ead: { beta: 0.01 } };

describe('on a linear model, attacks of minimum norm', () => {
  const cases = seekers.flatMap((attack) =>
    NORMS.filter((norm) => attack.norms.includes(norm)).map((norm) => ({ attack, norm })),
  );

  /** An image of class 0, as far from class 1 in L2: farther than an attack steps, and no wall is in the way. */
  const DISTANCE = 0.15;
  const excess = inner(w, clean) / length + DISTANCE;
  const image = clean.map((value, i) => value - (excess * (w[i] as number)) / length);

  it.each(cases)('$attack.name in $norm finds |f| / ‖w‖, in the dual norm', async ({ attack, norm }) => {
    const exact = (DISTANCE * length) / normOf(dual[norm], w);
    const epsilon = diameterOf(norm, PIXELS);
    const params = PARAMS[attack.name] ?? {};
    const untargeted = { attack, params, classifier: linear, norm, epsilon, clean: image, label: Int32Array.of(0) };
    const targeted = { ...untargeted, target: Int32Array.of(1) };
    // An attack that chooses targets has one in every try.
    for (const trial of attack.targets === undefined ? [untargeted, targeted] : [targeted]) {
      const [found = Number.NaN] = await nearest(compile, trial);
      expect(found / exact - 1).toBeGreaterThan(-1e-5);
      expect(found / exact - 1).toBeLessThan(EXCESS[attack.name] ?? 0.01);
    }
  });
});
