import { type Graph, input, type Node, output, readersOf, sizeOf, type Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';

const FUSED: Readonly<Record<string, string>> = {
  Conv2D: 'FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2D',
};

/** One number per channel, whatever ones stand before it. */
export const isPerChannel = (value: Value, channels: number): boolean =>
  value.shape.at(-1) === channels && sizeOf(value.shape) === channels;

/** A convolution followed by a sum per channel is a convolution with a bias. */
export function fuseBias(graph: Graph): Graph {
  const readers = readersOf(graph);
  const isOutput = new Set(graph.outputs.map(({ value }) => value));
  const readOnce = (value: Value): boolean => readers.get(value)?.length === 1 && !isOutput.has(value);
  return rewrite(graph, (node, { call, producer }) => {
    if (node.kernel !== 'Add') return undefined;
    const [a, b] = [input(node, 'a'), input(node, 'b')];
    const fuse = (convolved: Value, addend: Value): Value[] | undefined => {
      const convolution = producer(convolved);
      const fused = convolution === undefined ? undefined : FUSED[convolution.kernel];
      const channels = output(node).shape.at(-1) as number;
      if (convolution === undefined || fused === undefined || !readOnce(convolved)) return undefined;
      if (!isPerChannel(addend, channels)) return undefined;
      const bias = addend.shape.length === 1 ? addend : call('Reshape', { x: addend }, { shape: [channels] });
      return [call(fused, { ...convolution.inputs, bias }, withoutActivation(convolution))];
    };
    return fuse(a, b) ?? fuse(b, a);
  });
}

/** The attributes of a fused convolution that does nothing after its bias. */
export const withoutActivation = (convolution: Node): Node['attributes'] => ({
  dilations: [1, 1],
  ...convolution.attributes,
  activation: 'linear',
});
