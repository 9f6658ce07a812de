import { beforeAll, describe, expect, it } from 'vitest';
import spsa from '../../attacks/spsa.ts';
import square from '../../attacks/square.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { margin } from '../../src/core/losses.ts';
import { states, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { minus, normOf } from '../core/reference.ts';
import { oracleNet, readOracle } from './oracle-net.ts';

const PIXELS = 28 * 28;

interface Case extends Pick<Trial, 'norm' | 'epsilon'> {
  readonly images: number;
  readonly steps: number;
}

const squares = { images: 6, steps: 200 } as const;
const spsas = { images: 4, steps: 30 } as const;

/** What the other implementations, in float64 and under the same draws, were asked to do. */
const CASES: Readonly<Record<string, Case>> = {
  square_linf: { norm: 'Linf', epsilon: 0.1, ...squares },
  square_l2: { norm: 'L2', epsilon: 1.5, ...squares },
  square_l1: { norm: 'L1', epsilon: 10, ...squares },
  square_linf_targeted: { norm: 'Linf', epsilon: 0.1, ...squares },
  spsa_linf: { norm: 'Linf', epsilon: 0.1, ...spsas },
  spsa_linf_targeted: { norm: 'Linf', epsilon: 0.1, ...spsas },
};

describe('attacks that see logits, beside float64 implementations that are given the same draws', () => {
  let net: Classifier;
  let peer: (name: string) => Float32Array;
  let theirs: (name: string) => Float32Array;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    net = await oracleNet();
    peer = await readOracle('peers.safetensors');
    const files = { square: await readOracle('square.safetensors'), spsa: await readOracle('spsa.safetensors') };
    theirs = (name) => files[name.startsWith('square') ? 'square' : 'spsa'](name);
  });

  const trialOf = (attack: Attack, name: string, { images, steps, ...ball }: Case): Trial => {
    const label = Int32Array.from(peer('y').slice(0, images));
    const target = name.endsWith('targeted') ? { target: label.map((y) => (y + 1) % 10) } : {};
    const clean = peer('x').slice(0, images * PIXELS);
    const params = attack === (square as Attack) ? { queries: 1000 } : {};
    return { attack, params, classifier: net, ...ball, label, clean, ...target, mostSteps: steps };
  };

  /** The losses that the adversary lowers, as `[state][image]`, and where it ends. */
  async function follow(trial: Trial, lossesOf: (state: Readonly<Record<string, ArrayLike<number>>>) => number[]) {
    const trail: number[][] = [];
    let x: ArrayLike<number> = [];
    for await (const state of states(compile, trial)) {
      trail.push(lossesOf(state));
      x = state.x as Float32Array;
    }
    return { trail, x };
  }

  const expectTheirs = (name: string, { steps }: Case, trail: readonly number[][], x: ArrayLike<number>): void => {
    expect(trail).toHaveLength(steps);
    trail.forEach((losses, step) => {
      losses.forEach((loss, image) => {
        expect(loss, `image ${image}, step ${step}`).toBeCloseTo(
          theirs(`${name}_loss`)[image * steps + step] as number,
          3,
        );
      });
    });
    const far = theirs(name).filter((value, i) => !(Math.abs(value - (x[i] as number)) < 1e-4));
    expect(far).toHaveLength(0);
  };

  const named = (attack: string) => Object.entries(CASES).filter(([name]) => name.startsWith(attack));

  it.each(named('square'))('%s: accepts the same queries', async (name, wanted) => {
    const { trail, x } = await follow(trialOf(square, name, wanted), ({ gain }) => Array.from(gain ?? [], (v) => -v));
    // The start has judged nothing yet.
    expectTheirs(name, wanted, trail.slice(1), x);
  });

  it.each(named('spsa'))('%s: takes the same steps', async (name, wanted) => {
    const trial = trialOf(spsa, name, wanted);
    const sign = trial.target === undefined ? -1 : 1;
    const lossesOf = ({ x }: Readonly<Record<string, ArrayLike<number>>>): number[] =>
      tf.tidy(() => {
        const logits = net.logits(tf.tensor4d(x as Float32Array, [wanted.images, 28, 28, 1]));
        const classes = tf.tensor1d(trial.target ?? trial.label, 'int32');
        return [...margin(logits, classes).mul(sign).dataSync()];
      });
    const { trail, x } = await follow(trial, lossesOf);
    expectTheirs(name, wanted, trail.slice(0, -1), x);
  });

  it.each(Object.entries(CASES))('%s: lowers the loss: agreement is not for lack of a search', (name, { steps }) => {
    const losses = theirs(`${name}_loss`);
    for (let start = 0; start < losses.length; start += steps) {
      expect(losses[start + steps - 1]).toBeLessThan((losses[start] as number) - 1);
    }
  });
});

describe('Square on images of three channels', () => {
  const SIDE = 16;
  const VALUES = SIDE * SIDE * 3;
  const weights = Array.from({ length: VALUES * 2 }, (_, i) => Math.sin(i * i));
  const classifier: Classifier = {
    name: 'linear',
    classes: 2,
    input: [SIDE, SIDE, 3],
    logits: (x) => x.reshape([x.shape[0], VALUES]).matMul(tf.tensor2d(weights, [VALUES, 2])) as tf.Tensor2D,
  };
  // Grey, so that no radius here meets the box.
  const clean = new Float32Array(VALUES).fill(0.5);
  const trial = { attack: square, classifier, clean, label: Int32Array.of(0), mostSteps: 60 };

  it('spends all of ε in every query: in L1 and L2 the length, in L∞ every pixel', async () => {
    for await (const { x } of states(compile, { ...trial, norm: 'L2', epsilon: 0.4 })) {
      expect(normOf('L2', minus(x as Float32Array, clean))).toBeCloseTo(0.4, 5);
    }
    for await (const { x } of states(compile, { ...trial, norm: 'L1', epsilon: 4 })) {
      expect(normOf('L1', minus(x as Float32Array, clean))).toBeCloseTo(4, 4);
    }
    for await (const { x } of states(compile, { ...trial, norm: 'Linf', epsilon: 0.1 })) {
      expect(new Set(minus(x as Float32Array, clean).map((v) => Math.abs(v).toFixed(5)))).toEqual(new Set(['0.10000']));
    }
  });

  it('never lets the margin go back', async () => {
    for (const norm of square.norms) {
      let before = Number.NEGATIVE_INFINITY;
      const gains = new Set<number>();
      for await (const { gain } of states(compile, { ...trial, norm, epsilon: 0.1 })) {
        const now = gain?.[0] as number;
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
        gains.add(now);
      }
      expect(gains.size).toBeGreaterThan(5);
    }
  });
});
