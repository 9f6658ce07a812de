/** The passes in the order in which they run. */
import { type Graph, printGraph } from '../graph.ts';
import { commonSubexpressions } from './common-subexpressions.ts';
import { deadCode } from './dead-code.ts';
import { foldConstants } from './fold-constants.ts';
import { foldScales } from './fold-scales.ts';
import { fuseActivation } from './fuse-activation.ts';
import { fuseBias } from './fuse-bias.ts';
import { hoistFactors } from './hoist-factors.ts';
import { maskFromOutput } from './mask-from-output.ts';
import { simplify } from './simplify.ts';

/** A rewrite that leaves the graph's meaning as it was. */
export type Pass = (graph: Graph) => Graph;

const CLEANING: readonly (readonly [string, Pass])[] = [
  ['simplify', simplify],
  ['fold-constants', foldConstants],
  ['common-subexpressions', commonSubexpressions],
];

export const PASSES: readonly (readonly [string, Pass])[] = [
  ['dead-code', deadCode],
  ...CLEANING,
  ...CLEANING,
  ['hoist-factors', hoistFactors],
  ...CLEANING,
  ...CLEANING,
  ['mask-from-output', maskFromOutput],
  ['fold-scales', foldScales],
  ['fuse-bias', fuseBias],
  ['fuse-activation', fuseActivation],
  ...CLEANING,
];

/** Runs all passes; `dump` sees the graph before the first and after each. */
export function optimise(graph: Graph, dump?: (stage: string, text: string) => void): Graph {
  dump?.('00-recorded', printGraph(graph));
  return PASSES.reduce((current, [name, pass], i) => {
    const next = pass(current);
    dump?.(`${String(i + 1).padStart(2, '0')}-${name}`, printGraph(next));
    return next;
  }, graph);
}
