/** ONNX operators on wires that broadcast against each other. */
import type { Emitter, Wire } from '../emitter.ts';
import type { OnnxType } from '../onnx.ts';
import { broadcast } from './kernel.ts';

export const wireShape = (wires: readonly Wire[]): number[] => wires.map((w) => [...w.shape]).reduce(broadcast);

/** An ONNX operator applied to wires that broadcast; the result has the first wire's type unless told. */
export function elementwise(emit: Emitter, operator: string, wires: readonly Wire[], type?: OnnxType): Wire {
  return emit.op(operator, wires, wireShape(wires), { type: type ?? (wires[0]?.type as OnnxType) });
}

export const add = (emit: Emitter, a: Wire, b: Wire): Wire => elementwise(emit, 'Add', [a, b]);
export const sub = (emit: Emitter, a: Wire, b: Wire): Wire => elementwise(emit, 'Sub', [a, b]);
export const mul = (emit: Emitter, a: Wire, b: Wire): Wire => elementwise(emit, 'Mul', [a, b]);
export const div = (emit: Emitter, a: Wire, b: Wire): Wire => elementwise(emit, 'Div', [a, b]);
/** `condition ? then : otherwise`. ONNX Runtime chooses between numbers alone, so booleans are numbers on the way. */
export function where(emit: Emitter, condition: Wire, then: Wire, otherwise: Wire): Wire {
  if (then.type !== 'bool') return elementwise(emit, 'Where', [condition, then, otherwise], then.type);
  const numbers = [then, otherwise].map((wire) => emit.cast(wire, 'int32'));
  return emit.cast(elementwise(emit, 'Where', [condition, ...numbers], 'int32'), 'bool');
}
export const less = (emit: Emitter, a: Wire, b: Wire): Wire => elementwise(emit, 'Less', [a, b], 'bool');
