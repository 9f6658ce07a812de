import type { Graph, Node, Value } from '../graph.ts';
import { textOf } from '../text.ts';
import { rewrite } from './rewrite.ts';

/** The same kernel on the same inputs is computed once: the forward pass of a gradient and that of its loss, above all. */
export function commonSubexpressions(graph: Graph): Graph {
  const seen = new Map<string, readonly Value[]>();
  const constants = new Map<string, Value>();
  // Small equal constants count as one value.
  const keyOf = (value: Value, data: ArrayLike<number> | undefined): string => {
    if (data === undefined || data.length > 64) return `v${value.id}`;
    const text = `${value.dtype}[${value.shape}]${Array.from(data, textOf)}`;
    const first = constants.get(text) ?? value;
    constants.set(text, first);
    return `v${first.id}`;
  };
  return rewrite(graph, (node, { dataOf }) => {
    const inputs = Object.entries(node.inputs).map(([name, value]) => `${name}=${keyOf(value, dataOf(value))}`);
    const key = `${node.kernel}(${commutative(node) ? inputs.map((i) => i.slice(2)).sort() : inputs})${attributesKey(node)}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, node.outputs);
    return earlier;
  });
}

const COMMUTATIVE = new Set(['Add', 'Multiply', 'Maximum', 'Minimum', 'LogicalAnd', 'LogicalOr', 'Equal', 'NotEqual']);

/** Only where the result has the same type either way. */
const commutative = (node: Node): boolean => COMMUTATIVE.has(node.kernel);

const attributesKey = (node: Node): string =>
  textOf(Object.entries(node.attributes).filter(([, value]) => value !== undefined && value !== null));
