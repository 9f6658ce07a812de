import { type Graph, input, readOnceIn } from '../graph.ts';
import { rewrite } from './rewrite.ts';

const ACTIVATION: Readonly<Record<string, string>> = { Relu: 'relu', Relu6: 'relu6' };

/** A convolution whose only reader is a rectifier applies it as it writes its result. */
export function fuseActivation(graph: Graph): Graph {
  const readOnce = readOnceIn(graph);
  return rewrite(graph, (node, { call, producer }) => {
    const activation = ACTIVATION[node.kernel];
    if (activation === undefined) return undefined;
    const x = input(node, 'x');
    const convolution = producer(x);
    if (convolution?.kernel !== 'FusedConv2D' || convolution.attributes.activation !== 'linear' || !readOnce(x)) {
      return undefined;
    }
    return [call('FusedConv2D', convolution.inputs, { ...convolution.attributes, activation })];
  });
}
