import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import { type Attack, type Ensemble, isEnsemble } from '../../src/core/attack.ts';
import { CLASSES, IDS, imageOf, imagesOf, PIXELS, paramsOf, RADII, smooth } from '../../src/laws/stage.ts';
import { lastIterate } from '../../src/laws/states.ts';
import { tf } from '../../src/tf.ts';

const ofProgram = readdirSync(join(PACKAGE_ROOT, 'attacks')).filter((file) => file.endsWith('.ts'));
const files = [...ofProgram.map((file) => join('attacks', file)), join('examples', 'momentum.ts')];
const found = await Promise.all(
  files.map(async (file) => ((await import(join(PACKAGE_ROOT, file))) as { default: Attack | Ensemble }).default),
);
const attacks = found.filter((attack): attack is Attack => !isEnsemble(attack));
const cases = attacks.flatMap((attack) =>
  attack.norms.flatMap((norm) => [false, true].map((targeted) => ({ attack, norm, targeted }))),
);

/** Parameters with which all that an attack does is seen in a few steps. */
const BRISK: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cw: { steps: 4, c: 1 },
  ead: { steps: 4, c: 10 },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const STEPS = 8;

describe('compiled', () => {
  it.each(cases)('$attack.name in $norm, targeted: $targeted, is the eager one', async ({ attack, norm, targeted }) => {
    const clean = Float32Array.from(IDS.flatMap((id) => [...imageOf(id)]));
    // The classes that the classifier sees: an attack may leave alone what is misclassified already.
    const label = Int32Array.from(tf.tidy(() => smooth.logits(imagesOf(IDS)).argMax(1).dataSync()));
    const trial = {
      attack,
      classifier: smooth,
      params: BRISK[attack.name] ?? paramsOf(attack, STEPS),
      norm,
      epsilon: RADII[norm][0],
      clean,
      label,
      ...(targeted ? { target: label.map((index) => (index + 1) % CLASSES) } : {}),
      mostSteps: STEPS,
    };
    const [ours, theirs] = [await lastIterate(compile, trial), await lastIterate(eager, trial)];
    const differing = ours.filter((value, i) => !(Math.abs(value - (theirs[i] as number)) <= 1e-5)).length;
    // A gradient component near zero may take the other sign.
    expect(differing).toBeLessThanOrEqual(0.01 * IDS.length * PIXELS);
    expect(ours).not.toEqual(clean);
  });
});
