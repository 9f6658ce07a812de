/** Copies of a network's weights, batch-norm averages included, and the way back into the network. */
import { allFinite } from '../core/all-finite.ts';
import { tf } from '../tf.ts';

/** By names that are stable across processes. */
export type Variables = ReadonlyMap<string, tf.Variable>;
/** Their values, row-major. */
export type Snapshot = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** The weights of a model, by their layers' names. */
export function weightsByName(model: tf.LayersModel): Variables {
  const weights = new Map(model.weights.map((weight) => [weight.originalName, weight.read() as tf.Variable]));
  if (weights.size !== model.weights.length) throw new Error('two weights of the model have one name');
  return weights;
}

export async function snapshotOf(variables: Variables): Promise<Snapshot> {
  const copies = [...variables].map(async ([name, variable]) => {
    return [name, new Float32Array(await variable.data<'float32'>())] as const;
  });
  return new Map(await Promise.all(copies));
}

export function putBack(variables: Variables, snapshot: Snapshot): void {
  for (const [name, variable] of variables) {
    const values = snapshot.get(name);
    if (values === undefined) throw new Error(`the copy of the weights lacks ${name}`);
    // A copy, since the backend keeps the array it is given.
    tf.tidy(() => variable.assign(tf.tensor(values.slice(), variable.shape)));
  }
}

/** Runs with other weights in the network, and puts its own back. */
export async function withWeights<T>(variables: Variables, others: Snapshot, run: () => Promise<T>): Promise<T> {
  const own = await snapshotOf(variables);
  putBack(variables, others);
  try {
    return await run();
  } finally {
    putBack(variables, own);
  }
}

/** The first of them that has a value which is no finite number; undefined if there is none. */
export const notFinite = (snapshot: Snapshot): string | undefined =>
  [...snapshot].find(([, values]) => !allFinite(values))?.[0];

/**
 * Σ|w|·10⁻³⁰ over all values of all variables, a scalar that is finite if and only if each of them is: so an update tells
 * whether it was sound, and nobody has to fetch the weights for it. The factor keeps large numbers from adding up to infinity.
 */
export const soundness = (variables: Variables): tf.Scalar =>
  tf.addN([...variables.values()].map((variable) => variable.mul(1e-30).abs().sum()));
