import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { dataType, encodeModel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from '../../src/compile/onnx.ts';

const EMPTY: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };

const ascii = (text: string): number[] => Array.from(new TextEncoder().encode(text));

/** A field of bytes: its tag (number · 8 + 2), its length, itself. */
const field = (number: number, content: readonly number[]): number[] => [number * 8 + 2, content.length, ...content];

/** A field with a small number: its tag (number · 8 + 0), itself. */
const small = (number: number, value: number): number[] => [
  ...(number > 15 ? [((number * 8) & 127) | 128, number >> 4] : [number * 8]),
  value,
];

/** The model around a graph: version of the format, producer, the graph, the operator sets. */
const model = (graph: readonly number[]): number[] => [
  ...small(1, 8),
  ...field(2, ascii('gibbon')),
  ...field(7, graph),
  ...field(8, [...field(1, []), ...small(2, 17)]),
  ...field(8, [...field(1, ascii('com.microsoft')), ...small(2, 1)]),
  ...field(8, [...field(1, ascii('com.microsoft.nchwc')), ...small(2, 1)]),
];

const NAME = field(2, ascii('compiled'));

const node = (attributes: OnnxNode['attributes'], more: Partial<OnnxNode> = {}): OnnxNode => ({
  operator: 'Op',
  domain: '',
  inputs: ['a', ''],
  outputs: ['b'],
  attributes,
  ...more,
});

/** What stands before a node's attributes. */
const NODE = [
  ...field(1, ascii('a')),
  ...field(1, []),
  ...field(2, ascii('b')),
  ...field(3, ascii('b')),
  ...field(4, ascii('Op')),
];

describe('the wire format', () => {
  it('of a model without content', () => {
    expect(Array.from(encodeModel(EMPTY))).toEqual(model(NAME));
  });

  const attributes: readonly (readonly [string, OnnxAttribute, readonly number[]])[] = [
    ['a small number', 5, [...small(3, 5), ...small(20, 2)]],
    ['a number of two bytes', 300, [24, 0xac, 0x02, ...small(20, 2)]],
    [
      'a negative number: ten bytes of two’s complement',
      -1,
      [24, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, ...small(20, 2)],
    ],
    ['a float: four bytes, the least first', { float: 1.5 }, [21, 0, 0, 0xc0, 0x3f, ...small(20, 1)]],
    ['a list of floats', { floats: [1.5, -2] }, [61, 0, 0, 0xc0, 0x3f, 61, 0, 0, 0, 0xc0, ...small(20, 6)]],
    ['a text', 'hi', [...field(4, ascii('hi')), ...small(20, 3)]],
    ['a list', [1, -2], [64, 1, 64, 254, 255, 255, 255, 255, 255, 255, 255, 255, 1, ...small(20, 7)]],
  ];

  it.each(attributes)('of %s', (_what, value, bytes) => {
    const attribute = field(5, [...field(1, ascii('x')), ...bytes]);
    const graph = [...field(1, [...NODE, ...attribute]), ...NAME];
    expect(Array.from(encodeModel({ ...EMPTY, nodes: [node({ x: value })] }))).toEqual(model(graph));
  });

  it('of a node in another domain', () => {
    const graph = [...field(1, [...NODE, ...field(7, ascii('d'))]), ...NAME];
    expect(Array.from(encodeModel({ ...EMPTY, nodes: [node({}, { domain: 'd' })] }))).toEqual(model(graph));
  });

  it('of a constant: shape, type, name, bytes as they lie in memory', () => {
    const whole = Float32Array.of(9, 1, -2, 9);
    const tensor = { name: 'c', type: 'float32', shape: [2, 1], data: whole.subarray(1, 3) } as const;
    const bytes = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
    const graph = [
      ...NAME,
      ...field(5, [...small(1, 2), ...small(1, 1), ...small(2, 1), ...field(8, ascii('c')), ...field(9, bytes)]),
    ];
    expect(Array.from(encodeModel({ ...EMPTY, initializers: [tensor] }))).toEqual(model(graph));
  });

  it('of inputs and outputs: name, type, shape', () => {
    const port = (name: string, type: number, shape: readonly number[]): number[] => {
      const dimensions = shape.flatMap((d) => field(1, small(1, d)));
      return [...field(1, ascii(name)), ...field(2, field(1, [...small(1, type), ...field(2, dimensions)]))];
    };
    const graph = [...NAME, ...field(11, port('x', 6, [3, 1])), ...field(12, port('y', 9, []))];
    const ports = {
      inputs: [{ name: 'x', type: 'int32', shape: [3, 1] }],
      outputs: [{ name: 'y', type: 'bool', shape: [] }],
    } as const;
    expect(Array.from(encodeModel({ ...EMPTY, ...ports }))).toEqual(model(graph));
  });

  it('of types has the numbers of TensorProto.DataType', () => {
    expect((['float32', 'int32', 'int64', 'bool', 'float64'] as const).map(dataType)).toEqual([1, 6, 7, 9, 11]);
  });
});

describe('ONNX Runtime', () => {
  it('reads what is written, and computes what it says', async () => {
    const graph: OnnxGraph = {
      nodes: [
        { operator: 'LeakyRelu', domain: '', inputs: ['x'], outputs: ['y'], attributes: { alpha: { float: 0.25 } } },
        { operator: 'Transpose', domain: '', inputs: ['y'], outputs: ['z'], attributes: { perm: [1, 0] } },
        { operator: 'Concat', domain: '', inputs: ['z', 'c'], outputs: ['out'], attributes: { axis: -1 } },
      ],
      initializers: [{ name: 'c', type: 'float32', shape: [3, 1], data: Float32Array.of(7, 8, 9) }],
      inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
      outputs: [{ name: 'out', type: 'float32', shape: [3, 3] }],
    };
    const session = await ort.InferenceSession.create(encodeModel(graph), { graphOptimizationLevel: 'disabled' });
    expect(session.inputNames).toEqual(['x']);
    const { out } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(-4, 2, -3, 4, 5, -6), [2, 3]) });
    expect(out?.dims).toEqual([3, 3]);
    expect(Array.from(out?.data as Float32Array)).toEqual([-1, 4, 7, 2, 5, 8, -0.75, -1.5, 9]);
    await session.release();
  });
});
