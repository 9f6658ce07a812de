/** The passes in the order in which they run. */
import { type Graph, printGraph } from '../graph.ts';

/** A rewrite that leaves the graph's meaning as it was. */
export type Pass = (graph: Graph) => Graph;

export const PASSES: Readonly<Record<string, Pass>> = {};

/** Runs all passes; `dump` sees the graph before the first and after each. */
export function optimise(graph: Graph, dump?: (stage: string, text: string) => void): Graph {
  dump?.('recorded', printGraph(graph));
  return Object.entries(PASSES).reduce((current, [name, pass]) => {
    const next = pass(current);
    dump?.(name, printGraph(next));
    return next;
  }, graph);
}
