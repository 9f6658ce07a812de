/** Local algebra: what multiplies by one, adds zero, reshapes to the same shape or spreads out what broadcasts anyway. */
import { type Graph, input, type Node, output, sameShape, sizeOf, type Value } from '../graph.ts';
import { axesOf, broadcast } from '../kernels/kernel.ts';
import { splatOf } from './fold-constants.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

type Rule = (node: Node, rewriter: Rewriter) => Value | undefined;

/** Applies the first rule that fits each node. */
export function simplify(graph: Graph): Graph {
  return rewrite(graph, (node, rewriter) => {
    if (node.outputs.length !== 1) return undefined;
    for (const rule of RULES) {
      const value = rule(node, rewriter);
      if (value !== undefined) return [value];
    }
    return undefined;
  });
}

const BINARY = new Set([
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'Maximum',
  'Minimum',
  'SquaredDifference',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
]);

/** The value spread out to the shape of `like` by `Tile`; costs nothing where it has that shape already. */
function spread(value: Value, like: Value, { call }: Rewriter): Value {
  if (sameShape(value.shape, like.shape)) return value;
  const shape = [...Array.from({ length: like.shape.length - value.shape.length }, () => 1), ...value.shape];
  const x = sameShape(shape, value.shape) ? value : call('Reshape', { x: value }, { shape });
  return call('Tile', { x }, { reps: like.shape.map((d, axis) => d / (shape[axis] as number)) });
}

/** What a `Tile` spreads out, if it only repeats along axes of length one: broadcasting by another name. */
function spreadFrom(node: Node | undefined): Value | undefined {
  if (node?.kernel !== 'Tile') return undefined;
  const x = input(node, 'x');
  const reps = node.attributes.reps as number[];
  return reps.every((rep, axis) => rep === 1 || x.shape[axis] === 1) ? x : undefined;
}

/** x·1, x/1, x+0, x-0. */
const neutralElement: Rule = (node, rewriter) => {
  const { a, b } = node.inputs;
  if (a === undefined || b === undefined) return undefined;
  const out = output(node);
  if (out.dtype !== a.dtype || out.dtype !== b.dtype) return undefined;
  const neutral = { Multiply: 1, RealDiv: 1, Add: 0, Sub: 0 }[node.kernel];
  if (neutral === undefined) return undefined;
  if (splatOf(b, rewriter) === neutral) return spread(a, out, rewriter);
  const symmetric = node.kernel === 'Multiply' || node.kernel === 'Add';
  return symmetric && splatOf(a, rewriter) === neutral ? spread(b, out, rewriter) : undefined;
};

const isIdentity: Rule = (node) => {
  const out = output(node);
  const x = node.inputs.x ?? node.inputs.input;
  if (x === undefined) return undefined;
  if (node.kernel === 'Identity') return x;
  if (node.kernel === 'Cast') return x.dtype === out.dtype ? x : undefined;
  if (node.kernel === 'Transpose') {
    return (node.attributes.perm as number[]).every((axis, i) => axis === i) ? x : undefined;
  }
  const mayBeIdentity = ['Reshape', 'ExpandDims', 'Tile', 'Slice', 'PadV2'].includes(node.kernel);
  return mayBeIdentity && sameShape(x.shape, out.shape) ? x : undefined;
};

/** A reshape of a reshape is one reshape; ExpandDims is one too. */
const mergeReshapes: Rule = (node, { call, producer }) => {
  if (node.kernel !== 'Reshape' && node.kernel !== 'ExpandDims') return undefined;
  const x = node.inputs.x ?? input(node, 'input');
  const before = producer(x);
  const source = before?.kernel === 'Reshape' ? input(before, 'x') : x;
  const shape = [...output(node).shape];
  if (sameShape(source.shape, shape)) return source;
  return source === x && node.kernel === 'Reshape' ? undefined : call('Reshape', { x: source }, { shape });
};

/** min(6, relu(z)), as tf.layers writes it, is relu6(z). */
const clippedRectifier: Rule = (node, rewriter) => {
  if (node.kernel !== 'Minimum') return undefined;
  const [a, b] = [input(node, 'a'), input(node, 'b')];
  const [limit, value] = splatOf(a, rewriter) === 6 ? [a, b] : [b, a];
  const rectifier = rewriter.producer(value);
  if (rectifier?.kernel !== 'Relu' || splatOf(limit, rewriter) !== 6) return undefined;
  const z = input(rectifier, 'x');
  return z.dtype === 'float32' && sameShape(z.shape, output(node).shape) ? rewriter.call('Relu6', { x: z }) : undefined;
};

