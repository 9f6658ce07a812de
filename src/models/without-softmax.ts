/**
 * Networks are attacked at their logits: a softmax at the end flattens where it is sure, so that gradients vanish and a weak
 * network looks strong. What ends in a softmax, or in a sigmoid for every class, is taken up to there; the order of the
 * classes is the same before and after it.
 */
import { UserError } from '../core/errors.ts';
import { tf } from '../tf.ts';

const SQUASHING: readonly string[] = ['softmax', 'sigmoid'];

export interface Unsquashed<T> {
  readonly value: T;
  /** What was taken off; undefined if nothing was. */
  readonly took?: string;
}

/** The layers that leave values and their order as they are. */
const IDLE_LAYERS: readonly string[] = ['Reshape', 'Flatten', 'Dropout'];

/**
 * The model without the softmax or sigmoid at its end. It shares all layers with the given one but the last, which is
 * disposed.
 */
export function layersWithoutSoftmax(model: tf.LayersModel): Unsquashed<tf.LayersModel> {
  let [output] = model.outputs;
  while (output !== undefined && IDLE_LAYERS.includes(output.sourceLayer.getClassName())) [output] = output.inputs;
  const last = output?.sourceLayer;
  const input = output?.inputs[0];
  if (last === undefined || input === undefined) return { value: model };
  const ending = (outputs: tf.SymbolicTensor): tf.LayersModel =>
    tf.model({ inputs: model.inputs, outputs, name: model.name });
  if (last instanceof tf.LayersModel) {
    const { value, took } = layersWithoutSoftmax(last);
    return took === undefined ? { value: model } : { value: ending(value.apply(input) as tf.SymbolicTensor), took };
  }
  const activation = last.getClassName() === 'Softmax' ? 'softmax' : last.getConfig().activation;
  if (typeof activation !== 'string' || !SQUASHING.includes(activation)) return { value: model };
  if (last.weights.length === 0) return { value: ending(input), took: activation };
  return { value: ending(linearly(last, input)), took: activation };
}

/** What the layer gives without its activation: a twin takes its place and its weights. */
function linearly(layer: tf.layers.Layer, input: tf.SymbolicTensor): tf.SymbolicTensor {
  const Kind = layer.constructor as tf.serialization.SerializableConstructor<tf.layers.Layer> & {
    fromConfig: tf.serialization.FromConfigMethod<tf.layers.Layer>;
  };
  const twin = Kind.fromConfig(Kind, { ...layer.getConfig(), activation: 'linear' });
  // Zeros, for weights that are replaced at once: what a file says of first weights may be anything, and drawing them endless.
  twin.setFastWeightInitDuringBuild(true);
  const output = twin.apply(input) as tf.SymbolicTensor;
  twin.setWeights(layer.getWeights());
  layer.dispose();
  return output;
}

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
}

/** The operations that leave values and their order as they are. */
const KEEPING: readonly string[] = ['Identity', 'Reshape', 'Squeeze', 'ExpandDims'];
const SQUASHING_OPS: ReadonlyMap<string, string> = new Map([
  ['Softmax', 'softmax'],
  ['Sigmoid', 'sigmoid'],
]);

/**
 * The node of a GraphModel at which its logits stand: the last one, or what flows into the softmax before it.
 *
 * @throws UserError if the graph is not there to be looked at
 */
export function logitsNode(model: tf.GraphModel): Unsquashed<string> {
  const last = model.outputNodes[0] ?? '';
  const nodes = nodesOf(model);
  const signature = model.modelSignature as { outputs?: Readonly<Record<string, { name?: string }>> } | undefined;
  let at = bare(signature?.outputs?.[last]?.name ?? last);
  for (;;) {
    const node = nodes.get(at);
    const [from] = node?.input ?? [];
    if (node === undefined || from === undefined) return { value: last };
    const took = SQUASHING_OPS.get(node.op);
    if (took !== undefined) return { value: bare(from), took };
    if (!KEEPING.includes(node.op)) return { value: last };
    at = bare(from);
  }
}

/** `dense/BiasAdd:0` to `dense/BiasAdd`. */
const bare = (name: string): string => name.replace(/^\^/, '').replace(/:0$/, '');

/** The graph as it was loaded, which TensorFlow.js keeps but does not show. */
function nodesOf(model: tf.GraphModel): ReadonlyMap<string, GraphNode> {
  const artifacts: unknown = Reflect.get(model, 'artifacts');
  const topology = (artifacts as Partial<tf.io.ModelArtifacts> | undefined)?.modelTopology;
  const list = (topology as { readonly node?: readonly Partial<GraphNode>[] } | undefined)?.node;
  if (list === undefined)
    throw new UserError('a GraphModel must be loaded before it is handed over: await tf.loadGraphModel(…)');
  return new Map(list.map(({ name = '', op = '', input = [] }) => [name, { name, op, input }]));
}
