import { beforeAll, describe, expect, it } from 'vitest';
import apgd, { checkpointsOf } from '../../attacks/apgd.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { resolveParams } from '../../src/core/params.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { type Arrays, type Judge, prepareJudge } from '../../src/evaluate/pool/engine.ts';
import { rehearse } from '../../src/evaluate/rehearse/rehearse.ts';
import { tf } from '../../src/tf.ts';
import { minus, normOf } from '../core/reference.ts';
import { oracleNet, readOracle } from './oracle-net.ts';
import { iterates } from './run.ts';

const IMAGES = 32;
const CLASSES = 10;

let net: Classifier;
let judge: Judge;
let oracle: (name: string) => Float32Array;
let clean: Float32Array;
let label: Int32Array;

/** The states of all images under the attack, before the first step and after each. */
const walk = (norm: Norm, epsilon: number, params: Readonly<Record<string, unknown>>): Promise<Arrays[]> =>
  iterates(compile, { attack: apgd as unknown as Attack, params, classifier: net, norm, epsilon, clean, label });

beforeAll(async () => {
  await tf.setBackend('cpu');
  net = await oracleNet();
  judge = await prepareJudge(compile, net, IMAGES);
  oracle = await readOracle('papers.safetensors');
  const peer = await readOracle('peers.safetensors');
  clean = peer('x');
  label = Int32Array.from(peer('y'));
});

/** Which images some iterate is misclassified for. */
async function fooled(states: readonly Arrays[]): Promise<boolean[]> {
  const found = new Array<boolean>(IMAGES).fill(false);
  for (const { x, isCandidate } of states) {
    const logits = await judge.logits(x as Float32Array);
    label.forEach((y, i) => {
      if (isCandidate?.[i] === 0) return;
      const row = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
      found[i] ||= row.indexOf(Math.max(...row)) !== y;
    });
  }
  return found;
}

