/** An attack's `fit` as functions on plain arrays, for the attack's own batch. */
import type { Prepare } from '../../compile/types.ts';
import { noiseSpecs } from '../../core/draws.ts';
import {
  type Arrays,
  arraysOf,
  contextOf,
  type EngineSpec,
  fieldSpecs,
  type Items,
  itemSpecs,
  optionsOf,
  type Tensors,
} from '../pool/engine.ts';
import type { FitRehearsal } from '../rehearse/rehearse-fit.ts';

/** `fit` of an attack on one classifier, ready to run on its own batches. */
export interface FitEngine {
  init(items: Items, noise: Arrays): Promise<Arrays>;
  step(fitted: Arrays, items: Items, noise: Arrays): Promise<Arrays>;
  release(): Promise<void>;
}

/** Compiles both parts of an attack's fit. @throws Error if it has none */
export async function prepareFit(prepare: Prepare, spec: EngineSpec): Promise<FitEngine> {
  const { fit } = spec.attack;
  const { fit: rehearsal } = spec.rehearsal;
  if (fit === undefined || rehearsal === undefined) throw new Error(`${spec.attack.name} is not fitted`);
  const { batch, fitted: fields } = rehearsal;
  const items = itemSpecs(spec.classifier, batch);
  const init = await prepare(
    (given: Tensors, noise: Tensors): Tensors =>
      requireFitted(spec, rehearsal, 'fit.init', fit.init(contextOf(spec, ['fit.init', rehearsal.init], given, noise))),
    [items, noiseSpecs(rehearsal.init.noise, batch)],
    optionsOf(spec, 'fit.init'),
  );
  try {
    const step = await prepare(
      (fitted: Tensors, given: Tensors, noise: Tensors): Tensors =>
        requireFitted(
          spec,
          rehearsal,
          'fit.step',
          fit.step(fitted, contextOf(spec, ['fit.step', rehearsal.step], given, noise)),
        ),
      [fieldSpecs(fields, 1), items, noiseSpecs(rehearsal.step.noise, batch)],
      optionsOf(spec, 'fit.step'),
    );
    return {
      init: async (given, noise) => arraysOf(await init(given, noise)),
      step: async (fitted, given, noise) => arraysOf(await step(fitted, given, noise)),
      release: async () => {
        await init.release();
        await step.release();
      },
    };
  } catch (error) {
    await init.release();
    throw error;
  }
}

/** @throws Error if it is not what the rehearsal showed, on a batch of another size */
function requireFitted(
  { attack }: EngineSpec,
  { fitted: fields, batch }: FitRehearsal,
  part: string,
  fitted: Tensors,
): Tensors {
  const shapes = (of: Readonly<Record<string, { readonly shape: readonly number[] }>>, axes: readonly number[]) =>
    Object.entries(of)
      .map(([name, { shape }]) => `${name} [${[...axes, ...shape].join(', ')}]`)
      .sort()
      .join();
  if (shapes(fitted, []) === shapes(fields, [1])) return fitted;
  throw new Error(
    `attack ${attack.name}: ${part} returns other tensors for a batch of ${batch} than in rehearsal; ` +
      'what is fitted may not depend on the size of the batch',
  );
}
