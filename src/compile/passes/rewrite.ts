/** The frame of every pass: walk the nodes in order, replace some, keep the others. */
import { type Graph, GraphBuilder, type Inputs, type Node, type Value } from '../graph.ts';
import { infer } from '../kernels/table.ts';
import type { HostArray } from '../types.ts';

/** What a pass may ask and do while it looks at a node. */
export interface Rewriter {
  /** Adds a node before the one that is looked at. */
  readonly call: (kernel: string, inputs: Inputs, attributes?: Node['attributes']) => Value;
  readonly constant: (data: HostArray, type: Pick<Value, 'shape' | 'dtype'>) => Value;
  readonly scalar: (number: number) => Value;
  /** The (already rewritten) node that computes a value; undefined for inputs and constants. */
  readonly producer: (value: Value) => Node | undefined;
  readonly dataOf: (value: Value) => HostArray | undefined;
}

/**
 * Calls `visit` with every node, its inputs already replaced. What it returns takes the place of the node's outputs;
 * `undefined` keeps the node.
 */
export function rewrite(graph: Graph, visit: (node: Node, rewriter: Rewriter) => readonly Value[] | undefined): Graph {
  const builder = new GraphBuilder(infer);
  for (const [value, data] of graph.constants) builder.keepConstant(value, data);
  const replaced = new Map<Value, Value>();
  const producers = new Map<Value, Node>();
  const remember = (node: Node): void => {
    for (const value of node.outputs) producers.set(value, node);
  };
  const follow = (value: Value): Value => replaced.get(value) ?? value;
  const rewriter: Rewriter = {
    call: (kernel, inputs, attributes = {}) => {
      const outputs = builder.emit(kernel, inputs, attributes);
      remember({ kernel, inputs, attributes, outputs });
      return outputs[0] as Value;
    },
    constant: (data, type) => builder.constant(data, type),
    scalar: (number) => builder.scalar(number),
    producer: (value) => producers.get(value),
    dataOf: (value) => builder.dataOf(value),
  };
  for (const node of graph.nodes) {
    const inputs = Object.fromEntries(Object.entries(node.inputs).map(([name, value]) => [name, follow(value)]));
    const current = { ...node, inputs };
    const replacement = visit(current, rewriter);
    if (replacement === undefined) {
      builder.keep(current);
      remember(current);
    } else {
      node.outputs.forEach((value, i) => {
        replaced.set(value, replacement[i] as Value);
      });
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: follow(value) }));
  return withoutDeadCode(builder.finish(graph.inputs, outputs));
}

/** The graph without nodes and constants that nothing reads. */
export function withoutDeadCode(graph: Graph): Graph {
  const live = new Set<Value>(graph.outputs.map(({ value }) => value));
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i] as Node;
    if (!node.outputs.some((value) => live.has(value))) continue;
    nodes.push(node);
    for (const value of Object.values(node.inputs)) live.add(value);
  }
  const constants = new Map([...graph.constants].filter(([value]) => live.has(value)));
  return { ...graph, nodes: nodes.reverse(), constants };
}
