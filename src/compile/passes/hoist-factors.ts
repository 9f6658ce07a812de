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
  const varies = (value: Value): boolean =>
    axes.some((axis) => (value.shape[axis - (x.shape.length - value.shape.length)] ?? 1) !== 1);
  const wide = factors.filter(varies);
  const narrow = factors.filter((value) => !varies(value));
  if (narrow.length === 0 || wide.length === 0) return undefined;
  // In a fixed order, so that equal products become one value.
  const sorted = [...wide].sort((a, b) => a.id - b.id);
  const product = sorted.reduce((a, b) => rewriter.call('Multiply', { a, b }));
  // A sum over what is narrower than x would count too little.
  if (!axes.every((axis) => product.shape[axis - (x.shape.length - product.shape.length)] === x.shape[axis])) {
    return undefined;
  }
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
  const factors = factorsOf(input(node, 'x'), rewriter);
  const axes = axesOfSum(node);
  const isDeviation = (value: Value): boolean => {
    const difference = rewriter.producer(value);
    if (difference?.kernel !== 'Sub') return false;
    const mean = rewriter.producer(input(difference, 'b'));
    const x = input(difference, 'a');
    if (mean?.kernel !== 'Mean' || input(mean, 'x') !== x) return false;
    return String(axesOf(mean.attributes.axis, x.shape.length)) === String(axes);
  };
  const rank = input(node, 'x').shape.length;
  const constantAlong = (value: Value): boolean =>
    axes.every((axis) => (value.shape[axis - (rank - value.shape.length)] ?? 1) === 1);
  const deviations = factors.filter(isDeviation);
  if (deviations.length !== 1 || !factors.every((f) => isDeviation(f) || constantAlong(f))) return undefined;
  const out = output(node);
  return [rewriter.call('Fill', {}, { shape: [...out.shape], dtype: 'float32', value: 0 })];
}
