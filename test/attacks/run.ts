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

/** Every state, the start included: the real engine, without early stop. */
export async function* states(prepare: Prepare, trial: Trial): AsyncGenerator<Arrays> {
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
    let state = await engine.init(itemsAt(0), drawsOf(rehearsal.init.noise, 0));
    yield state;
    for (let step = 0; step < Math.min(rehearsal.steps, trial.mostSteps ?? rehearsal.steps); step++) {
      ({ state } = await engine.step(state, itemsAt(step), drawsOf(rehearsal.step.noise, step + 1)));
      yield state;
    }
  } finally {
    await engine.release();
  }
}

/** The last iterate of every image. */
export async function lastIterate(prepare: Prepare, trial: Trial): Promise<Float32Array> {
  let last: Float32Array | undefined;
  for await (const { x } of states(prepare, trial)) last = x as Float32Array;
  return last as Float32Array;
}
