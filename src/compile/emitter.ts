/**
 * Turns lowered kernels into ONNX operators, and keeps track of memory layouts: TensorFlow.js's values are NHWC, ONNX
 * Runtime's convolutions NCHW. Every value lives where it was computed and is transposed only when somebody really needs
 * the other order; what is constant is transposed here, not at run time.
 */
import { type Graph, type Node, type Paddings, paddedShape, producersOf, sizeOf, type Value } from './graph.ts';
import { reverseArray, transposeArray } from './host-array.ts';
import { BLOCKED_DOMAIN, type Layout, TO_CHANNELS_FIRST, TO_LOGICAL } from './layout.ts';
import { dataType, type OnnxAttribute, type OnnxGraph, type OnnxNode, type OnnxTensor, type OnnxType } from './onnx.ts';
import type { Target } from './target.ts';
import { textOf } from './text.ts';
import type { DType, HostArray } from './types.ts';

type WireData = HostArray | BigInt64Array;

/** A tensor of the ONNX graph, with its physical shape. `data` is known for constants. */
export interface Wire {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: OnnxType;
  readonly data?: WireData;
}

interface OpOptions {
  readonly type?: OnnxType;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

export class Emitter {
  readonly #graph: Graph;
  readonly #producers: ReadonlyMap<Value, Node>;
  readonly #wires = new Map<Value, Map<Layout, Wire>>();
  readonly #home = new Map<Value, Layout>();
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #smallConstants = new Map<string, Wire>();
  readonly #reshaped = new Map<string, Wire>();
  readonly #given = new Set<string>();
  #count = 0;

  readonly target: Target;

  constructor(graph: Graph, target: Target) {
    this.#graph = graph;
    this.#producers = producersOf(graph);
    this.target = target;
    graph.inputs.forEach(({ value }, i) => {
      this.define(value, { name: inputName(i), shape: value.shape, type: value.dtype });
      this.#given.add(inputName(i));
    });
  }

  /** The values of a constant of the source graph. */
  dataOf(value: Value): HostArray | undefined {
    return this.#graph.constants.get(value);
  }

  /** The node of the source graph that computes a value; undefined for inputs and constants. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  /** Says that the value is computed by this wire, in this layout. */
  define(value: Value, wire: Wire, layout: Layout = 'logical'): void {
    this.#wires.set(value, new Map([[layout, wire]]));
    this.#home.set(value, layout);
  }

  /** Whether these are the bytes of an array that the caller hands in, wherever in memory he keeps it. */
  isGiven(wire: Wire): boolean {
    return this.#given.has(wire.name);
  }

  /** The layout the value was computed in, blocks aside: what an elementwise kernel should read it in. */
  layoutOf(value: Value): 'logical' | 'channelsFirst' {
    return (this.#home.get(value) ?? 'logical') === 'logical' ? 'logical' : 'channelsFirst';
  }

  /** Whether the value was computed in blocks of channels. */
  isBlocked(value: Value): boolean {
    return this.#home.get(value) === 'blocked';
  }

  /** The value in that layout, transposed if need be, once. */
  read(value: Value, layout: Layout = 'logical'): Wire {
    const known = this.#wires.get(value) ?? new Map<Layout, Wire>();
    this.#wires.set(value, known);
    const there = known.get(layout);
    if (there !== undefined) return there;
    const wire = this.#convert(value, layout, known);
    known.set(layout, wire);
    return wire;
  }

  #convert(value: Value, layout: Layout, known: ReadonlyMap<Layout, Wire>): Wire {
    if (layout === 'blocked') {
      const plain = this.read(value, 'channelsFirst');
      return this.op('ReorderInput', [plain], plain.shape, { domain: BLOCKED_DOMAIN });
    }
    if (layout === 'channelsFirst') {
      const blocked = known.get('blocked');
      if (blocked === undefined) return this.transpose(this.read(value), TO_CHANNELS_FIRST);
      const attributes = { channels: blocked.shape[1] as number };
      return this.op('ReorderOutput', [blocked], blocked.shape, { domain: BLOCKED_DOMAIN, attributes });
    }
    const data = this.dataOf(value);
    if (data !== undefined) return this.constant(data, value.shape, value.dtype);
    if (known.size === 0) throw new Error(`value ${value.id} is read before it is computed`);
    return this.transpose(this.read(value, 'channelsFirst'), TO_LOGICAL);
  }

  /** An operator with one output of the given physical shape. Unused optional inputs are `undefined`. */
  op(operator: string, inputs: readonly (Wire | undefined)[], shape: readonly number[], options: OpOptions = {}): Wire {
    return this.ops(operator, inputs, [{ shape, type: options.type ?? 'float32' }], options)[0] as Wire;
  }

