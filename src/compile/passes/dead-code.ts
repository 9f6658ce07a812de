import type { Graph } from '../graph.ts';
import { withoutDeadCode } from './rewrite.ts';

/** Drops what no output depends on: gradients that nobody asked for. */
export const deadCode = (graph: Graph): Graph => withoutDeadCode(graph);
