import { type Graph, input, readersOf, type Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

const ACTIVATIONS = new Set(['Relu', 'Relu6']);

/**
 * TensorFlow.js masks a ReLU's gradient with its input; its output tells as much. Step(z) = Step(relu(z)), and
 * z ≤ 6 where relu6 was applied is relu6(z) < 6 but for z = 6 itself, a set of measure zero. With the input read by nobody
 * else, ONNX Runtime fuses the activation into the convolution before it.
 */
export function maskFromOutput(graph: Graph): Graph {
  const activated = new Map<Value, Value>();
  for (const [value, readers] of readersOf(graph)) {
    const activation = readers.find((node) => ACTIVATIONS.has(node.kernel));
    if (activation !== undefined) activated.set(value, activation.outputs[0] as Value);
  }
  const outputOf = new Map<Value, Value>();
  return rewrite(graph, (node, { call }) => {
    if (ACTIVATIONS.has(node.kernel)) outputOf.set(input(node, 'x'), node.outputs[0] as Value);
    if (node.kernel === 'Step') {
      const y = outputOf.get(input(node, 'x'));
      const alpha = (node.attributes.alpha as number | undefined) ?? 0;
      return y !== undefined && alpha === 0 ? [call('Step', { x: y }, node.attributes)] : undefined;
    }
    return undefined;
  });
}
