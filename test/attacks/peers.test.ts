import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import miFgsm from '../../attacks/mi-fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import momentum from '../../examples/momentum.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import { ball } from '../../src/core/ball.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { crossEntropy, dlr, targetedDlr } from '../../src/core/losses.ts';
import { lastIterate, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { type Descent, descend, float64Gradient, type Gradient } from './float64.ts';
import { oracleNet, readOracle } from './oracle-net.ts';

const PIXELS = 28 * 28;
const TOLERANCE = 1e-4;

/** What the peers were asked to do. */
const PEERS: Readonly<Record<string, Descent>> = {
  fgsm_linf: { norm: 'Linf', epsilon: 0.1, steps: 1, step: 0.1 },
  fgm_l2: { norm: 'L2', epsilon: 1.5, steps: 1, step: 1.5 },
  bim_linf: { norm: 'Linf', epsilon: 0.1, steps: 10, step: 0.02 },
  pgd_linf: { norm: 'Linf', epsilon: 0.1, steps: 20, step: 0.01 },
  pgd_l2: { norm: 'L2', epsilon: 1.5, steps: 20, step: 0.2 },
  mifgsm_linf: { norm: 'Linf', epsilon: 0.1, steps: 10, step: 0.01, decay: 1 },
  pgd_linf_targeted: { norm: 'Linf', epsilon: 0.1, steps: 20, step: 0.01 },
};

/** The same in our words. */
function ours({ norm, epsilon, steps, step, decay }: Descent): Pick<Trial, 'attack' | 'params' | 'norm' | 'epsilon'> {
  // It walks ε in all.
  if (decay !== undefined) return { attack: miFgsm as Attack, params: { steps, decay }, norm, epsilon };
  if (steps === 1) return { attack: fgsm, norm, epsilon };
  return { attack: pgd, params: { steps, step, random: false }, norm, epsilon };
}

/** How many values differ, as far as both go. */
const differing = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a)
    .slice(0, b.length)
    .filter((value, i) => !(Math.abs(value - (b[i] as number)) <= TOLERANCE)).length;

describe('other programs', () => {
  let net: Classifier;
  let gradient: Gradient;
  let peer: (name: string) => Float32Array;

  /** The first `images` of the peers' images, after our attack. */
  const attack = (prepare: Prepare, name: string, images: number, rest: Partial<Trial> = {}): Promise<Float32Array> =>
    lastIterate(prepare, {
      ...ours(PEERS[name] as Descent),
      classifier: net,
      clean: peer('x').slice(0, images * PIXELS),
      label: Int32Array.from(peer('y').slice(0, images)),
      ...(name.endsWith('targeted') ? { target: Int32Array.from(peer('target').slice(0, images)) } : {}),
      ...rest,
    });

  const judged = new Map<string, number[]>();

  /** The same in float64, for the first images alone where steps are many. */
  const referee = (name: string): number[] => {
    const known = judged.get(name);
    if (known !== undefined) return known;
    const towards = name.endsWith('targeted');
    const descent = PEERS[name] as Descent;
    const labels = peer(towards ? 'target' : 'y').slice(0, descent.steps === 1 ? 32 : 12);
    const images = Array.from(labels, (label, i) => {
      const clean = Float64Array.from(peer('x').subarray(i * PIXELS, (i + 1) * PIXELS));
      return [...descend(gradient, clean, label, towards, descent)];
    }).flat();
    judged.set(name, images);
    return images;
  };

  beforeAll(async () => {
    await tf.setBackend('cpu');
    net = await oracleNet();
    gradient = await float64Gradient();
    peer = await readOracle('peers.safetensors');
  });

  it('give the same logits for the network', () => {
    expect(differing(net.logits(tf.tensor4d(peer('x'), [32, 28, 28, 1])).dataSync(), peer('logits'))).toBe(0);
  });

  describe.each(Object.keys(PEERS))('%s', (name) => {
    it('compiled, agrees with float64, and with the peer where its float32 lasts', async () => {
      const images = await attack(compile, name, 32);
      // A gradient component near zero may take the other sign.
      const exact = referee(name);
      expect(differing(images, exact) / exact.length).toBeLessThan(0.001);

      // The peers compute p_y - 1, of which float32 keeps less than 3 digits once p_y is within 2e-5 of 1.
      const loss = crossEntropy(tf.tensor2d(peer('logits'), [32, 10]), tf.tensor1d(peer('y'), 'int32')).dataSync();
      const lasts = (_: number, i: number): boolean => (loss[Math.floor(i / PIXELS)] as number) > 2e-5;
      const theirs = peer(name);
      expect(theirs.filter(lasts).length).toBeGreaterThanOrEqual(31 * PIXELS);
      expect(differing(images.filter(lasts), theirs.filter(lasts)) / images.length).toBeLessThan(0.001);
      expect(differing(images, theirs) / images.length).toBeLessThan(0.01);
    });

    it('eager, agrees with float64', async () => {
      const images = await attack(eager, name, 4);
      expect(differing(images, referee(name)) / images.length).toBeLessThan(0.001);
    });

    it('moves the images: agreement is not for lack of an attack', () => {
      expect(differing(peer('x'), peer(name)) / peer('x').length).toBeGreaterThan(0.1);
    });
  });

  it('would find the README’s example to be MI-FGSM, bit for bit', async () => {
    const example = await attack(compile, 'mifgsm_linf', 4, { attack: momentum as Attack });
    expect(example).toEqual(await attack(compile, 'mifgsm_linf', 4));
  });

  it('give the same DLR, which AutoAttack too defines as larger for the adversary', () => {
    const logits = tf.tensor2d(peer('dlr_logits'), [16, 10]);
    const y = tf.tensor1d(peer('dlr_y'), 'int32');
    expect(differing(dlr(logits, y).dataSync(), peer('dlr'))).toBe(0);
    const target = tf.tensor1d(peer('dlr_targeted_y'), 'int32');
    expect(differing(targetedDlr(logits, y, target).dataSync(), peer('dlr_targeted'))).toBe(0);
  });

  it('project on the L1 ball and the box to the same points', () => {
    const tensor = (name: string) => tf.tensor4d(peer(name), [8, 6, 6, 1]);
    const moved = tensor('l1_x').add(tensor('l1_delta')) as tf.Tensor4D;
    const theirs = moved.add(tensor('l1_projected_delta_eps2')).dataSync();
    const { project } = ball('L1', {
      clean: tensor('l1_x'),
      epsilon: tf.fill([8, 1, 1, 1], 2),
      noise: () => tf.zeros([8, 1, 1, 1]),
    });
    expect(differing(project(moved).dataSync(), theirs)).toBe(0);
    expect(differing(moved.dataSync(), theirs)).toBeGreaterThan(50);
  });
});