describe('the checkpoints', () => {
  it('of 100 steps are those of the paper', () => {
    expect(checkpointsOf(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
  });

  it('lie inside the walk, however short or long, at falling distances', () => {
    for (let steps = 1; steps <= 1000; steps++) {
      const found = checkpointsOf(steps);
      const distances = found.map((step, j) => step - (found[j - 1] ?? 0));
      expect(found.every((step) => Number.isInteger(step) && step < steps)).toBe(true);
      distances.forEach((distance, j) => {
        expect(distance).toBeGreaterThanOrEqual(1);
        expect(distance).toBeLessThanOrEqual(distances[j - 1] ?? steps);
      });
    }
  });
});

/** Of every image, whether some iterate of the oracle was misclassified, and the largest loss that it met. */
const theirsOf = (name: string) => ({
  theirs: Array.from(oracle(`${name}_fooled`), Boolean),
  found: oracle(`${name}_loss`),
});

/** What the oracle was asked for; patience is never to halve for want of rises, which leaves the second condition alone. */
const WAYS = {
  'cross-entropy': { loss: 'cross-entropy' },
  dlr: { loss: 'dlr' },
  patient: { loss: 'cross-entropy', rho: 0 },
} as const;

describe('100 steps of APGD, beside algorithm 1 in PyTorch and float64', () => {
  it.each([
    ['Linf', 0.05, 'cross-entropy'],
    ['Linf', 0.08, 'cross-entropy'],
    ['L2', 0.8, 'cross-entropy'],
    ['L2', 1.2, 'cross-entropy'],
    ['Linf', 0.05, 'dlr'],
    ['L2', 0.8, 'dlr'],
    ['Linf', 0.05, 'patient'],
    ['L2', 0.8, 'patient'],
  ] as const)('in %s at %d, %s, fool the same images and find the same losses', async (norm, epsilon, way) => {
    const states = await walk(norm, epsilon, { ...WAYS[way], random: false });
    const { theirs, found } = theirsOf(`apgd_${norm}_${epsilon}_${way}`);
    expect(await fooled(states)).toEqual(theirs);
    expect(new Set(theirs).size).toBe(2);

    const ours = states.at(-1)?.bestLoss as Float32Array;
    const astray = ours.filter((value, i) => {
      // Beyond the boundary the denominator of DLR may vanish: the largest ratio that is met is then an accident.
      if (way === 'dlr' && theirs[i]) return false;
      const expected = found[i] as number;
      return !(Math.abs(value - expected) < 0.001 * Math.abs(expected));
    });
    // In float32 a pixel's sign or a rise may be decided otherwise, and the walk goes on from another place.
    expect(astray.length).toBeLessThanOrEqual(1);
  });
});

describe('L1-APGD, beside the same in PyTorch and float64', () => {
  it.each([
    [4, 'cross-entropy', { random: false }],
    [1, 'dlr', { random: false, loss: 'dlr' }],
    [8, 'random', {}],
    // Long enough for checkpoints two and three steps apart.
    [4, 'long', { random: false, steps: 200 }],
  ] as const)('at %d, %s, fools the same images and finds the same losses', async (epsilon, way, params) => {
    const states = await walk('L1', epsilon, params);
    const { theirs, found } = theirsOf(`apgd_L1_${epsilon}_${way}`);
    expect(await fooled(states)).toEqual(theirs);
    expect(new Set(theirs).size).toBe(2);

    const losses = states.at(-1)?.bestLoss as Float32Array;
    const astray = losses.filter((value, i) => {
      const expected = found[i] as number;
      return !(Math.abs(value - expected) < 0.001 * Math.abs(expected));
    });
    // In float32 the order of two pixels or losses may be another, and the walk goes on from another place.
    expect(astray.length).toBeLessThanOrEqual(1);
  });
});

describe('L1-APGD', () => {
  const [epsilon, steps] = [2, 20];
  let states: Arrays[];

  beforeAll(async () => {
    states = await walk('L1', epsilon, { steps });
  });

  it('walks in balls of three radii, to whose edges it goes, and means the points of the last alone', () => {
    states.forEach(({ x, isCandidate }, step) => {
      const radius = epsilon * (step < 6 ? 3 : step < 12 ? 2 : 1);
      const size = clean.length / IMAGES;
      for (let image = 0; image < IMAGES; image++) {
        const part = (values: Float32Array) => values.subarray(image * size, (image + 1) * size);
        expect(normOf('L1', minus(part(x as Float32Array), part(clean)))).toBeCloseTo(radius, 4);
      }
      expect([...(isCandidate ?? [])]).toEqual(new Array(IMAGES).fill(step < 12 ? 0 : 1));
    });
  });

  it('has none but its ball to walk in when the steps are few', async () => {
    const few = await walk('L1', epsilon, { steps: 3 });
    for (const { isCandidate } of few) expect(new Set(isCandidate)).toEqual(new Set([1]));
  });

  it('remembers the best of each phase, and lengthens its steps where fewer pixels are moved alone', () => {
    const columns = (name: string): Float32Array[] => states.map((state) => state[name] as Float32Array);
    const [paces, moved] = [columns('pace'), columns('moved')];
    const seen = new Set<string>();
    for (let step = 1; step < steps - 1; step++) {
      // Where a phase begins, both begin anew.
      if ([5, 11].includes(step)) continue;
      const isFirst = [6, 12].includes(step);
      for (let image = 0; image < IMAGES; image++) {
        const [before, after] = [paces[step]?.[image] as number, paces[step + 1]?.[image] as number];
        const share = (moved[step + 1]?.[image] as number) / (moved[step]?.[image] as number);
        const expected = isFirst ? before : share < 0.95 ? 1 : Math.max(before / 1.5, 0.1);
        expect(after).toBeCloseTo(expected, 5);
        seen.add(isFirst ? 'first' : share < 0.95 ? 'sparser' : 'slower');
      }
    }
    expect(seen.size).toBe(3);
  });
});

describe('APGD', () => {
  it('takes one gradient a step, at the point that is judged', async () => {
    const params = resolveParams(apgd.name, apgd.params);
    const { init, step } = await rehearse({
      ...{ attack: apgd as unknown as Attack, params, classifier: net, norm: 'Linf', targeted: false },
    });
    expect([init.gradients, init.forwards, step.gradients, step.forwards]).toEqual([0, 0, 1, 0]);
  });

  it('remembers the best of all that it has seen, and halves its steps at checkpoints alone', async () => {
    const steps = 40;
    const states = await walk('Linf', 0.05, { steps, random: false });
    const columns = (name: string): Float32Array[] => states.map((state) => state[name] as Float32Array);
    const [best, last, sizes] = [columns('bestLoss'), columns('lastLoss'), columns('stepSize')];
    let halvings = 0;
    for (let step = 0; step < steps; step++) {
      for (let image = 0; image < IMAGES; image++) {
        const seen = last.slice(0, step + 2).map((losses) => losses[image] as number);
        expect(best[step + 1]?.[image]).toBe(Math.max(...seen));
        const ratio = (sizes[step + 1]?.[image] as number) / (sizes[step]?.[image] as number);
        if (ratio === 1) continue;
        expect(ratio).toBe(0.5);
        expect(checkpointsOf(steps)).toContain(step);
        halvings += 1;
      }
    }
    expect(halvings).toBeGreaterThan(IMAGES);
  });
});
