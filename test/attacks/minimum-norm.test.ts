/** Attacks of minimum norm beside implementations that share no code with them: see test/oracles/attacks/README.md. */
import { beforeAll, describe, expect, it } from 'vitest';
import cw from '../../attacks/cw.ts';
import deepfool from '../../attacks/deepfool.ts';
import ead from '../../attacks/ead.ts';
import fab from '../../attacks/fab-t.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { diameterOf, type Threat } from '../../src/core/threat-model.ts';
import { lastIterate, type Trial } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';
import { minus, normOf } from '../core/reference.ts';
import { oracleNet, readOracle } from './oracle-net.ts';
import { nearest } from './run.ts';

const PIXELS = 28 * 28;
const CLASSES = 10;

/** |a/b - 1| of every pair. */
const apart = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, i) => Math.abs(value / (b[i] as number) - 1));

describe('the reference implementations', () => {
  let net: Classifier;
  let peer: (name: string) => Float32Array;
  let golden: (name: string) => Float32Array;

  const trial = (attack: Trial['attack'], norm: Threat, images: number): Trial => ({
    attack,
    classifier: net,
    norm,
    epsilon: diameterOf(norm, PIXELS),
    clean: peer('x').slice(0, images * PIXELS),
    label: Int32Array.from(peer('y').slice(0, images)),
  });

  beforeAll(async () => {
    await tf.setBackend('cpu');
    net = await oracleNet();
    peer = await readOracle('peers.safetensors');
    golden = await readOracle('minimum-norm.safetensors');
  });

  it.each(deepfool.norms)('of DeepFool in %s end at the same distances, and the same pixels', async (norm) => {
    const name = `deepfool_${norm.toLowerCase()}`;
    const theirs = [...golden(`${name}_distance`)];
    const ours = await nearest(compile, trial(deepfool, norm, theirs.length));
    expect(Math.max(...apart(ours, theirs))).toBeLessThan(1e-4);
    const pixels = golden(name);
    const images = await lastIterate(compile, trial(deepfool, norm, pixels.length / PIXELS));
    expect(normOf('Linf', minus(images, pixels))).toBeLessThan(1e-5);
  });

  it.each(fab.norms)('of FAB-T in %s find adversarial images as near', async (norm) => {
    const theirs = golden(`fab_t_${norm.toLowerCase()}`);
    const images = theirs.length / (CLASSES - 1);
    const one = trial(fab, norm, images);
    // Every image is aimed at every wrong class, the likeliest first.
    const logits = peer('logits');
    const targets = Array.from(one.label, (label, i) =>
      Array.from({ length: CLASSES }, (_, k) => k)
        .filter((k) => k !== label)
        .sort((a, b) => (logits[i * CLASSES + b] as number) - (logits[i * CLASSES + a] as number)),
    );
    const ours = await nearest(compile, {
      ...one,
      clean: Float32Array.from(
        targets.flatMap((t, i) => t.flatMap(() => [...one.clean.subarray(i * PIXELS, (i + 1) * PIXELS)])),
      ),
      label: Int32Array.from(targets.flatMap((t, i) => t.map(() => one.label[i] as number))),
      target: Int32Array.from(targets.flat()),
    });
    expect(Math.max(...apart(ours, [...theirs]))).toBeLessThan(1e-4);
  });

  it('of Carlini and Wagner find adversarial images as near', async () => {
    const theirs = [...golden('cw')];
    const ours = await nearest(compile, { ...trial(cw, 'L2', theirs.length), params: { runs: 4, steps: 500, c: 0.1 } });
    expect(Math.max(...apart(ours, theirs))).toBeLessThan(0.01);
  });

  it.each([
    ['ead', 0.001],
    ['ead_sparse', 0.01],
  ])('of EAD find adversarial images as near: %s', async (name, beta) => {
    const theirs = [...golden(name)];
    const ours = await nearest(compile, { ...trial(ead, 'L1', theirs.length), params: { steps: 200, beta } });
    expect(Math.max(...apart(ours, theirs))).toBeLessThan(1e-4);
  });
});
