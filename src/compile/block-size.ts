/**
 * Which block of channels this machine's convolutions work in: 16 with AVX-512, 8 with AVX2 or NEON, none elsewhere. ONNX
 * Runtime does not say, so a small convolution is tried with each and compared with the ordinary one.
 */
import { Emitter } from './emitter.ts';
import { type Graph, GraphBuilder, makeValue } from './graph.ts';
import { infer, kernelOf } from './kernels/table.ts';
import { encodeModel } from './onnx.ts';
import { openSession } from './session.ts';

const CANDIDATES = [16, 8];
const CHANNELS = 16;
const TOLERANCE = 1e-4;

let found: Promise<number> | undefined;

/** The block size, probed once per process; 0 if blocked convolutions do not work here. */
export function blockSize(): Promise<number> {
  found ??= probe();
  return found;
}

/** x ⊛ w with both as inputs, so that nothing is rearranged beforehand. */
function sample(): Graph {
  const x = makeValue({ shape: [1, 4, 4, CHANNELS], dtype: 'float32' });
  const filter = makeValue({ shape: [3, 3, CHANNELS, CHANNELS], dtype: 'float32' });
  const builder = new GraphBuilder(infer);
  const y = builder.call('Conv2D', { x, filter }, { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 });
  return builder.finish(
    [
      { name: 'x', value: x },
      { name: 'filter', value: filter },
    ],
    [{ name: 'y', value: y }],
  );
}

async function probe(): Promise<number> {
  const expected = await run(0);
  for (const block of CANDIDATES) {
    const result = await run(block).catch(() => undefined);
    if (result?.every((value, i) => Math.abs(value - (expected[i] as number)) < TOLERANCE)) return block;
  }
  return 0;
}

async function run(block: number): Promise<Float32Array> {
  const graph = sample();
  const emitter = new Emitter(graph, { provider: 'cpu', block, poolIndices: true });
  for (const node of graph.nodes) kernelOf(node.kernel).lower(node, emitter);
  const onnx = emitter.finish();
  const session = await openSession(encodeModel(onnx), onnx.inputs, onnx.outputs);
  const inputs = graph.inputs.map(({ value }) => {
    const size = value.shape.reduce((a, b) => a * b, 1);
    return Float32Array.from({ length: size }, (_, i) => Math.sin(i + value.shape.length));
  });
  try {
    return (await session.run(inputs))[0] as Float32Array;
  } finally {
    await session.release();
  }
}
