/** An attack and a classifier as functions on plain arrays, for a fixed batch: `init`, `step` and `judge`. */
import type { Whereabouts } from '../../compile/resident.ts';
import type { Executable, HostArray, HostTensor, Prepare, TensorSpec } from '../../compile/types.ts';
import { type AttackContext, type AttackState, aimsItself, type Fitted } from '../../core/attack.ts';
import { attackContext } from '../../core/attack-context.ts';
import type { Classifier } from '../../core/classifier.ts';
import { elements, noiseFrom, noiseSpecs } from '../../core/draws.ts';
import { margin } from '../../core/losses.ts';
import type { Threat } from '../../core/threat-model.ts';
import type { tf } from '../../tf.ts';
import type { PlannedStage } from '../plan.ts';
import type { Fields } from '../rehearse/fields.ts';
import type { Rehearsal } from '../rehearse/rehearse.ts';
import type { Demand } from '../rehearse/stand-ins.ts';

export type Arrays = Readonly<Record<string, HostArray>>;

/** Prefix of what was fitted among the inputs. */
const FITTED = 'fitted.';

/** What was fitted, as inputs are called. */
export type FittedItems = { readonly [name: `${typeof FITTED}${string}`]: HostArray };

export const fittedItems = (fitted: Arrays): FittedItems =>
  Object.fromEntries(Object.entries(fitted).map(([name, array]) => [FITTED + name, array]));

/** What is known of the item in every slot, as arrays over the batch. */
export type Items = FittedItems & {
  /** B·H·W·C values in [0,1]. */
  readonly clean: Float32Array;
  readonly label: Int32Array;
  /** The class aimed at; the label where untargeted. */
  readonly target: Int32Array;
  /** Radii in pixel units. */
  readonly epsilon: Float32Array;
  /** The number of the step about to be taken. */
  readonly iteration: Float32Array;
};

export interface Stepped {
  /** All but what `LOOKED_AT` names may have stayed on the device. */
  readonly state: Whereabouts;
  /** The class predicted for the *entering* candidates, [B]. */
  readonly predicted: Int32Array;
  /** Their margin towards the goal, [B]. */
  readonly margin: Float32Array;
}

/** An attack on one classifier, ready to run. */
export interface AttackEngine {
  readonly batch: number;
  init(items: Items, noise: Arrays): Promise<Arrays>;
  step(state: Whereabouts, items: Items, noise: Arrays): Promise<Stepped>;
  release(): Promise<void>;
}

