/**
 * A rehearsal: an attack's `init` and `step` run once, on the `cpu` backend, on a few blank images and a stand-in for the
 * classifier. It shows what the compiled functions must be given, carry and count, and finds attacks that break the
 * contract before anything is compiled.
 */
import type { Attack, AttackState, Fitted } from '../../core/attack.ts';
import { messageOf, UserError } from '../../core/errors.ts';
import { tf } from '../../tf.ts';
import { describe, type Fields, fieldOf, requireSame, type StateField } from './fields.ts';
import { type FitRehearsal, rehearseFit } from './rehearse-fit.ts';
import { type Demand, type RehearsalSpec, standIns } from './stand-ins.ts';

export interface Rehearsal {
  readonly steps: number;
  readonly minimumNorm: boolean;
  /** At how many classes of its own choice it is aimed in turn; undefined if at none, or the goal's. */
  readonly targets: number | undefined;
  /** What it is fitted with first, if it is. */
  readonly fit?: FitRehearsal | undefined;
  readonly state: Fields;
  readonly init: Demand;
  /** Of one step, the judging of the entering candidate included. */
  readonly step: Demand;
}

/** Steps that a try gets. A ball of radius 0 holds one point: one step is enough to see that the attack stays there. */
export const stepsAt = ({ steps }: Rehearsal, epsilon: number): number => (epsilon === 0 ? Math.min(steps, 1) : steps);

/** Whether tries differ at all. */
export const drawsNoise = ({ init, step }: Rehearsal): boolean => init.noise.length + step.noise.length > 0;

/**
 * Tries that an image gets at most, one per target and restart: without noise every restart would be the same, and in a
 * ball of one point every try.
 */
export const triesAt = (rehearsal: Rehearsal, epsilon: number, restarts: number): number =>
  epsilon === 0 ? 1 : (rehearsal.targets ?? 1) * (drawsNoise(rehearsal) ? restarts : 1);

/** Two sizes of a batch, so that a first axis of fixed length is recognised as not being the image. */
const BATCHES = [3, 2] as const;

/** @throws UserError naming the attack and what it does against the contract */
export async function rehearse(spec: RehearsalSpec): Promise<Rehearsal> {
  // Null until the program has chosen a backend.
  const backend: string | null = tf.getBackend() ?? null;
  await tf.setBackend('cpu');
  try {
    const [first, second] = BATCHES.map(
      (images) => tf.tidy(() => perform(spec, images) as unknown as tf.TensorContainer) as unknown as Rehearsal,
    ) as [Rehearsal, Rehearsal];
    requireSameState(spec.attack, first.state, second.state);
    return first;
  } finally {
    if (backend !== null) await tf.setBackend(backend);
  }
}

function perform(spec: RehearsalSpec, images: number): Rehearsal {
  const { attack, params } = spec;
  const steps = attack.steps(params);
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw new UserError(`attack ${attack.name}: steps(params) gives ${steps}; it must be a whole number, 0 or more`);
  }
  const { fit, fitted } = fitOf(spec);
  const kind = { steps, minimumNorm: attack.minimumNorm === true, targets: targetsOf(spec), fit };
  if (kind.minimumNorm && spec.norm === 'spatial') {
    throw new UserError(`attack ${attack.name}: spatial has no distance, so that none can be the smallest`);
  }
  const stage = standIns(spec, images, fitted);
  const entering = attempt(attack, 'init', () => attack.init(stage.clean, stage.context));
  const state = fieldsOf(attack, 'init', entering, images);
  requireImages(attack, 'init', state, spec.classifier.input);
  if (spec.norm === 'spatial') requirePoses(attack, state);
  const init = stage.demand();
  if (steps === 0) return { ...kind, state, init, step: { noise: [], gradients: 0, forwards: 0 } };

  stage.passing(entering.x);
  const leaving = attempt(attack, 'step', () => attack.step(entering, stage.context));
  requireSame(attack.name, ['init', 'step'], state, fieldsOf(attack, 'step', leaving, images));
  return { ...kind, state, init, step: stage.demand() };
}

