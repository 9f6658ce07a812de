import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import type { NoiseRequest } from '../../src/core/draws.ts';
import { resolveParams } from '../../src/core/params.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { type Arrays, prepareAttack } from '../../src/evaluate/engine.ts';
import { NoiseBuffers } from '../../src/evaluate/noise.ts';
import { rehearse } from '../../src/evaluate/rehearse.ts';

export interface Trial {
  readonly attack: Attack;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly classifier: Classifier;
  readonly norm: Norm;
  readonly epsilon: number;
  /** B images, H·W·C values each. */
  readonly clean: Float32Array;
  readonly label: Int32Array;
  /** Makes the attack targeted. */
  readonly target?: Int32Array;
  /** Stops after so many steps, however many there would be. */
  readonly mostSteps?: number;
}

/** The last iterate of every image. */
export const lastIterate = async (prepare: Prepare, trial: Trial): Promise<Float32Array> =>
  (await iterates(prepare, trial)).at(-1)?.x as Float32Array;

/** The state of every image before the first step and after each: the real engine, without early stop. */
export async function iterates(prepare: Prepare, trial: Trial): Promise<Arrays[]> {
  const { attack, classifier, norm, clean, label, target } = trial;
  const batch = label.length;
  const params = resolveParams(attack.name, attack.params, trial.params);
  const spec = { attack, params, classifier, norm, targeted: target !== undefined };
  const rehearsal = await rehearse(spec);
  const engine = await prepareAttack(prepare, { ...spec, batch, rehearsal });
  const itemsAt = (iteration: number) => ({
    clean,
    label,
    target: target ?? label,
    epsilon: new Float32Array(batch).fill(trial.epsilon),
    iteration: new Float32Array(batch).fill(iteration),
  });
  const drawsOf = (requests: readonly NoiseRequest[], step: number) => {
    const buffers = new NoiseBuffers(requests, batch);
    for (let image = 0; image < batch; image++) buffers.fill(image, { seed: 0, image, restart: 0, step });
    return buffers.arrays;
  };
  try {
    const states = [await engine.init(itemsAt(0), drawsOf(rehearsal.init.noise, 0))];
    for (let step = 0; step < Math.min(rehearsal.steps, trial.mostSteps ?? rehearsal.steps); step++) {
      const entering = states.at(-1) as Arrays;
      states.push((await engine.step(entering, itemsAt(step), drawsOf(rehearsal.step.noise, step + 1))).state);
    }
    return states;
  } finally {
    await engine.release();
  }
}
