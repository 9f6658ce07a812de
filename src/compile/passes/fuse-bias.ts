import { type Graph, input, type Node, output, readOnceIn, sizeOf, type Value } from '../graph.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

const FUSED: Readonly<Record<string, string>> = {
  Conv2D: 'FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2D',
};

/**
 * One number per channel of images of that shape, whatever ones stand before it. Where there is a single image, its own
 * numbers look like that too; they are not taken for it, so that an image is computed as it would be among others.
 */
export const isPerChannel = (value: Value, [images, ...image]: readonly number[], rewriter: Rewriter): boolean =>
  value.shape.at(-1) === image.at(-1) &&
  sizeOf(value.shape) === image.at(-1) &&
  (images !== 1 || isFixed(value, rewriter));

/** Whether the value depends on nothing that comes in at run time. */
function isFixed(value: Value, rewriter: Rewriter): boolean {
  if (rewriter.dataOf(value) !== undefined) return true;
  const node = rewriter.producer(value);
  return node !== undefined && Object.values(node.inputs).every((from) => isFixed(from, rewriter));
}

/** A convolution followed by a sum per channel is a convolution with a bias. */
export function fuseBias(graph: Graph): Graph {
  const readOnce = readOnceIn(graph);
  return rewrite(graph, (node, rewriter) => {
    const { call, producer } = rewriter;
    if (node.kernel !== 'Add') return undefined;
    const [a, b] = [input(node, 'a'), input(node, 'b')];
    const fuse = (convolved: Value, addend: Value): Value[] | undefined => {
      const convolution = producer(convolved);
      const fused = convolution === undefined ? undefined : FUSED[convolution.kernel];
      if (convolution === undefined || fused === undefined || !readOnce(convolved)) return undefined;
      const { shape } = output(node);
      if (!isPerChannel(addend, shape, rewriter)) return undefined;
      const channels = shape.at(-1) as number;
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
