/**
 * Frozen batch normalisation is a factor and a summand per channel. Next to a convolution with frozen weights the factor
 * goes into the weights: forward, into the convolution before it; backward, into the gradient of that convolution.
 */
import { type Graph, input, type Node, output, readersOf, type Value } from '../graph.ts';
import { isPerChannel, withoutActivation } from './fuse-bias.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

export function foldScales(graph: Graph): Graph {
  const readers = readersOf(graph);
  const isOutput = new Set(graph.outputs.map(({ value }) => value));
  const readOnce = (value: Value): boolean => readers.get(value)?.length === 1 && !isOutput.has(value);
  return rewrite(graph, (node, rewriter) => {
    if (node.kernel === 'FusedBatchNorm') return foldForward(node, rewriter, readOnce);
    return node.kernel === 'Conv2DBackpropInput' ? foldBackward(node, rewriter) : undefined;
  });
}

const DENSE = new Set(['Conv2D', 'FusedConv2D']);

function foldForward(node: Node, rewriter: Rewriter, readOnce: (value: Value) => boolean): Value[] | undefined {
  const { call, producer, dataOf, constant } = rewriter;
  const x = input(node, 'x');
  const convolution = producer(x);
  if (convolution === undefined || !DENSE.has(convolution.kernel) || !readOnce(x)) return undefined;
  if (!['linear', null, undefined].includes(convolution.attributes.activation as string | null | undefined))
    return undefined;
  const filter = dataOf(input(convolution, 'filter'));
  const channels = output(node).shape.at(-1) as number;
  const read = (name: string, missing: number): ArrayLike<number> | undefined => {
    const value = node.inputs[name] ?? (name === 'bias' ? convolution.inputs.bias : undefined);
    if (value === undefined) return new Float32Array(channels).fill(missing);
    return isPerChannel(value, channels) ? dataOf(value) : undefined;
  };
  const [mean, variance, scale, offset, bias] = [
    read('mean', 0),
    read('variance', 1),
    read('scale', 1),
    read('offset', 0),
    read('bias', 0),
  ];
  if (!filter || !mean || !variance || !scale || !offset || !bias) return undefined;
  const epsilon = node.attributes.varianceEpsilon as number;
  const factor = Float32Array.from(variance, (v, c) => (scale[c] as number) / Math.sqrt(v + epsilon));
  const shift = Float32Array.from(
    factor,
    (f, c) => (offset[c] as number) + ((bias[c] as number) - (mean[c] as number)) * f,
  );
  const scaled = constant(scaleLast(filter, factor), input(convolution, 'filter'));
  const inputs = {
    x: input(convolution, 'x'),
    filter: scaled,
    bias: constant(shift, { shape: [channels], dtype: 'float32' }),
  };
  return [call('FusedConv2D', inputs, withoutActivation(convolution))];
}

/** dy·a against the weights is dy against the weights times a. */
function foldBackward(node: Node, { call, producer, dataOf, constant }: Rewriter): Value[] | undefined {
  const filterValue = input(node, 'filter');
  const filter = dataOf(filterValue);
  const product = producer(input(node, 'dy'));
  if (filter === undefined || product?.kernel !== 'Multiply') return undefined;
  const channels = filterValue.shape[3] as number;
  for (const [dy, a] of [
    [input(product, 'a'), input(product, 'b')],
    [input(product, 'b'), input(product, 'a')],
  ] as const) {
    const factor = dataOf(a);
    if (factor === undefined || !isPerChannel(a, channels) || dy.shape.length !== 4) continue;
    if (dy.shape.at(-1) !== channels || dy.shape.some((d, i) => d !== output(product).shape[i])) continue;
    const scaled = constant(scaleLast(filter, factor), filterValue);
    return [call('Conv2DBackpropInput', { dy, filter: scaled }, node.attributes)];
  }
  return undefined;
}

/** Weights [kh, kw, in, out] times a factor per output channel. */
function scaleLast(filter: ArrayLike<number>, factor: ArrayLike<number>): Float32Array {
  return Float32Array.from(filter, (w, i) => w * (factor[i % factor.length] as number));
}
