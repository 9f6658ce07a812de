/**
 * The published GoogLeNet (Caffe model zoo) and real pandas. Runs where $GIBBON_HOME names a folder with
 * googlenet-bvlc.safetensors, googlenet-golden.json (what PyTorch computes with those weights), photos/, and crops/ (what Pillow makes of some).
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Executable, TensorSpec } from '../../src/compile/types.ts';
import { defineAttack } from '../../src/core/attack.ts';
import { IMAGENET_CLASSES } from '../../src/data/imagenet-classes.ts';
import { openPhotos } from '../../src/data/registry.ts';
import { lastIterate } from '../../src/laws/states.ts';
import { type PretrainedNetwork, readPretrained } from '../../src/models/pretrained.ts';
import { tf } from '../../src/tf.ts';
import { haveReal, pixelsOf, realFile } from './files.ts';

const WEIGHTS = 'googlenet-bvlc.safetensors';
const GOLDEN = 'googlenet-golden.json';
const PANDA = 388;
const GIBBON = 368;

interface Golden {
  readonly class: number;
  readonly top5: readonly (readonly [label: number, probability: number])[];
  readonly crop?: string;
  readonly targeted_pgd20_gibbon?: Readonly<Record<string, { readonly p368: number }>>;
}

/** FGSM as most write it: the cross-entropy's gradient through p - 1, which float32 rounds to nothing when p is near 1. */
const naiveFgsm = defineAttack({
  ...fgsm,
  step: ({ x }, { ball, epsilon, gradient, label }) => {
    const crossEntropy = (logits: tf.Tensor2D): tf.Tensor1D =>
      tf.oneHot(label, 1000).mul(tf.logSoftmax(logits)).sum(1).neg() as tf.Tensor1D;
    return { x: ball.project(x.add(ball.steepest(gradient(x, crossEntropy)).mul(epsilon))) };
  },
});

describe.skipIf(!haveReal(WEIGHTS, GOLDEN, 'crops', 'photos'))('the published GoogLeNet', () => {
  let network: PretrainedNetwork;
  let probabilities: Executable<readonly [TensorSpec], tf.Tensor>;
  const golden = (): readonly (readonly [string, Golden & { crop: string }])[] =>
    Object.entries(JSON.parse(readFileSync(realFile(GOLDEN), 'utf8')) as Record<string, Golden>).flatMap(
      ([name, entry]) => (entry.crop === undefined ? [] : [[name, { ...entry, crop: entry.crop }] as const]),
    );
  const pandas = () => golden().filter(([, { targeted_pgd20_gibbon: attacked }]) => attacked !== undefined);
  const cropOf = (crop: string): Promise<Float32Array> => pixelsOf(realFile('crops', crop));
  const judge = async (x: Float32Array): Promise<Float32Array> => (await probabilities(x)).data as Float32Array;
  const attacked = async (attack: typeof fgsm | typeof pgd, crop: string, epsilon: number, options = {}) => {
    const clean = await cropOf(crop);
    const trial = { clean, label: Int32Array.of(PANDA), norm: 'Linf', epsilon, ...options } as const;
    return judge(await lastIterate(compile, { attack, classifier: network.classifier, ...trial }));
  };
  const best = (p: Float32Array): number => p.indexOf(Math.max(...p));

  beforeAll(async () => {
    await tf.setBackend('cpu');
    network = await readPretrained('googlenet', realFile(WEIGHTS));
    probabilities = await compile(
      (x: tf.Tensor) => network.classifier.logits(x as tf.Tensor4D).softmax(),
      [{ shape: [1, 224, 224, 3] }],
    );
  }, 120_000);

  it('is the paper’s form of it', () => {
    expect(network.spec.variant).toBe('paper');
    expect(network.parameters).toBe(6_998_552);
  });

  it('sees in every crop what PyTorch sees: the same five classes, probabilities within 1e-3', async () => {
    expect(golden().length).toBeGreaterThan(10);
    for (const [name, { crop, top5 }] of golden()) {
      const p = await judge(await cropOf(crop));
      for (const [label, probability] of top5) {
        expect(Math.abs((p[label] as number) - probability), `${name}, class ${label}`).toBeLessThan(1e-3);
      }
      const ranking = [...p.keys()].sort((a, b) => (p[b] as number) - (p[a] as number)).slice(0, 5);
      expect(ranking).toEqual(top5.map(([label]) => label));
    }
  });

  it('sees in photographs that we decode and scale what PyTorch sees in Pillow’s: the same class in 67 of 69', async () => {
    const entries = JSON.parse(readFileSync(realFile(GOLDEN), 'utf8')) as Record<string, Golden>;
    const names = Object.keys(entries).sort();
    const dataset = await openPhotos(
      names.map((name) => realFile('photos', name)),
      { input: [224, 224, 3], resize: 256, classes: IMAGENET_CLASSES.map(({ name }) => name) },
    );
    let [seen, same] = [0, 0];
    for await (const { image } of dataset.stream()) {
      const golden = entries[names[seen] as string] as Golden;
      if (best(await judge(image)) === golden.top5[0]?.[0]) same += 1;
      seen += 1;
    }
    expect(dataset.skipped?.()).toEqual([]);
    expect(seen).toBe(69);
    expect(same).toBeGreaterThanOrEqual(67);
  });

  it('takes every panda for a gibbon after 20 steps, as surely as PyTorch’s', { timeout: 300_000 }, async () => {
    for (const [name, { crop, targeted_pgd20_gibbon: results }] of pandas()) {
      for (const [k, { p368 }] of Object.entries(results ?? {})) {
        const epsilon = Number.parseInt(k, 10) / 255;
        const params = { steps: 20, step: epsilon / 8, random: false };
        const p = await attacked(pgd, crop, epsilon, { params, target: Int32Array.of(GIBBON) });
        expect(Math.abs((p[GIBBON] as number) - p368), `${name} at ${k}`).toBeLessThan(0.02);
      }
    }
  });

  it('loses the surest panda to one step at 4/255, which the rounded gradient of the usual formula does not see', async () => {
    const crop = pandas().find(([name]) => name.includes('giant_panda'))?.[1].crop ?? '';
    const before = await judge(await cropOf(crop));
    expect(before[PANDA]).toBeGreaterThan(0.999_999);
    expect(best(await attacked(fgsm, crop, 4 / 255))).not.toBe(PANDA);
    expect(best(await attacked(naiveFgsm, crop, 4 / 255))).toBe(PANDA);
  });
});
