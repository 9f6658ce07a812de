/** How attacks that are fitted first are fitted on the stage: to a few images of their own, at each radius. */
import type { HostArray, Prepare } from '../compile/types.ts';
import type { Attack, Fit, FitContext, Fitted } from '../core/attack.ts';
import type { Classifier } from '../core/classifier.ts';
import { runFit } from '../evaluate/fit/fit.ts';
import { prepareFit } from '../evaluate/fit/fit-engine.ts';
import type { SelectedImage } from '../evaluate/images.ts';
import type { Arrays, EngineSpec } from '../evaluate/pool/engine.ts';
import { tf } from '../tf.ts';
import { contextOf, FIT_IDS, imageOf, imagesOf, type Performance, paramsOf, repeated } from './stage.ts';

/** Enough to see what a fit does. */
const MOST_PASSES = 3;

/** The class that is aimed at, if any: attacks are fitted on none of its images. */
const TARGET = 1;

type Sizes = { readonly [K in 'batch' | 'passes' | 'steps']: number };

/**
 * What attacks on a classifier are fitted on, by number. On the linear one all of these are of one class, so that what raises
 * the loss of one raises that of all.
 */
export function fitIds(classifier: Classifier): readonly number[] {
  const labels = tf.tidy(() => [...classifier.logits(imagesOf(FIT_IDS)).argMax(1).dataSync()]);
  const others = FIT_IDS.filter((_, i) => labels[i] !== TARGET);
  return others.length > 0 ? others : FIT_IDS;
}

function sizesOf({ attack }: Performance, fit: Fit): Sizes {
  const params = paramsOf(attack);
  return { batch: fit.batch(params), passes: Math.min(fit.passes(params), MOST_PASSES), steps: fit.steps(params) };
}

/** All batches of a pass; the last one is filled up. */
function batchesOf(ids: readonly number[], batch: number): number[][] {
  const size = Math.min(batch, ids.length);
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, place) =>
    Array.from({ length: size }, (_, i) => ids[(place * size + i) % ids.length] as number),
  );
}

/** Fits an attack, as a caller that owns what comes of it. */
export function performFit(performance: Performance, epsilon: number): Fitted {
  const { fit } = performance.attack;
  if (fit === undefined) return {};
  const { batch, passes, steps } = sizesOf(performance, fit);
  const batches = batchesOf(fitIds(performance.classifier), batch);
  const contextAt = (ids: readonly number[], iteration: number): FitContext =>
    contextOf({ ...performance, ids, epsilons: repeated(epsilon, ids.length) }, repeated(iteration, ids.length), 'fit');
  let fitted = tf.tidy(() => ({ ...fit.init(contextAt(batches[0] as number[], 0)) }));
  for (const ids of repeated(0, passes).flatMap(() => batches)) {
    for (let step = 0; step < steps; step++) {
      const next = tf.tidy(() => ({ ...fit.step(fitted, contextAt(ids, step)) }));
      const kept = new Set(Object.values(next).map(({ id }) => id));
      tf.dispose(Object.values(fitted).filter(({ id }) => !kept.has(id)));
      fitted = next;
      if (fitted.isFinished?.dataSync()[0] === 1) break;
    }
  }
  return fitted;
}

interface Row {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

type Rows = Readonly<Record<string, Row>>;

const known = new WeakMap<Attack, Map<string, Rows>>();

/** What it comes to at a radius, fitted once for all laws. */
function rowsAt(performance: Performance, epsilon: number): Rows {
  const { attack, norm, classifier, targeted, seed } = performance;
  const ofAttack = known.get(attack) ?? new Map<string, Rows>();
  known.set(attack, ofAttack);
  const key = JSON.stringify([norm, classifier.name, targeted, seed, epsilon]);
  const rows = ofAttack.get(key) ?? rowsOf(performFit(performance, epsilon));
  ofAttack.set(key, rows);
  return rows;
}

function rowsOf(fitted: Fitted): Rows {
  const rows = Object.entries(fitted).map(([name, tensor]): [string, Row] => [
    name,
    { values: tensor.dataSync().slice(), shape: tensor.shape.slice(1), dtype: tensor.dtype },
  ]);
  tf.dispose(Object.values(fitted));
  return Object.fromEntries(rows);
}

/** What the attack was fitted with at the radius of every image, a row for each; made anew: call it inside `tf.tidy`. */
export function fittedFor(performance: Performance): Fitted {
  if (performance.attack.fit === undefined) return {};
  const rows = performance.epsilons.map((epsilon) => rowsAt(performance, epsilon));
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      tf.concat(
        rows.map((of) => {
          const { values, shape, dtype } = of[name] as Row;
          return tf.tensor(values.slice(), [1, ...shape], dtype);
        }),
      ),
    ]),
  );
}

/** The same by way of the harness, for functions prepared one way or the other. */
export async function fittedOnStage(prepare: Prepare, spec: EngineSpec, epsilon: number): Promise<Arrays> {
  const { classifier, targeted, rehearsal } = spec;
  if (rehearsal.fit === undefined) return {};
  const ids = fitIds(classifier);
  const labels = tf.tidy(() => [...classifier.logits(imagesOf(ids)).argMax(1).dataSync()]);
  const images = ids.map(
    (id, index): SelectedImage => ({
      ...{ index, id: String(id), hash: id, label: labels[index] ?? 0, pixels: imageOf(id) },
    }),
  );
  const engine = await prepareFit(prepare, spec);
  try {
    const { fitted } = await runFit({
      ...{ engine, epsilon, seed: 0, goal: targeted ? { kind: 'targeted', target: TARGET } : { kind: 'untargeted' } },
      rehearsal: { ...rehearsal.fit, passes: Math.min(rehearsal.fit.passes, MOST_PASSES), enough: undefined },
      images: {
        size: images.length,
        stream: async function* () {
          yield* images;
        },
      },
      tryOut: async () => ({ fooled: 0, gradients: 0, forwards: 0 }),
    });
    return fitted;
  } finally {
    await engine.release();
  }
}

/** The one row of every array, so many times. */
export const repeatedRows = (fitted: Arrays, times: number): Arrays =>
  Object.fromEntries(
    Object.entries(fitted).map(([name, row]) => {
      const all = new (row.constructor as new (length: number) => HostArray)(times * row.length);
      for (let i = 0; i < times; i++) all.set(row, i * row.length);
      return [name, all];
    }),
  );
