/** How kernels that work element by element are lowered: they run in whatever layout their operands are in. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, output, sameShape, sizeOf, type Value } from '../graph.ts';
import { type Layout, physicalShape, readBroadcast } from '../layout.ts';

/** Writes one elementwise operation: wires that broadcast against each other in, one wire out. */
export type Write = (emit: Emitter, ...wires: Wire[]) => Wire;

/**
 * Blocks where all full operands are in blocks: element by element it does not matter what a place in memory means. Else
 * channels-first as soon as one full operand is.
 */
function commonLayout(emit: Emitter, values: readonly Value[], out: Value): Layout {
  if (out.shape.length !== 4) return 'logical';
  const blocked = (v: Value): boolean => emit.isBlocked(v) && sameShape(v.shape, out.shape);
  if (values.some(blocked) && values.every((v) => blocked(v) || sizeOf(v.shape) === 1)) return 'blocked';
  return values.some((v) => v.shape.length === 4 && emit.layoutOf(v) === 'channelsFirst') ? 'channelsFirst' : 'logical';
}

/** Lowers a node whose output is computed element by element from the named inputs. */
export function lowerElementwise(node: Node, emit: Emitter, names: readonly string[], write: Write): void {
  const values = names.map((name) => input(node, name));
  const out = output(node);
  const layout = commonLayout(emit, values, out);
  const wires = values.map((value) => readBroadcast(emit, value, layout));
  emit.define(out, emit.reshape(write(emit, ...wires), physicalShape(out.shape, layout)), layout);
}
