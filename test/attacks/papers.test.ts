import { beforeAll, describe, expect, it } from 'vitest';
import bim from '../../attacks/bim.ts';
import diFgsm from '../../attacks/di-fgsm.ts';
import miFgsm from '../../attacks/mi-fgsm.ts';
import niFgsm from '../../attacks/ni-fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import rFgsm from '../../attacks/r-fgsm.ts';
import tiFgsm from '../../attacks/ti-fgsm.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { lastIterate, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { oracleNet, readOracle } from './oracle-net.ts';

/** How many images the oracle attacked. */
const IMAGES = 8;
const PIXELS = 28 * 28;
const TOLERANCE = 1e-4;

type Asked = Pick<Trial, 'attack' | 'params' | 'norm' | 'epsilon'>;

const asked = (attack: unknown, norm: Norm, epsilon: number, params: Trial['params'] = {}): Asked => ({
  ...{ attack: attack as Attack, norm, epsilon, params },
});

/** What test/oracles/attacks/README.md says of each name, in our words. */
const ORACLE: Readonly<Record<string, Asked>> = {
  r_fgsm_linf: asked(rFgsm, 'Linf', 0.1),
  r_fgsm_l2: asked(rFgsm, 'L2', 1.5),
  bim_linf: asked(bim, 'Linf', 0.1),
  mi_fgsm_l2: asked(miFgsm, 'L2', 1.5),
  ni_fgsm_sum: asked(niFgsm, 'Linf', 0.1, { lookahead: 'sum' }),
  ni_fgsm_mean: asked(niFgsm, 'Linf', 0.1),
  di_fgsm_linf: asked(diFgsm, 'Linf', 0.1),
  di_fgsm_l2: asked(diFgsm, 'L2', 1.5),
  ti_fgsm_linf: asked(tiFgsm, 'Linf', 0.1),
  pgd_l1: asked(pgd, 'L1', 12, { random: false }),
};
const NAMES = Object.keys(ORACLE);

/** The share of values that differ, as far as the first goes. */
const differing = (a: Float32Array, b: Float32Array): number =>
  a.filter((value, i) => !(Math.abs(value - (b[i] as number)) <= TOLERANCE)).length / a.length;

/** A gradient component near zero may take the other sign, and lead to others. */
const CHANCE = 0.001;

describe('what the papers say, in PyTorch and float64', () => {
  let oracle: (name: string) => Float32Array;
  /** The first images, after our attack of that name. */
  let attacked: (prepare: typeof compile, name: string, images: number) => Promise<Float32Array>;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    const classifier = await oracleNet();
    oracle = await readOracle('papers.safetensors');
    const peer = await readOracle('peers.safetensors');
    attacked = (prepare, name, images) => {
      const clean = peer('x').slice(0, images * PIXELS);
      const label = Int32Array.from(peer('y').slice(0, images));
      return lastIterate(prepare, { ...(ORACLE[name] as Asked), classifier, clean, label });
    };
  });

  it.each(NAMES)('is what %s computes, compiled', async (name) => {
    expect(differing(await attacked(compile, name, IMAGES), oracle(name))).toBeLessThan(CHANCE);
  });

  it.each(NAMES)('is what %s computes, eager', async (name) => {
    expect(differing(await attacked(eager, name, 1), oracle(name))).toBeLessThan(CHANCE);
  });

  it('tells the attacks apart: agreement is not for lack of a difference', () => {
    const pairs = NAMES.flatMap((name, i) => NAMES.slice(i + 1).map((other) => [name, other] as const));
    for (const [name, other] of pairs) expect(differing(oracle(name), oracle(other))).toBeGreaterThan(0.2);
  });
});