/** A reduction over axes of length one, or over none, only reshapes. */
const trivialReduction: Rule = (node, { call }) => {
  if (!['Sum', 'Mean', 'Max', 'Min'].includes(node.kernel)) return undefined;
  const x = input(node, 'x');
  const out = output(node);
  if (sizeOf(x.shape) !== sizeOf(out.shape) || x.dtype !== out.dtype) return undefined;
  return sameShape(x.shape, out.shape) ? x : call('Reshape', { x }, { shape: [...out.shape] });
};

/** A reduction that drops its axes is one that keeps them, reshaped: so that the two forms are computed once. */
const keepReducedAxes: Rule = (node, { call }) => {
  if (node.kernel !== 'Sum' && node.kernel !== 'Mean') return undefined;
  const out = output(node);
  if (node.attributes.keepDims === true || out.shape.length === 0) return undefined;
  const x = input(node, 'x');
  const kept = call(node.kernel, { x }, { axis: axesOf(node.attributes.axis, x.shape.length), keepDims: true });
  return call('Reshape', { x: kept }, { shape: [...out.shape] });
};

/** An elementwise operand that was spread out, or given leading ones, can be read as it was: the kernel broadcasts. */
const narrowOperands: Rule = (node, rewriter) => {
  if (!BINARY.has(node.kernel)) return undefined;
  const out = output(node);
  const a = narrowed(input(node, 'a'), out.shape.length, rewriter);
  const b = narrowed(input(node, 'b'), out.shape.length, rewriter);
  if (a === input(node, 'a') && b === input(node, 'b')) return undefined;
  const result = rewriter.call(node.kernel, { a, b }, node.attributes);
  return spread(result, out, rewriter);
};

function narrowed(value: Value, rank: number, { producer, dataOf, constant, scalar }: Rewriter): Value {
  const node = producer(value);
  const data = dataOf(value);
  if (data !== undefined) {
    const shape = withoutLeadingOnes(value.shape);
    return sameShape(shape, value.shape) ? value : constant(data, { shape, dtype: value.dtype });
  }
  const source = spreadFrom(node);
  if (source !== undefined) return source;
  if (node?.kernel === 'Fill' && value.dtype === 'float32') return scalar(Number(node.attributes.value));
  if (node?.kernel === 'Reshape') {
    const x = input(node, 'x');
    const same = sameShape(withoutLeadingOnes(x.shape), withoutLeadingOnes(value.shape));
    if (same && x.shape.length <= rank) return x;
  }
  return value;
}

function withoutLeadingOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((d) => d !== 1);
  return first === -1 ? [] : shape.slice(first);
}

/** f(spread x) = spread f(x). */
const unaryOfBroadcast: Rule = (node, rewriter) => {
  if (!['Neg', 'Square', 'Sqrt', 'Rsqrt', 'Abs', 'Cast', 'Relu'].includes(node.kernel)) return undefined;
  const x = spreadFrom(rewriter.producer(input(node, 'x')));
  if (x === undefined) return undefined;
  return spread(rewriter.call(node.kernel, { x }, node.attributes), output(node), rewriter);
};

/** Factors of a product, least-broadcast last: (x·a)·b = x·(a·b) when a and b are both narrower than x. */
const narrowFirst: Rule = (node, { call, producer }) => {
  if (node.kernel !== 'Multiply') return undefined;
  const out = output(node);
  for (const [wide, narrow] of [
    [input(node, 'a'), input(node, 'b')],
    [input(node, 'b'), input(node, 'a')],
  ] as const) {
    const inner = producer(wide);
    // What counts is the size per image: with one image or many the same products must be rounded.
    const width = (shape: readonly number[]): number =>
      sizeOf(shape.length === out.shape.length ? shape.slice(1) : shape);
    if (inner?.kernel !== 'Multiply' || width(narrow.shape) >= width(out.shape)) continue;
    const [x, y] = [input(inner, 'a'), input(inner, 'b')];
    const [big, small] = width(x.shape) >= width(y.shape) ? [x, y] : [y, x];
    const factor = broadcast(small.shape, narrow.shape);
    if (width(factor) >= width(out.shape) || !sameShape(broadcast(big.shape, factor), out.shape)) continue;
    return call('Multiply', { a: big, b: call('Multiply', { a: small, b: narrow }) });
  }
  return undefined;
};

const RULES: readonly Rule[] = [
  isIdentity,
  mergeReshapes,
  clippedRectifier,
  trivialReduction,
  keepReducedAxes,
  neutralElement,
  narrowOperands,
  unaryOfBroadcast,
  narrowFirst,
];
