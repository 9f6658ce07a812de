/** A TensorFlow.js model as a function from images to logits, of whichever kind it is. */
import type { UserError } from '../core/errors.ts';
import type { UserModel } from '../core/user-network.ts';
import { tf } from '../tf.ts';
import { layersWithoutSoftmax, logitsNode } from './without-softmax.ts';

export interface RunnableModel {
  /** The shape of one image, `null` where it is open; undefined if the model does not say. */
  readonly taken: readonly (number | null)[] | undefined;
  /** How many numbers it gives for an image; undefined if it does not say. */
  readonly given: number | undefined;
  /** How many numbers were trained, as far as the model shows. */
  readonly parameters: number;
  /** The softmax or sigmoid that stood at its end. */
  readonly took?: string;
  /** Images as the model takes them to its logits. */
  run(x: tf.Tensor): tf.Tensor;
  dispose(): void;
}

type Refuse = (why: string) => UserError;

/**
 * The model, ready to run; if it is refused, it is as it was.
 *
 * @throws UserError if it has several inputs or outputs, or does not take images and give a number for each class
 */
export const runnable = (model: UserModel, refuse: Refuse): RunnableModel =>
  model instanceof tf.GraphModel ? graph(model, refuse) : layers(model, refuse);

function layers(original: tf.LayersModel, refuse: Refuse): RunnableModel {
  requireOne('inputs', original.inputs.length, refuse);
  requireOne('outputs', original.outputs.length, refuse);
  const given = perClass((original.outputs[0] as tf.SymbolicTensor).shape.slice(1), refuse);
  const { value: model, ...rest } = layersWithoutSoftmax(original);
  const trained = model.weights.filter(
    ({ originalName }) => !/(moving|running)_(mean|var|variance)$/.test(originalName),
  );
  return {
    ...rest,
    taken: (model.inputs[0] as tf.SymbolicTensor).shape.slice(1),
    given,
    parameters: sum(trained.map(({ shape }) => shape as number[])),
    run: (x) => model.apply(x, { training: false }) as tf.Tensor,
    dispose: () => void model.dispose(),
  };
}

function graph(model: tf.GraphModel, refuse: Refuse): RunnableModel {
  requireOne('inputs', model.inputs.length, refuse);
  requireOne('outputs', model.outputs.length, refuse);
  const { name, shape, dtype } = model.inputs[0] as tf.GraphModel['inputs'][number];
  if (dtype !== undefined && dtype !== 'float32') throw refuse(`it takes ${dtype} images; they are float32 here`);
  const batch = shape?.[0] ?? -1;
  if (batch !== -1)
    throw refuse(`it takes ${batch} image${batch === 1 ? '' : 's'} at a time: convert it with an open batch axis`);
  const { value: node, ...rest } = logitsNode(model);
  const weights = Object.values(model.weights as Readonly<Record<string, readonly tf.Tensor[]>>).flat();
  return {
    ...rest,
    taken: shape?.slice(1).map((n) => (n < 0 ? null : n)),
    given: perClass(signatureShape(model)?.slice(1), refuse),
    parameters: sum(weights.filter((weight) => weight.dtype === 'float32').map((weight) => weight.shape)),
    run: (x) => model.execute({ [name]: x }, node) as tf.Tensor,
    dispose: () => model.dispose(),
  };
}

function requireOne(what: string, count: number, refuse: Refuse): void {
  if (count !== 1)
    throw refuse(`it has ${count} ${what}; a classifier has one: images in, a number for each class out`);
}

/** The numbers for each class: the last axis, the only one that may be longer than 1. */
function perClass(shape: readonly (number | null)[] | undefined, refuse: Refuse): number | undefined {
  if (shape === undefined || shape.length === 0) return undefined;
  if (shape.slice(0, -1).every((n) => n === 1 || n === null)) return shape.at(-1) ?? undefined;
  throw refuse(
    `it gives [${shape.map((n) => n ?? '?').join(', ')}] for an image; a classifier gives a number for each class`,
  );
}

/** What the signature says of the output, if it says anything that can be read: sizes stand there as text. */
function signatureShape(model: tf.GraphModel): readonly (number | null)[] | undefined {
  interface Entry {
    readonly tensorShape?: { readonly dim?: unknown };
  }
  const signature = model.modelSignature as { readonly outputs?: Readonly<Record<string, Entry | null>> } | undefined;
  const [entry] = Object.values(signature?.outputs ?? {});
  const sizes = entry?.tensorShape?.dim;
  if (!Array.isArray(sizes)) return undefined;
  return sizes.map((one: { readonly size?: string | number } | null) =>
    Number(one?.size) > 0 ? Number(one?.size) : null,
  );
}

const sum = (shapes: readonly (readonly number[])[]): number =>
  shapes.reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);
