/**
 * The compiler's intermediate representation: a graph of TensorFlow.js kernels with static shapes, in logical (NHWC) order.
 * Values are assigned once; nodes stand in an order in which they can run. Passes are functions from graph to graph.
 */
import { textOf } from './text.ts';
import type { DType, HostArray } from './types.ts';

export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The result of a node, an input or a constant. Compared by identity. */
export interface Value extends TensorType {
  readonly id: number;
}

export type Attributes = Readonly<Record<string, unknown>>;
export type Inputs = Readonly<Record<string, Value>>;

/** One kernel call: TensorFlow.js's name for it, its inputs by name, its attributes. */
export interface Node {
  readonly kernel: string;
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export interface Named {
  readonly name: string;
  readonly value: Value;
}

export interface Graph {
  readonly inputs: readonly Named[];
  readonly outputs: readonly Named[];
  readonly constants: ReadonlyMap<Value, HostArray>;
  readonly nodes: readonly Node[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** What is added before and after each axis; less than nothing is cut off. */
export type Paddings = readonly (readonly [before: number, after: number])[];

export const paddedShape = (shape: readonly number[], paddings: Paddings): number[] =>
  shape.map((d, axis) => d + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));

/** The input of that name. @throws Error if the kernel was called without it */
export function need(inputs: Inputs, name: string, kernel = 'a kernel'): Value {
  const value = inputs[name];
  if (value !== undefined) return value;
  throw new Error(`${kernel} was called without its input "${name}"; given: ${Object.keys(inputs).join(', ')}`);
}

export const input = ({ inputs, kernel }: Node, name: string): Value => need(inputs, name, kernel);

/** The first output, which for most kernels is the only one. */
export function output(node: Node): Value {
  const value = node.outputs[0];
  if (value === undefined) throw new Error(`kernel ${node.kernel} has no output`);
  return value;
}

/** What each kernel gives for what it takes. */
export type Infer = (kernel: string, inputs: Inputs, attributes: Attributes) => readonly TensorType[];

let nextId = 0;

/** A fresh value. */
export const makeValue = ({ shape, dtype }: TensorType): Value => ({ id: nextId++, shape: [...shape], dtype });

/** Grows a graph node by node. */
export class GraphBuilder {
  readonly #infer: Infer;
  readonly #constants = new Map<Value, HostArray>();
  readonly #nodes: Node[] = [];

  constructor(infer: Infer) {
    this.#infer = infer;
  }

  constant(data: HostArray, type: TensorType): Value {
    const value = makeValue(type);
    this.#constants.set(value, data);
    return value;
  }

  /** A float32 scalar. */
  scalar(number: number): Value {
    return this.constant(Float32Array.of(number), { shape: [], dtype: 'float32' });
  }

  /** The values of a constant; undefined for anything that is computed. */
  dataOf(value: Value): HostArray | undefined {
    return this.#constants.get(value);
  }

  emit(kernel: string, inputs: Inputs, attributes: Attributes = {}): readonly Value[] {
    const outputs = this.#infer(kernel, inputs, attributes).map(makeValue);
    this.#nodes.push({ kernel, inputs, attributes, outputs });
    return outputs;
  }

  /** `emit` for kernels with one output. */
  call(kernel: string, inputs: Inputs, attributes: Attributes = {}): Value {
    return this.emit(kernel, inputs, attributes)[0] as Value;
  }

  /** Takes over a node with its outputs as they are. */
  keep(node: Node): void {
    this.#nodes.push(node);
  }

  keepConstant(value: Value, data: HostArray): void {
    this.#constants.set(value, data);
  }

  finish(inputs: readonly Named[], outputs: readonly Named[]): Graph {
    return { inputs, outputs, constants: new Map(this.#constants), nodes: [...this.#nodes] };
  }
}

/** Tells whether a value has one reader alone, so that what computes it may become part of that reader. */
export function readOnceIn(graph: Graph): (value: Value) => boolean {
  const readers = new Map<Value, number>();
  const count = (value: Value): void => void readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const node of graph.nodes) new Set(Object.values(node.inputs)).forEach(count);
  // The caller reads the graph's outputs.
  for (const { value } of graph.outputs) count(value);
  return (value) => readers.get(value) === 1;
}

/** For every computed value the node that makes it. */
export function producersOf(graph: Graph): ReadonlyMap<Value, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
}

/** The graph as text, a line per node, stable enough to diff. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const fresh = graph.constants.has(value) ? `c${names.size}` : `v${names.size}`;
    names.set(value, fresh);
    return fresh;
  };
  const typeOf = (value: Value): string => `${value.dtype}[${value.shape.join(',')}]`;
  const lines = graph.inputs.map(({ name, value }) => {
    names.set(value, name);
    return `input ${name}: ${typeOf(value)}`;
  });
  for (const node of graph.nodes) {
    const inputs = Object.entries(node.inputs).map(([name, value]) => {
      const data = graph.constants.get(value);
      return `${name}=${data?.length === 1 ? textOf(data[0]) : nameOf(value)}`;
    });
    const attributes = Object.entries(node.attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${textOf(value)}`);
    const outputs = node.outputs.map((value) => `${nameOf(value)}: ${typeOf(value)}`);
    lines.push(`${outputs.join(', ')} = ${node.kernel}(${[...inputs, ...attributes].join(', ')})`);
  }
  for (const { name, value } of graph.outputs) lines.push(`output ${name} = ${nameOf(value)}`);
  return `${lines.join('\n')}\n`;
}
