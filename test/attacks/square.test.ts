import { beforeAll, describe, expect, it } from 'vitest';
import square from '../../attacks/square.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { tf } from '../../src/tf.ts';
import { oracleNet, readOracle } from './oracle-net.ts';
import { states, type Trial } from './run.ts';

const IMAGES = 6;
const PIXELS = 28 * 28;
const QUERIES = 200;

/** What the other implementation, in float64 and under the same draws, was asked to do. */
const CASES: Readonly<Record<string, Pick<Trial, 'norm' | 'epsilon'>>> = {
  square_linf: { norm: 'Linf', epsilon: 0.1 },
  square_l2: { norm: 'L2', epsilon: 1.5 },
  square_linf_targeted: { norm: 'Linf', epsilon: 0.1 },
};

describe('Square, beside a float64 implementation that is given the same draws', () => {
  let net: Classifier;
  let peer: (name: string) => Float32Array;
  let theirs: (name: string) => Float32Array;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    net = await oracleNet();
    peer = await readOracle('peers.safetensors');
    theirs = await readOracle('square.safetensors');
  });

  it.each(Object.entries(CASES))('%s: accepts the same queries', async (name, { norm, epsilon }) => {
    const targeted = name.endsWith('targeted');
    const label = Int32Array.from(peer('y').slice(0, IMAGES));
    const trial: Trial = {
      attack: square,
      params: { queries: 1000 },
      classifier: net,
      ...{ norm, epsilon, label },
      clean: peer('x').slice(0, IMAGES * PIXELS),
      ...(targeted ? { target: label.map((y) => (y + 1) % 10) } : {}),
      mostSteps: QUERIES,
    };
    const losses = theirs(`${name}_loss`);
    let query = -1;
    let x: Float32Array = new Float32Array();
    for await (const state of states(compile, trial)) {
      x = state.x as Float32Array;
      state.gain?.forEach((gain, image) => {
        if (query >= 0) expect(-gain, `query ${query}`).toBeCloseTo(losses[image * QUERIES + query] as number, 3);
      });
      query += 1;
    }
    expect(query).toBe(QUERIES);
    expect(x.filter((value, i) => !(Math.abs(value - (theirs(name)[i] as number)) < 1e-4))).toHaveLength(0);
  });

  it('changes the images as it goes: agreement is not for lack of a search', () => {
    for (const name of Object.keys(CASES)) {
      const losses = theirs(`${name}_loss`);
      for (let image = 0; image < IMAGES; image++) {
        const trail = losses.subarray(image * QUERIES, (image + 1) * QUERIES);
        expect(new Set(trail).size).toBeGreaterThan(20);
      }
    }
  });
});
