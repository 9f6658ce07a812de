/**
 * Runs a graph kernel by kernel on TensorFlow.js's `cpu` backend: what a graph means. Passes are tested against it, and it
 * computes the constants that are folded while compiling.
 */
import { tf } from '../tf.ts';
import type { Graph, Named, Node, Value } from './graph.ts';
import { copyAs } from './host-array.ts';
import type { HostArray } from './types.ts';

const REFERENCE = 'cpu';

/**
 * @param feeds - the values of the graph's inputs, in order; or `constant`: the graph has none
 * @returns the values of its outputs, in order; undefined if an output depends on an input and `constant` was said
 */
export function interpret(graph: Graph, feeds: readonly HostArray[] | 'constant'): HostArray[] | undefined {
  const backend = tf.getBackend();
  // Takes effect at once: the cpu backend's factory is synchronous.
  void tf.setBackend(REFERENCE);
  tf.engine().startScope('interpret');
  try {
    const tensors = new Map<Value, tf.Tensor>();
    const toTensor = (value: Value, data: HostArray): tf.Tensor =>
      tf.tensor(data.slice(), [...value.shape], value.dtype);
    if (feeds !== 'constant') {
      graph.inputs.forEach(({ value }, i) => {
        tensors.set(value, toTensor(value, feeds[i] as HostArray));
      });
    }
    const needed = feeds === 'constant' ? ancestors(graph) : undefined;
    const tensorOf = (value: Value): tf.Tensor | undefined => {
      const data = graph.constants.get(value);
      if (data !== undefined && !tensors.has(value)) tensors.set(value, toTensor(value, data));
      return tensors.get(value);
    };
    for (const node of graph.nodes) {
      if (needed !== undefined && !node.outputs.some((value) => needed.has(value))) continue;
      const entries = Object.entries(node.inputs).map(([name, value]) => [name, tensorOf(value)] as const);
      if (entries.some(([, tensor]) => tensor === undefined)) {
        if (feeds === 'constant') continue;
        throw new Error(`${node.kernel} reads a value that is not computed yet`);
      }
      const results = runKernel(node.kernel, Object.fromEntries(entries) as tf.NamedTensorMap, node.attributes);
      node.outputs.forEach((value, i) => {
        tensors.set(value, results[i] as tf.Tensor);
      });
    }
    const outputs = graph.outputs.map(({ value }) => tensorOf(value));
    if (outputs.some((tensor) => tensor === undefined)) return undefined;
    // The backend may keep float32 values in an array of the type that they were cast from.
    return outputs.map((tensor, i) =>
      copyAs((tensor as tf.Tensor).dataSync(), (graph.outputs[i] as Named).value.dtype),
    );
  } finally {
    tf.engine().endScope();
    void tf.setBackend(backend);
  }
}

function runKernel(kernel: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor[] {
  const names = Object.keys(inputs);
  // Kernels of any number of inputs take a list.
  const variadic = names.length > 0 && names.every((name, i) => name === String(i));
  const given = variadic ? (Object.values(inputs) as unknown as tf.NamedTensorMap) : inputs;
  const result = tf.engine().runKernel(kernel, given, attributes as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result : [result];
}

/** Everything that the outputs depend on. */
function ancestors(graph: Graph): ReadonlySet<Value> {
  const needed = new Set<Value>(graph.outputs.map(({ value }) => value));
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (node?.outputs.some((value) => needed.has(value))) {
      for (const value of Object.values(node.inputs)) needed.add(value);
    }
  }
  return needed;
}

/** The values of one constant node, computed on the reference backend. */
export function evaluateNode(graph: Graph, node: Node): HostArray[] | undefined {
  const outputs = node.outputs.map((value, i) => ({ name: String(i), value }));
  return interpret({ inputs: [], outputs, constants: graph.constants, nodes: [node] }, 'constant');
}
