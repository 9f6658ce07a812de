/**
 * Writes ONNX models: the few messages of onnx.proto3 that inference graphs need, in protocol buffers' wire format.
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */

export type OnnxType = 'float32' | 'int32' | 'bool' | 'int64' | 'float64';

/** TensorProto.DataType */
const DATA_TYPE: Readonly<Record<OnnxType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };

/** The ONNX number of a type, for the `to` attribute of Cast. */
export const dataType = (type: OnnxType): number => DATA_TYPE[type];

/** A number (or list) is an integer attribute; a float attribute says so. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] };

export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  /** An empty name leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

/** Newer operator sets have Pad, MaxPool and ConvTranspose that CUDA lacks kernels for. */
const OPSET = 17;
const IR_VERSION = 8;
const DOMAINS = [
  ['', OPSET],
  ['com.microsoft', 1],
  ['com.microsoft.nchwc', 1],
] as const;

/** The model's bytes. @throws RangeError above protocol buffers' limit of 2 GiB */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const model = new Message();
  model.integer(1, IR_VERSION);
  model.text(2, 'gibbon');
  model.message(7, encodeGraph(graph));
  for (const [domain, version] of DOMAINS) {
    const opset = new Message();
    opset.text(1, domain);
    opset.integer(2, version);
    model.message(8, opset);
  }
  if (model.length >= 2 ** 31) throw new RangeError(`the model has ${model.length} bytes; ONNX files end at 2 GiB`);
  return model.bytes();
}

function encodeGraph({ nodes, initializers, inputs, outputs }: OnnxGraph): Message {
  const graph = new Message();
  for (const node of nodes) graph.message(1, encodeNode(node));
  graph.text(2, 'compiled');
  for (const tensor of initializers) graph.message(5, encodeTensor(tensor));
  for (const port of inputs) graph.message(11, encodePort(port));
  for (const port of outputs) graph.message(12, encodePort(port));
  return graph;
}

function encodeNode({ operator, domain, inputs, outputs, attributes }: OnnxNode): Message {
  const node = new Message();
  for (const name of inputs) node.text(1, name);
  for (const name of outputs) node.text(2, name);
  node.text(3, outputs[0] ?? operator);
  node.text(4, operator);
  for (const [name, value] of Object.entries(attributes)) node.message(5, encodeAttribute(name, value));
  if (domain !== '') node.text(7, domain);
  return node;
}

function encodeAttribute(name: string, value: OnnxAttribute): Message {
  const attribute = new Message();
  attribute.text(1, name);
  if (typeof value === 'number') {
    attribute.integer(3, value);
    attribute.integer(20, 2);
  } else if (typeof value === 'string') {
    attribute.text(4, value);
    attribute.integer(20, 3);
  } else if ('float' in value) {
    attribute.float(2, value.float);
    attribute.integer(20, 1);
  } else if ('floats' in value) {
    for (const item of value.floats) attribute.float(7, item);
    attribute.integer(20, 6);
  } else {
    for (const item of value) attribute.integer(8, item);
    attribute.integer(20, 7);
  }
  return attribute;
}

function encodeTensor({ name, type, shape, data }: OnnxTensor): Message {
  const tensor = new Message();
  for (const d of shape) tensor.integer(1, d);
  tensor.integer(2, DATA_TYPE[type]);
  tensor.text(8, name);
  tensor.raw(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return tensor;
}

function encodePort({ name, type, shape }: OnnxPort): Message {
  const dimensions = new Message();
  for (const d of shape) {
    const dimension = new Message();
    dimension.integer(1, d);
    dimensions.message(1, dimension);
  }
  const tensorType = new Message();
  tensorType.integer(1, DATA_TYPE[type]);
  tensorType.message(2, dimensions);
  const valueType = new Message();
  valueType.message(1, tensorType);
  const port = new Message();
  port.text(1, name);
  port.message(2, valueType);
  return port;
}

const VARINT = 0;
const DELIMITED = 2;
const FIXED32 = 5;

/** A message under construction: chunks that are joined once, at the end, so that weights are copied only once. */
class Message {
  readonly #chunks: Uint8Array[] = [];
  length = 0;

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  #tag(field: number, wire: number): void {
    this.#push(varint(BigInt((field << 3) | wire)));
  }

  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#push(varint(BigInt.asUintN(64, BigInt(value))));
  }

  float(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  raw(field: number, bytes: Uint8Array): void {
    this.#tag(field, DELIMITED);
    this.#push(varint(BigInt(bytes.length)));
    this.#push(bytes);
  }

  text(field: number, value: string): void {
    this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, inner: Message): void {
    this.#tag(field, DELIMITED);
    this.#push(varint(BigInt(inner.length)));
    for (const chunk of inner.#chunks) this.#push(chunk);
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
