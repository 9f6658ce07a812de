import { type Graph, input, readOnceIn } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/** A convolution whose only reader is a ReLU applies it as it writes its result. */
export function fuseActivation(graph: Graph): Graph {
  const readOnce = readOnceIn(graph);
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
