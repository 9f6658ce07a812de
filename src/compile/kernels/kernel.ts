/** What the compiler knows of a kernel: the type of its results, and how to write it in ONNX. */
import type { Emitter } from '../emitter.ts';
import type { Attributes, Inputs, Node, TensorType, Value } from '../graph.ts';

export interface Kernel {
  /** TensorFlow.js expects a list of outputs, even of one. */
  readonly several?: true;
  /** The types of the outputs. `inputs` are named as TensorFlow.js names them. */
  infer(inputs: Inputs, attributes: Attributes): readonly TensorType[];
  /** Writes the node's ONNX operators and says where its outputs are. */
  lower(node: Node, emit: Emitter): void;
}

export type KernelTable = Readonly<Record<string, Kernel>>;

export const typed = (shape: readonly number[], dtype: Value['dtype']): readonly TensorType[] => [{ shape, dtype }];

/** Axis numbers counted from the front, ascending; `undefined` means all. */
export function axesOf(axis: unknown, rank: number): number[] {
  const given = axis === undefined || axis === null ? Array.from({ length: rank }, (_, i) => i) : axis;
  const list = Array.isArray(given) ? (given as number[]) : [given as number];
  return list.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
}

/** The shape of `a op b` by NumPy's rule. @throws Error if they do not fit */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}