  /** An operator with several outputs. */
  ops(
    operator: string,
    inputs: readonly (Wire | undefined)[],
    outputs: readonly { readonly shape: readonly number[]; readonly type: OnnxType }[],
    { attributes = {}, domain = '' }: OpOptions = {},
  ): Wire[] {
    const wires = outputs.map(({ shape, type }) => ({ name: `t${this.#count++}`, shape, type }));
    // ONNX Runtime takes an empty name at the end for an input that is not constant, and gives up its blocked layout.
    const given = inputs.slice(0, inputs.findLastIndex((wire) => wire !== undefined) + 1);
    const names = given.map((wire) => (wire === undefined ? '' : this.#use(wire)));
    this.#nodes.push({ operator, domain, inputs: names, outputs: wires.map(({ name }) => name), attributes });
    return wires;
  }

  /** Constants become part of the file only when an operator reads them. */
  #use(wire: Wire): string {
    if (wire.data !== undefined && !this.#constants.has(wire.name)) {
      this.#constants.set(wire.name, { name: wire.name, type: wire.type, shape: wire.shape, data: wire.data });
    }
    return wire.name;
  }

  constant(data: WireData, shape: readonly number[], type: OnnxType): Wire {
    if (data.length > 16) return { name: `c${this.#count++}`, shape, type, data };
    const key = `${type}[${shape}]${Array.from(data as ArrayLike<number | bigint>, textOf)}`;
    const known = this.#smallConstants.get(key);
    if (known !== undefined) return known;
    const wire = { name: `c${this.#count++}`, shape, type, data };
    this.#smallConstants.set(key, wire);
    return wire;
  }

  /** Zeros of that shape, the same wire each time. */
  zeros(shape: readonly number[]): Wire {
    const key = `zeros[${shape}]`;
    const wire = this.#smallConstants.get(key) ?? this.constant(new Float32Array(sizeOf(shape)), shape, 'float32');
    this.#smallConstants.set(key, wire);
    return wire;
  }

  scalar(value: number, type: 'float32' | 'int32' | 'bool' = 'float32'): Wire {
    if (type === 'float32') return this.constant(Float32Array.of(value), [], type);
    return this.constant(type === 'int32' ? Int32Array.of(value) : Uint8Array.of(value), [], type);
  }

  /** A list of int64, as shapes, axes and pads are given. */
  ints(values: readonly number[]): Wire {
    return this.constant(BigInt64Array.from(values.map(BigInt)), [values.length], 'int64');
  }

  reshape(wire: Wire, shape: readonly number[]): Wire {
    if (String(wire.shape) === String(shape)) return wire;
    if (wire.data !== undefined) return this.constant(wire.data, shape, wire.type);
    const key = `${wire.name}:${shape}`;
    const known = this.#reshaped.get(key);
    if (known !== undefined) return known;
    // Without `allowzero` an axis of length 0 would mean "as long as the input's".
    const options = { type: wire.type, ...(shape.includes(0) ? { attributes: { allowzero: 1 } } : {}) };
    const reshaped = this.op('Reshape', [wire, this.ints(shape)], shape, options);
    this.#reshaped.set(key, reshaped);
    if (this.isGiven(wire)) this.#given.add(reshaped.name);
    return reshaped;
  }

  transpose(wire: Wire, permutation: readonly number[]): Wire {
    const shape = permutation.map((axis) => wire.shape[axis] as number);
    const moved = permutation.filter((axis) => wire.shape[axis] !== 1);
    // Only axes of length one change places: the bytes stay where they are.
    if (moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))) return this.reshape(wire, shape);
    if (wire.data !== undefined) {
      return this.constant(transposeArray(wire.data, wire.shape, permutation), shape, wire.type);
    }
    return this.op('Transpose', [wire], shape, { type: wire.type, attributes: { perm: permutation } });
  }

  /** The wire with the given axes running backwards. */
  reverse(wire: Wire, axes: readonly number[]): Wire {
    const turned = axes.filter((axis) => wire.shape[axis] !== 1);
    if (turned.length === 0) return wire;
    if (wire.data !== undefined)
      return this.constant(reverseArray(wire.data, wire.shape, turned), wire.shape, wire.type);
    const starts = this.ints(turned.map(() => -1));
    const ends = this.ints(turned.map(() => Number.MIN_SAFE_INTEGER));
    const steps = this.ints(turned.map(() => -1));
    return this.op('Slice', [wire, starts, ends, this.ints(turned), steps], wire.shape, { type: wire.type });
  }

  /** `wire[..., begin:end:step, ...]` along each given axis. */
  slice(
    wire: Wire,
    ranges: readonly { readonly axis: number; readonly begin: number; readonly end: number; readonly step?: number }[],
  ): Wire {
    const cut = ranges.filter(
      ({ axis, begin, end, step }) => begin !== 0 || end !== wire.shape[axis] || (step !== undefined && step !== 1),
    );
    if (cut.length === 0) return wire;
    const shape = [...wire.shape];
    for (const { axis, begin, end, step = 1 } of cut) shape[axis] = Math.max(0, Math.ceil((end - begin) / step));
    const inputs = [
      cut.map((c) => c.begin),
      cut.map((c) => c.end),
      cut.map((c) => c.axis),
      cut.map((c) => c.step ?? 1),
    ];
    return this.op('Slice', [wire, ...inputs.map((list) => this.ints(list))], shape, { type: wire.type });
  }

  /** Pads each axis by [before, after]; negative amounts crop. */
  pad(wire: Wire, paddings: Paddings, fill = 0): Wire {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return wire;
    const amounts = this.ints([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
    const value = fill === 0 ? undefined : this.scalar(fill, wire.type as DType);
    return this.op('Pad', [wire, amounts, value], paddedShape(wire.shape, paddings), { type: wire.type });
  }

  cast(wire: Wire, type: OnnxType): Wire {
    if (wire.type === type) return wire;
    return this.op('Cast', [wire], wire.shape, { type, attributes: { to: dataType(type) } });
  }

  /** The finished ONNX graph; every graph output in logical order under its own name. */
  finish(): OnnxGraph {
    const outputs = this.#graph.outputs.map(({ value }, i) => {
      const wire = this.read(value);
      const names = [this.#use(wire)];
      this.#nodes.push({ operator: 'Identity', domain: '', inputs: names, outputs: [outputName(i)], attributes: {} });
      return { name: outputName(i), type: wire.type, shape: value.shape };
    });
    const inputs = this.#graph.inputs.map(({ value }, i) => ({
      name: inputName(i),
      type: value.dtype,
      shape: value.shape,
    }));
    return { nodes: this.#nodes, initializers: [...this.#constants.values()], inputs, outputs };
  }
}

const inputName = (index: number): string => `in${index}`;
const outputName = (index: number): string => `out${index}`;