/** Logits [B · classes] of B images, forward only. */
export interface Judge {
  readonly batch: number;
  readonly classes: number;
  logits(images: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** The forward pass alone: clean accuracy, verification, and confidences come from it. */
export async function prepareJudge(prepare: Prepare, classifier: Classifier, batch: number): Promise<Judge> {
  const forward = await prepare(
    (x: tf.Tensor) => classifier.logits(x as tf.Tensor4D),
    [{ shape: [batch, ...classifier.input] }] as const,
    { weights: 'frozen', name: `${classifier.name} forward` },
  );
  return {
    batch,
    classes: classifier.classes,
    logits: async (images) => (await forward(images)).data as Float32Array,
    release: () => forward.release(),
  };
}

export interface EngineSpec extends PlannedStage {
  readonly classifier: Classifier;
  readonly norm: Threat;
  readonly targeted: boolean;
  readonly batch: number;
  readonly rehearsal: Rehearsal;
}

export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** What the runner looks at after every step, so that it always comes home. */
const LOOKED_AT = ['isFinished', 'isCandidate'];

/** Prefix of the state's tensors among the outputs of a step, so that an attack may call its own ones as it likes. */
const STATE = 'state.';

/** Compiles `init` and, if the attack takes any step, `step`. */
export async function prepareAttack(prepare: Prepare, spec: EngineSpec): Promise<AttackEngine> {
  const init = await prepareInit(prepare, spec);
  try {
    return makeEngine(spec.batch, init, spec.rehearsal.steps === 0 ? undefined : await prepareStep(prepare, spec));
  } catch (error) {
    await init.release();
    throw error;
  }
}

function prepareInit(prepare: Prepare, spec: EngineSpec) {
  const { attack, classifier, batch, rehearsal } = spec;
  return prepare(
    (items: Tensors, noise: Tensors): Tensors => {
      const context = contextOf(spec, ['init', rehearsal.init], items, noise);
      return requireState(spec, 'init', attack.init(context.clean, context));
    },
    [itemSpecs(classifier, batch, rehearsal.fit?.fitted), noiseSpecs(rehearsal.init.noise, batch)],
    optionsOf(spec, 'init'),
  );
}

function prepareStep(prepare: Prepare, spec: EngineSpec) {
  const { attack, classifier, batch, rehearsal } = spec;
  return prepare(
    (state: Tensors, items: Tensors, noise: Tensors): Tensors => {
      const context = contextOf(spec, ['step', rehearsal.step], items, noise);
      const entering = state as AttackState;
      const next = requireState(spec, 'step', attack.step(entering, context));
      // The gradient's forward pass at the same point: the compiler shares it.
      const logits = classifier.logits(entering.x);
      return {
        ...Object.fromEntries(Object.entries(next).map(([name, tensor]) => [STATE + name, tensor])),
        predicted: logits.argMax(1),
        margin: spec.targeted ? margin(logits, context.target).neg() : margin(logits, context.label),
      };
    },
    [
      fieldSpecs(rehearsal.state, batch),
      itemSpecs(classifier, batch, rehearsal.fit?.fitted),
      noiseSpecs(rehearsal.step.noise, batch),
    ],
    { ...optionsOf(spec, 'step'), mayStay },
  );
}

const mayStay = (output: string): boolean =>
  output.startsWith(STATE) && !LOOKED_AT.includes(output.slice(STATE.length));

export const optionsOf = ({ attack, classifier }: EngineSpec, part: string) => ({
  weights: 'frozen' as const,
  name: `${attack.name} ${part} on ${classifier.name}`,
});

/**
 * The context of a part of the attack.
 *
 * @param part - its name, and what the rehearsal saw it ask for
 */
export function contextOf(
  { attack, params, classifier, norm, targeted }: EngineSpec,
  [part, demand]: readonly [string, Demand],
  items: Tensors,
  noise: Tensors,
): AttackContext {
  return attackContext({
    access: attack.access,
    ...(items as unknown as ItemTensors),
    fitted: fittedAmong(items),
    logits: (x) => classifier.logits(x),
    ...{ norm, params, targeted, aimsItself: aimsItself(attack) },
    noise: noiseFrom(`attack ${attack.name}: ${part}`, demand.noise, noise),
  });
}

const fittedAmong = (items: Tensors): Fitted =>
  Object.fromEntries(
    Object.entries(items).flatMap(([name, tensor]) =>
      name.startsWith(FITTED) ? [[name.slice(FITTED.length), tensor]] : [],
    ),
  );

type ItemTensors = Pick<AttackContext, 'clean' | 'label' | 'target' | 'epsilon' | 'iteration'>;
export type Specs = Record<string, TensorSpec>;

function makeEngine(
  batch: number,
  init: Executable<readonly [Specs, Specs], Tensors>,
  step: Executable<readonly [Specs, Specs, Specs], Tensors> | undefined,
): AttackEngine {
  return {
    batch,
    init: async (items, noise) => arraysOf(await init(items, noise)),
    step: async (state, items, noise) => {
      if (step === undefined) throw new Error('this attack takes no step');
      const { predicted, margin, ...next } = await step.staying(state, items, noise);
      return {
        state: Object.fromEntries(Object.entries(next).map(([name, { data }]) => [name.slice(STATE.length), data])),
        predicted: predicted?.data as Int32Array,
        margin: margin?.data as Float32Array,
      };
    },
    release: async () => {
      await init.release();
      await step?.release();
    },
  };
}

export const arraysOf = (tensors: Readonly<Record<string, HostTensor>>): Arrays =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));

/** @param fitted - what of the fit they hold, a row for each item */
export function itemSpecs({ input }: Classifier, batch: number, fitted: Fields = {}): Specs {
  return {
    ...Object.fromEntries(Object.entries(fieldSpecs(fitted, batch)).map(([name, spec]) => [FITTED + name, spec])),
    clean: { shape: [batch, ...input] },
    label: { shape: [batch], dtype: 'int32' },
    target: { shape: [batch], dtype: 'int32' },
    epsilon: { shape: [batch, 1, 1, 1] },
    iteration: { shape: [batch, 1, 1, 1] },
  };
}

export const fieldSpecs = (fields: Fields, batch: number): Specs =>
  Object.fromEntries(
    Object.entries(fields).map(([name, { shape, dtype }]) => [name, { shape: [batch, ...shape], dtype }]),
  );

/** @throws Error if the state is not what the rehearsal showed, for this batch */
function requireState({ attack, rehearsal, batch }: EngineSpec, part: string, state: AttackState): Tensors {
  const names = Object.keys(rehearsal.state);
  const complain = (what: string): Error =>
    new Error(
      `attack ${attack.name}: ${part} ${what} in a batch of ${batch} than in rehearsal; use shapes of its arguments`,
    );
  if (Object.keys(state).sort().join() !== names.toSorted().join()) throw complain('returns other tensors');
  for (const name of names) {
    const [field, tensor] = [rehearsal.state[name], state[name]];
    const expected = [batch, ...(field?.shape ?? [])].join();
    if (tensor?.shape.join() !== expected || tensor.dtype !== field?.dtype) throw complain(`returns another ${name}`);
  }
  return state;
}

/** Room for tensors of `batch` items. */
export function buffersFor(fields: Fields, batch: number): Record<string, HostArray> {
  const make = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape, dtype }]) => [name, new make[dtype](batch * elements(shape))]),
  );
}
