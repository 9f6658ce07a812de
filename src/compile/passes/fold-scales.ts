/**
 * Batch normalisation with running statistics is a factor and a summand per channel. Next to a convolution the factor goes
 * into the weights, of which there are far fewer than pixels: forward, into the convolution before it; backward, into the
 * gradient of that convolution. Frozen weights are then multiplied once, while compiling.
 */
import { type Graph, input, type Node, output, readOnceIn, sameShape, type Value } from '../graph.ts';
import { isPerChannel, withoutActivation } from './fuse-bias.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

const DENSE = new Set(['Conv2D', 'FusedConv2D']);

export function foldScales(graph: Graph): Graph {
  const readOnce = readOnceIn(graph);
  return rewrite(graph, (node, rewriter) => {
    switch (node.kernel) {
      case 'FusedBatchNorm':
        return unfuse(node, rewriter, readOnce);
      case 'Multiply':
        return foldForward(node, rewriter, readOnce);
      case 'Conv2DBackpropInput':
        return foldBackward(node, rewriter);
      default:
        return undefined;
    }
  });
}

/** The operands of a product of which one is a factor per channel. */
function splitProduct(product: Node, rewriter: Rewriter): readonly (readonly [x: Value, factor: Value])[] {
  const [a, b] = [input(product, 'a'), input(product, 'b')];
  const out = output(product);
  return (
    [
      [a, b],
      [b, a],
    ] as const
  ).filter(
    ([x, factor]) =>
      out.shape.length === 4 && sameShape(x.shape, out.shape) && isPerChannel(factor, out.shape, rewriter),
  );
}

const isLinear = (convolution: Node): boolean =>
  ['linear', null, undefined].includes(convolution.attributes.activation as string | null | undefined);

/** (x ⊛ w + b)·a = x ⊛ (w·a) + b·a. */
function scaleConvolution(x: Value, factor: Value, { call, producer }: Rewriter): Value | undefined {
  const convolution = producer(x);
  if (convolution === undefined || !DENSE.has(convolution.kernel) || !isLinear(convolution)) return undefined;
  const filter = call('Multiply', { a: input(convolution, 'filter'), b: factor });
  const { bias } = convolution.inputs;
  if (bias === undefined) return call('Conv2D', { x: input(convolution, 'x'), filter }, convolution.attributes);
  const inputs = { x: input(convolution, 'x'), filter, bias: call('Multiply', { a: bias, b: factor }) };
  return call('FusedConv2D', inputs, withoutActivation(convolution));
}

function foldForward(node: Node, rewriter: Rewriter, readOnce: (value: Value) => boolean): Value[] | undefined {
  for (const [x, factor] of splitProduct(node, rewriter)) {
    const folded = readOnce(x) ? scaleConvolution(x, factor, rewriter) : undefined;
    if (folded !== undefined) return [folded];
  }
  return undefined;
}

/** TensorFlow.js's own batch normalisation after a convolution, as the product and sum that it is. */
function unfuse(node: Node, rewriter: Rewriter, readOnce: (value: Value) => boolean): Value[] | undefined {
  const { call, scalar } = rewriter;
  const x = input(node, 'x');
  const statistics = ['mean', 'variance', 'scale', 'offset'].map((name) => node.inputs[name]);
  if (!readOnce(x) || statistics.some((value) => value !== undefined && value.shape.length !== 1)) return undefined;
  const epsilon = scalar(node.attributes.varianceEpsilon as number);
  const inverse = call('Rsqrt', { x: call('Add', { a: input(node, 'variance'), b: epsilon }) });
  const { scale, offset } = node.inputs;
  const factor = scale === undefined ? inverse : call('Multiply', { a: inverse, b: scale });
  const scaled = scaleConvolution(x, factor, rewriter);
  if (scaled === undefined) return undefined;
  const shift = call('Neg', { x: call('Multiply', { a: input(node, 'mean'), b: factor }) });
  const summand = offset === undefined ? shift : call('Add', { a: offset, b: shift });
  return [call('Add', { a: scaled, b: summand })];
}

/** dy·a against the weights is dy against the weights times a. */
function foldBackward(node: Node, rewriter: Rewriter): Value[] | undefined {
  const { call, producer } = rewriter;
  const product = producer(input(node, 'dy'));
  if (product?.kernel !== 'Multiply') return undefined;
  const [found] = splitProduct(product, rewriter);
  if (found === undefined) return undefined;
  const [dy, factor] = found;
  return [
    call(
      'Conv2DBackpropInput',
      { dy, filter: call('Multiply', { a: input(node, 'filter'), b: factor }) },
      node.attributes,
    ),
  ];
}