/** @throws UserError unless the attack's number of targets is a whole number above 0 */
function targetsOf({ attack, params, classifier, targeted }: RehearsalSpec): number | undefined {
  if (targeted || attack.targets === undefined) return undefined;
  const targets = attack.targets(params);
  if (!Number.isSafeInteger(targets) || targets < 1) {
    throw new UserError(
      `attack ${attack.name}: targets(params) gives ${targets}; it must be a whole number, at least 1`,
    );
  }
  return Math.min(targets, classifier.classes - 1);
}

/** What the fit needs and gives; nothing where the attack has none. */
function fitOf(spec: RehearsalSpec): { readonly fit: FitRehearsal | undefined; readonly fitted: Fitted } {
  const { attack, params } = spec;
  if (attack.fit === undefined) return { fit: undefined, fitted: {} };
  if (attack.minimumNorm === true) {
    throw new UserError(`attack ${attack.name}: it is of minimum norm and has no radius that fit could be for`);
  }
  return rehearseFit(
    attack,
    attack.fit,
    params,
    (images) => standIns(spec, images, {}),
    (part, run) => attempt(attack, part, run),
  );
}

function attempt<T>(attack: Attack, part: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new UserError(`attack ${attack.name}: ${part} fails: ${messageOf(error).split('\n')[0]}`);
  }
}

/** What a state may say of every image. */
const FLAGS: readonly string[] = ['isCandidate', 'isFinished'] satisfies readonly (keyof AttackState)[];

function fieldsOf(attack: Attack, part: 'init' | 'step', state: AttackState, images: number): Fields {
  const complain = (what: string): UserError => new UserError(`attack ${attack.name}: ${part} returns a state ${what}`);
  if (!(state?.x instanceof tf.Tensor)) throw complain('without x, the candidate images');
  const fields = Object.entries(state).map(([name, tensor]): [string, StateField] => {
    if (!(tensor instanceof tf.Tensor)) throw complain(`whose ${name} is not a tensor`);
    if (tensor.shape[0] !== images) {
      throw complain(
        `whose ${name} has the shape [${tensor.shape.join(', ')}] for ${images} images; ` +
          'the first axis of every state tensor must be the image',
      );
    }
    if (FLAGS.includes(name) && (tensor.dtype !== 'bool' || tensor.rank !== 1)) {
      throw complain(`whose ${name} is ${tensor.dtype} [${tensor.shape.join(', ')}]; it must be bool [${images}]`);
    }
    return [name, fieldOf(name, tensor, complain)];
  });
  return Object.fromEntries(fields);
}

function requireImages(attack: Attack, part: 'init' | 'step', { x }: Fields, input: readonly number[]): void {
  const wanted: StateField = { shape: input, dtype: 'float32' };
  if (x !== undefined && describe(x) === describe(wanted)) return;
  const got = x === undefined ? 'nothing' : describe(x);
  throw new UserError(
    `attack ${attack.name}: ${part} returns an x of ${got} per image; images are ${describe(wanted)}`,
  );
}

/** @throws UserError if the state does not say in which pose x is */
function requirePoses({ name }: Attack, { pose }: Rehearsal['state']): void {
  if (pose !== undefined && describe(pose) === 'float32 [3]') return;
  const got = pose === undefined ? 'no pose' : `a pose of ${describe(pose)} per image`;
  throw new UserError(`attack ${name}: init returns ${got}; where the threat is spatial, it must be float32 [3]`);
}

/** @throws UserError if the state of an image depends on how many others there are */
function requireSameState(attack: Attack, one: Rehearsal['state'], other: Rehearsal['state']): void {
  for (const [name, field] of Object.entries(one)) {
    const again = other[name];
    if (again !== undefined && describe(again) === describe(field)) continue;
    const found = again === undefined ? 'none' : describe(again);
    throw new UserError(
      `attack ${attack.name}: its ${name} is ${describe(field)} per image among ${BATCHES[0]} images and ${found} among ` +
        `${BATCHES[1]}; every image must be on its own`,
    );
  }
}
