import { beforeAll, describe, expect, it } from 'vitest';
import { type Attempt, prepareSmoothedAttack } from '../../src/certify/attack.ts';
import { poll } from '../../src/certify/poll.ts';
import { certifiedRadius, leader, prediction } from '../../src/certify/smoothing.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import { stringHash } from '../../src/core/rng.ts';
import { type Judge, prepareJudge } from '../../src/evaluate/pool/engine.ts';
import { distance } from '../../src/evaluate/pool/verify.ts';
import { tf } from '../../src/tf.ts';
import { smallClassifier, smallDataset } from '../evaluate/fixtures.ts';

const SIGMA = 0.15;
const IMAGES = 16;
const classifier = smallClassifier();
let judge: Judge;
let certified: readonly Attempt[];

const ask = (
  pixels: Float32Array,
  image: number,
  purpose: 'selection' | 'estimation' | 'prediction',
  samples: number,
) => poll(judge, { pixels, image, seed: 5, purpose, sigma: SIGMA, samples, accept: (logits) => logits });

beforeAll(async () => {
  await tf.setBackend('cpu');
  judge = await prepareJudge(compile, classifier, 256);
  const found: Attempt[] = [];
  for await (const { image: pixels, id } of smallDataset(IMAGES).stream()) {
    const label = leader(await ask(pixels, stringHash(id), 'selection', 100));
    const votes = await ask(pixels, stringHash(id), 'estimation', 2000);
    const radius = certifiedRadius(votes[label] as number, 2000, { sigma: SIGMA, alpha: 0.001 });
    if (radius !== null) found.push({ pixels, label, radius, number: found.length });
  }
  certified = found;
});

/** Which attempts PREDICT, with noise that nobody has seen, surely takes for another class. */
async function broken(times: number): Promise<number> {
  const spec = { classifier, sigma: SIGMA, draws: 8, steps: 12, batch: 8, seed: 1, prepare: compile };
  const attack = await prepareSmoothedAttack(spec);
  let count = 0;
  for (let start = 0; start < certified.length; start += spec.batch) {
    const attempts = certified
      .slice(start, start + spec.batch)
      .map((attempt) => ({ ...attempt, radius: attempt.radius * times * (1 - 1e-5) }));
    for (const [i, x] of (await attack.run(attempts)).entries()) {
      const attempt = attempts[i] as Attempt;
      expect(distance('L2', x, attempt.pixels)).toBeLessThan((certified[start + i] as Attempt).radius * times);
      const found = prediction(await ask(x, 1_000_000 + attempt.number, 'prediction', 1000), 1e-6);
      if (found !== null && found !== attempt.label) count += 1;
    }
  }
  await attack.release();
  return count;
}

describe('certificates under attack', () => {
  it('are there to be tried', () => expect(certified.length).toBeGreaterThan(6));

  it('hold: no image is broken inside its radius', async () => expect(await broken(1)).toBe(0));

  it('are tried by an attack that breaks most images a few radii away', async () =>
    expect(await broken(4)).toBeGreaterThan(certified.length / 2));
});

describe('the attack on a smoothed classifier', () => {
  const spec = { classifier, sigma: SIGMA, draws: 3, steps: 4, batch: 4, seed: 1 };

  it('compiles to what it computes as it stands, every attempt on its own', async () => {
    const [compiled, plain] = [
      await prepareSmoothedAttack({ ...spec, prepare: compile }),
      await prepareSmoothedAttack({ ...spec, prepare: eager, batch: 1 }),
    ];
    const together = await compiled.run(certified.slice(0, 4));
    for (const [i, attempt] of certified.slice(0, 4).entries()) {
      const [alone] = await plain.run([attempt]);
      expect(distance('Linf', together[i] as Float32Array, alone as Float32Array)).toBeLessThan(1e-4);
    }
    await compiled.release();
    await plain.release();
  });

  it('refuses more attempts than fit', async () => {
    const attack = await prepareSmoothedAttack({ ...spec, prepare: eager, batch: 1 });
    await expect(attack.run(certified.slice(0, 2))).rejects.toThrow(/2 attempts do not fit/);
  });
});
