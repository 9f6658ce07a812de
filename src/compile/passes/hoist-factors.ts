/**
 * Takes out of a sum what does not change along it: Σ x·a = a·Σ x where a is constant over the summed axes. The gradients
 * of batch normalisation are sums of such products; once the per-channel factors are outside, the four sums of one layer
 * are two.
 */
import { type Graph, input, type Node, output, sameShape, type Value } from '../graph.ts';
import { axesOf } from '../kernels/kernel.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

export function hoistFactors(graph: Graph): Graph {
  return rewrite(graph, (node, rewriter) => {
    if (node.kernel !== 'Sum' || input(node, 'x').dtype !== 'float32') return undefined;
    const deviations = sumOfDeviations(node, rewriter);
    return deviations ?? hoist(node, rewriter);
  });
}

const axesOfSum = (node: Node): number[] => axesOf(node.attributes.axis, input(node, 'x').shape.length);

function hoist(node: Node, rewriter: Rewriter): Value[] | undefined {
  const x = input(node, 'x');
  const axes = axesOfSum(node);
  const factors = factorsOf(x, rewriter);
  const varies = (value: Value): boolean => variesAlong(axes, value, x.shape.length);
  const wide = factors.filter(varies);
  const narrow = factors.filter((value) => !varies(value));
  if (narrow.length === 0 || wide.length === 0) return undefined;
  // In a fixed order, so that equal products become one value.
  const sorted = [...wide].sort((a, b) => a.id - b.id);
  const product = sorted.reduce((a, b) => rewriter.call('Multiply', { a, b }));
  // A sum over what is narrower than x would count too little.
  if (!axes.every((axis) => lengthAlong(axis, product, x.shape.length) === x.shape[axis])) return undefined;
  if (product.shape.length !== x.shape.length) return undefined;
  const sum = rewriter.call('Sum', { x: product }, { axis: axes, keepDims: true });
  const scaled = narrow.reduce((a, b) => rewriter.call('Multiply', { a, b }), sum);
  const out = output(node);
  return [
    sameShape(scaled.shape, out.shape) ? scaled : rewriter.call('Reshape', { x: scaled }, { shape: [...out.shape] }),
  ];
}

/** The leaves of a tree of products; a leaf that is a negation is -1 times what it negates. */
function factorsOf(value: Value, rewriter: Rewriter): Value[] {
  const node = rewriter.producer(value);
  if (node?.kernel === 'Multiply')
    return [...factorsOf(input(node, 'a'), rewriter), ...factorsOf(input(node, 'b'), rewriter)];
  if (node?.kernel === 'Neg') return [...factorsOf(input(node, 'x'), rewriter), rewriter.scalar(-1)];
  return [value];
}

/** Σ (x - mean x) over the axes of the mean is zero; only rounding would come of computing it. */
function sumOfDeviations(node: Node, rewriter: Rewriter): Value[] | undefined {
  const product = input(node, 'x');
  const axes = axesOfSum(node);
  const factors = factorsOf(product, rewriter);
  const deviations = factors.filter((value) => isDeviation(value, axes, product.shape.length, rewriter));
  const [deviation] = deviations;
  if (deviation === undefined || deviations.length > 1) return undefined;
  if (factors.some((value) => value !== deviation && variesAlong(axes, value, product.shape.length))) return undefined;
  return [rewriter.call('Fill', {}, { shape: [...output(node).shape], dtype: 'float32', value: 0 })];
}

/** Whether the value is x - mean x, the mean taken over these axes of a product of that rank. */
function isDeviation(value: Value, axes: readonly number[], rank: number, { producer }: Rewriter): boolean {
  const difference = producer(value);
  if (difference?.kernel !== 'Sub') return false;
  const x = input(difference, 'a');
  const mean = producer(input(difference, 'b'));
  // Axes are counted from the front: in a product of higher rank the same number means another axis.
  if (mean?.kernel !== 'Mean' || input(mean, 'x') !== x || x.shape.length !== rank) return false;
  if (String(axesOf(mean.attributes.axis, rank)) !== String(axes)) return false;
  // A mean that dropped its axes may be subtracted along others.
  return sameShape(value.shape, x.shape) && !variesAlong(axes, output(mean), rank);
}

/** How long a factor is along an axis of the product, which may have more axes before the factor's. */
const lengthAlong = (axis: number, { shape }: Value, rank: number): number => shape[axis - (rank - shape.length)] ?? 1;

const variesAlong = (axes: readonly number[], value: Value, rank: number): boolean =>
  axes.some((axis) => lengthAlong(axis, value, rank) !== 1);
