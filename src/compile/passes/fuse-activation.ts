import { type Graph, input, readersOf, type Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/** A convolution whose only reader is a ReLU applies it as it writes its result. */
export function fuseActivation(graph: Graph): Graph {
  const readers = readersOf(graph);
  const isOutput = new Set(graph.outputs.map(({ value }) => value));
  const readOnce = (value: Value): boolean => readers.get(value)?.length === 1 && !isOutput.has(value);
  return rewrite(graph, (node, { call, producer }) => {
    if (node.kernel !== 'Relu') return undefined;
    const x = input(node, 'x');
    const convolution = producer(x);
    if (convolution?.kernel !== 'FusedConv2D' || convolution.attributes.activation !== 'linear' || !readOnce(x)) {
      return undefined;
    }
    return [call('FusedConv2D', convolution.inputs, { ...convolution.attributes, activation: 'relu' })];
  });
}
