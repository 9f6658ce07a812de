import { type Graph, type Node, output, sizeOf, type Value } from '../graph.ts';
import { evaluateNode } from '../interpret.ts';
import type { HostArray } from '../types.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

/** A filled tensor up to this size becomes a constant; a larger one stays one number. */
const SMALL = 4096;

/**
 * Computes what depends on constants alone, on the reference backend. Large filled tensors (the ones that gradients of
 * means are made of) are kept as `Fill`, so that they never take up room in the file.
 */
export function foldConstants(graph: Graph): Graph {
  return rewrite(graph, (node, rewriter) => {
    if (node.kernel === 'Fill') return sizeOf(output(node).shape) <= SMALL ? evaluate(node, rewriter) : undefined;
    const values = Object.values(node.inputs);
    if (values.length === 0) return evaluate(node, rewriter);
    const splats = values.map((value) => splatOf(value, rewriter));
    if (splats.every((splat) => splat !== undefined) && sizeOf(output(node).shape) > SMALL)
      return foldSplat(node, rewriter);
    if (values.every((value) => rewriter.dataOf(value) !== undefined)) return evaluate(node, rewriter);
    return undefined;
  });
}

/** The one number that a value consists of, if it does. */
export function splatOf(value: Value, { dataOf, producer }: Rewriter): number | undefined {
  const data = dataOf(value);
  if (data !== undefined) return data.length <= SMALL && data.every((x) => Object.is(x, data[0])) ? data[0] : undefined;
  const node = producer(value);
  return node?.kernel === 'Fill' ? Number(node.attributes.value) : undefined;
}

function evaluate(node: Node, rewriter: Rewriter): Value[] | undefined {
  const constants = new Map<Value, HostArray>();
  for (const value of Object.values(node.inputs)) {
    const data = rewriter.dataOf(value);
    if (data === undefined) return undefined;
    constants.set(value, data);
  }
  const results = evaluateNode({ inputs: [], outputs: [], constants, nodes: [] }, node);
  return results?.map((data, i) => rewriter.constant(data, node.outputs[i] as Value));
}

const ELEMENTWISE = new Set([
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'Neg',
  'Square',
  'Sqrt',
  'Rsqrt',
  'Cast',
  'Maximum',
  'Minimum',
]);
const RESHAPING = new Set(['Reshape', 'Tile', 'BroadcastTo', 'Transpose', 'ExpandDims', 'Slice']);

/** Arithmetic on filled tensors is arithmetic on their numbers. */
function foldSplat(node: Node, rewriter: Rewriter): Value[] | undefined {
  const out = output(node);
  const fill = (value: number): Value[] => [
    rewriter.call('Fill', {}, { shape: [...out.shape], dtype: out.dtype, value }),
  ];
  const values = Object.values(node.inputs);
  if (RESHAPING.has(node.kernel)) return fill(splatOf(values[0] as Value, rewriter) as number);
  if (!ELEMENTWISE.has(node.kernel)) return undefined;
  const scalars = new Map<Value, HostArray>();
  const inputs = Object.fromEntries(
    Object.entries(node.inputs).map(([name, value]) => {
      const scalar = { id: -1 - scalars.size, shape: [], dtype: value.dtype };
      const number = splatOf(value, rewriter) as number;
      scalars.set(scalar, value.dtype === 'float32' ? Float32Array.of(number) : Int32Array.of(number));
      return [name, scalar];
    }),
  );
  const scalarNode = { ...node, inputs, outputs: [{ ...out, shape: [] }] };
  const result = evaluateNode({ inputs: [], outputs: [], constants: scalars, nodes: [] }, scalarNode);
  return result === undefined ? undefined : fill(result[0]?.[0] as number);
}
