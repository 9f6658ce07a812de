/** Universal perturbations beside a program that shares no code with them: see test/oracles/attacks/README.md. */
import { beforeAll, describe, expect, it } from 'vitest';
import uap from '../../attacks/uap.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { resolveParams } from '../../src/core/params.ts';
import { type Norm, UNTARGETED } from '../../src/core/threat-model.ts';
import { runFit } from '../../src/evaluate/fit/fit.ts';
import { prepareFit } from '../../src/evaluate/fit/fit-engine.ts';
import type { SelectedImage } from '../../src/evaluate/images.ts';
import { rehearse } from '../../src/evaluate/rehearse/rehearse.ts';
import { lastIterate } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { normOf } from '../core/reference.ts';
import { oracleNet, readOracle } from './oracle-net.ts';

const PIXELS = 28 * 28;

describe('a universal perturbation', () => {
  let net: Classifier;
  let images: SelectedImage[];
  let golden: (name: string) => Float32Array;

  const learn = async (norm: Norm, epsilon: number, given: Readonly<Record<string, unknown>>) => {
    const attack: Attack = uap as Attack;
    const spec = { attack, params: resolveParams('uap', uap.params, given), classifier: net, norm, targeted: false };
    const rehearsal = await rehearse(spec);
    if (rehearsal.fit === undefined) throw new Error('it is fitted');
    const engine = await prepareFit(compile, { ...spec, batch: 1, rehearsal });
    try {
      return await runFit({
        ...{ engine, rehearsal: rehearsal.fit, goal: UNTARGETED, seed: 0, epsilon },
        images: {
          size: images.length,
          stream: async function* () {
            yield* images;
          },
        },
        tryOut: async () => ({ fooled: 0, gradients: 0, forwards: 0 }),
      });
    } finally {
      await engine.release();
    }
  };

  /** How many of the images are misclassified once it is added, as the attack adds it. */
  const fooledBy = async (norm: Norm, epsilon: number, perturbation: Float32Array): Promise<number> => {
    const nothing = { way: new Float32Array(PIXELS), isFinished: new Uint8Array(1) };
    const x = await lastIterate(compile, {
      ...{ attack: uap as Attack, classifier: net, norm, epsilon, fitted: { perturbation, ...nothing } },
      clean: Float32Array.from(images.flatMap(({ pixels }) => [...pixels])),
      label: Int32Array.from(images, ({ label }) => label),
    });
    const predicted = tf.tidy(() =>
      net
        .logits(tf.tensor4d(x, [images.length, 28, 28, 1]))
        .argMax(1)
        .dataSync(),
    );
    return images.filter(({ label }, i) => predicted[i] !== label).length;
  };

  beforeAll(async () => {
    await tf.setBackend('cpu');
    net = await oracleNet();
    const peer = await readOracle('peers.safetensors');
    golden = await readOracle('uap.safetensors');
    const labels = peer('y');
    images = Array.from(labels, (label, index) => ({
      ...{ index, id: String(index), hash: index, label },
      pixels: peer('x').slice(index * PIXELS, (index + 1) * PIXELS),
    }));
  });

  it.each([
    ['Linf', 0.1, 'uap_linf'],
    ['L2', 2, 'uap_l2'],
  ] as const)('in %s is that of algorithm 1 after one pass', async (norm, epsilon, name) => {
    const { fitted } = await learn(norm, epsilon, { method: 'deepfool', passes: 1 });
    const [ours, theirs] = [fitted.perturbation as Float32Array, golden(name)];
    const apart = ours.map((value, i) => Math.abs(value - (theirs[i] as number)));
    expect(Math.max(...apart)).toBeLessThan(1e-3);
    expect(normOf(norm, ours)).toBeCloseTo(epsilon, 5);
  });

  it('fools more of its images by gradient ascent than by algorithm 1, with as many passes', async () => {
    const [norm, epsilon] = ['Linf', 0.2] as const;
    const fooled = async (given: Readonly<Record<string, unknown>>): Promise<number> => {
      const { fitted } = await learn(norm, epsilon, { passes: 5, ...given });
      return fooledBy(norm, epsilon, fitted.perturbation as Float32Array);
    };
    const [gradient, deepfool] = [await fooled({ batch: 8 }), await fooled({ method: 'deepfool' })];
    expect(deepfool).toBeGreaterThan(5);
    expect(gradient).toBeGreaterThan(deepfool);
  });

  it('is the same however often it is fitted', async () => {
    const once = await learn('L2', 1, { passes: 1, batch: 5 });
    expect(await learn('L2', 1, { passes: 1, batch: 5 })).toEqual(once);
    // 32 images in batches of 5: the last one is filled up.
    expect(once.gradients).toBe(35);
  });
});
