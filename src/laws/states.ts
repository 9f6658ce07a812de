/** An attack as the harness runs it, step by step, with nothing around it. */
import { takenHome } from '../compile/resident.ts';
import type { Prepare } from '../compile/types.ts';
import { type Attack, aimsItself } from '../core/attack.ts';
import type { Classifier } from '../core/classifier.ts';
import type { NoiseRequest } from '../core/draws.ts';
import { resolveParams } from '../core/params.ts';
import type { Threat } from '../core/threat-model.ts';
import { type Arrays, fittedItems, prepareAttack } from '../evaluate/pool/engine.ts';
import { NoiseBuffers } from '../evaluate/pool/noise.ts';
import { rehearse } from '../evaluate/rehearse/rehearse.ts';
import { fittedOnStage, repeatedRows } from './fitting.ts';

export interface Trial {
  readonly attack: Attack;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly classifier: Classifier;
  readonly norm: Threat;
  readonly epsilon: number;
  /** B images, H·W·C values each. */
  readonly clean: Float32Array;
  readonly label: Int32Array;
  /** What the attack was fitted with; by default, if it is, on the stage of the laws. */
  readonly fitted?: Arrays;
  readonly target?: Int32Array;
  /** Whether the target is the goal: so it is by default, but for an attack that aims itself, where any wrong class will do. */
  readonly targeted?: boolean;
  /** Stops after so many steps, however many there would be. */
  readonly mostSteps?: number;
}

/** The state of every image before the first step and after each, under seed 0: the real engine, without early stop. */
export async function* states(prepare: Prepare, trial: Trial): AsyncGenerator<Arrays> {
  const { attack, classifier, norm, clean, label, target } = trial;
  const { targeted = target !== undefined && !aimsItself(attack) } = trial;
  const batch = label.length;
  const params = resolveParams(attack.name, attack.params, trial.params);
  const spec = { attack, params, classifier, norm, targeted };
  const rehearsal = await rehearse(spec);
  const engine = await prepareAttack(prepare, { ...spec, batch, rehearsal });
  const fitted = trial.fitted ?? (await fittedOnStage(prepare, { ...spec, batch, rehearsal }, trial.epsilon));
  const itemsAt = (iteration: number) => ({
    ...fittedItems(repeatedRows(fitted, batch)),
    ...{ clean, label, target: target ?? label },
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
      const stepped = await engine.step(state, itemsAt(step), drawsOf(rehearsal.step.noise, step + 1));
      state = await takenHome(stepped.state);
      yield state;
    }
  } finally {
    await engine.release();
  }
}

/** The last `x` of every image. */
export async function lastIterate(prepare: Prepare, trial: Trial): Promise<Float32Array> {
  let last = trial.clean;
  for await (const { x } of states(prepare, trial)) last = x as Float32Array;
  return last;
}
