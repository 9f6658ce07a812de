/** Compares compiled kernels with TensorFlow.js's `cpu` backend, many cases to a session. */
import { expect } from 'vitest';
import { lower } from '../../src/compile/compile.ts';
import { type Graph, sizeOf } from '../../src/compile/graph.ts';
import { copyAs } from '../../src/compile/host-array.ts';
import type { KernelTable } from '../../src/compile/kernels/kernel.ts';
import { encodeModel } from '../../src/compile/onnx.ts';
import { optimise } from '../../src/compile/passes/optimise.ts';
import { recordFunction } from '../../src/compile/recorder.ts';
import { openSession } from '../../src/compile/session.ts';
import { type Target, targetOf } from '../../src/compile/target.ts';
import type { DType, HostArray, HostTensor, TensorSpec } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';
import { PROVIDER, RELATIVE } from './provider.ts';

/** A function of tensors, and what to call it with. */
export interface Case {
  /** Shown when the case fails. */
  readonly title: string;
  readonly inputs: readonly Operand[];
  readonly fn: (...tensors: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];
  /**
   * How far a result may be from the reference, relative to its own size plus `scale`; `exact`: not at all. Whole numbers
   * and truth values are always compared exactly.
   */
  readonly tolerance?: number | 'exact';
  /** The magnitude of what was added up to make a result; the largest value of the reference by default. */
  readonly scale?: number;
  /** Replaces TensorFlow.js where it is wrong: takes what the compiled function gave, and judges it. */
  readonly judge?: (results: HostTensor[], inputs: readonly HostTensor[]) => void;
}

export interface Operand extends HostTensor {
  /** `constant`: known while compiling. `channelsFirst`: arrives from a kernel that works in that layout. */
  readonly arrives?: 'input' | 'constant' | 'channelsFirst';
}

const seen = new Set<string>();

/** The kernels of a table that `agree` has not compiled in this file. */
export const missed = (table: KernelTable): string[] => Object.keys(table).filter((kernel) => !seen.has(kernel));

/** What a case gives on the reference backend. */
export function reference({ inputs, fn }: Case): HostTensor[] {
  void tf.setBackend('cpu');
  let results: HostTensor[] = [];
  tf.tidy(() => {
    results = listOf(fn(...inputs.map(toTensor))).map(toHost);
  });
  return results;
}

/**
 * Compiles all cases into one graph, once as recorded and once rewritten by the passes, and compares every result with the
 * reference.
 *
 * @param target - for what to compile them, if not as the provider would have it
 */
export async function agree(cases: readonly Case[], target?: Target): Promise<void> {
  const expected = cases.map((one) => (one.judge === undefined ? reference(one) : undefined));
  const { graph, feeds } = record(cases);
  for (const node of graph.nodes) seen.add(node.kernel);
  // What the passes mean is the same everywhere: elsewhere than on the CPU only what is really run is compared.
  const variants = { ...(PROVIDER === 'cpu' ? { 'as recorded': graph } : {}), optimised: optimise(graph) };
  for (const [how, variant] of Object.entries(variants)) {
    const results = await run(variant, feeds, target).catch((error: unknown) => {
      const titles = cases.map(({ title }) => title).join('; ');
      throw new Error(`${how}, running ${titles}: ${error instanceof Error ? error.message : error}`);
    });
    cases.forEach((one, i) => {
      const own = graph.outputs.flatMap(({ name }, k) => (caseOf(name) === i ? [results[k] as HostTensor] : []));
      const title = `${one.title} (${how})`;
      if (one.judge !== undefined) one.judge(own, one.inputs);
      else compare(title, own, expected[i] as readonly HostTensor[], one);
    });
  }
}

/** Runs a graph in ONNX Runtime. */
export async function run(graph: Graph, feeds: readonly HostArray[], target?: Target): Promise<HostTensor[]> {
  const onnx = lower(graph, target ?? (await targetOf(PROVIDER)));
  const session = await openSession(encodeModel(onnx), onnx.inputs, onnx.outputs, { threads: 1, provider: PROVIDER });
  try {
    const arrays = await session.run(feeds);
    return graph.outputs.map(({ value }, i) => ({
      data: arrays[i] as HostArray,
      shape: value.shape,
      dtype: value.dtype,
    }));
  } finally {
    await session.release();
  }
}

const caseOf = (name: string): number => Number(name.split('.')[0]);

function record(cases: readonly Case[]): { graph: Graph; feeds: HostArray[] } {
  void tf.setBackend('cpu');
  const specs: Record<string, TensorSpec> = {};
  const feeds: HostArray[] = [];
  const constants = new Map<string, tf.Tensor>();
  const forEachOperand = (visit: (operand: Operand, name: string) => void): void => {
    cases.forEach(({ inputs }, i) => {
      inputs.forEach((operand, k) => {
        visit(operand, `${i}.${k}`);
      });
    });
  };
  forEachOperand((operand, name) => {
    if (operand.arrives === 'constant') {
      constants.set(name, toTensor(operand));
      return;
    }
    specs[name] = { shape: operand.shape, dtype: operand.dtype };
    feeds.push(operand.data);
  });
  try {
    const { graph } = recordFunction((tensors) => recordCases(cases, tensors, constants), specs, 'frozen');
    return { graph, feeds };
  } finally {
    for (const tensor of constants.values()) tensor.dispose();
  }
}

function recordCases(
  cases: readonly Case[],
  tensors: Readonly<Record<string, tf.Tensor>>,
  constants: ReadonlyMap<string, tf.Tensor>,
): Record<string, tf.Tensor> {
  const outputs: Record<string, tf.Tensor> = {};
  cases.forEach(({ inputs, fn, title }, i) => {
    const operands = inputs.map((operand, k) => {
      const tensor = (tensors[`${i}.${k}`] ?? constants.get(`${i}.${k}`)) as tf.Tensor;
      return operand.arrives === 'channelsFirst' ? throughChannelsFirst(tensor) : tensor;
    });
    try {
      listOf(fn(...operands)).forEach((tensor, k) => {
        outputs[`${i}.${k}`] = tensor;
      });
    } catch (error) {
      throw new Error(`while recording ${title}: ${error instanceof Error ? error.stack : error}`);
    }
  });
  return outputs;
}

/** The same values, computed by a kernel that leaves them in channels-first order. */
const throughChannelsFirst = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 1, 1, 'valid');

const listOf = (result: tf.Tensor | readonly tf.Tensor[]): readonly tf.Tensor[] =>
  result instanceof tf.Tensor ? [result] : result;

const toTensor = ({ data, shape, dtype }: HostTensor): tf.Tensor => tf.tensor(data.slice(), [...shape], dtype);

const toHost = (tensor: tf.Tensor): HostTensor => ({
  data: copyAs(tensor.dataSync(), tensor.dtype as DType),
  shape: tensor.shape,
  dtype: tensor.dtype as DType,
});

/** Compares lists of results: shapes and types exactly, numbers as the tolerance says. */
export function compare(
  title: string,
  results: readonly HostTensor[],
  expected: readonly HostTensor[],
  { tolerance = RELATIVE, scale }: Pick<Case, 'tolerance' | 'scale'> = {},
): void {
  const types = (list: readonly HostTensor[]) => list.map(({ shape, dtype }) => `${dtype}[${shape}]`);
  expect(types(results), `types of ${title}`).toEqual(types(expected));
  expected.forEach((reference, i) => {
    const { data, shape, dtype } = results[i] as HostTensor;
    expect(data.length, `length of ${title}`).toBe(sizeOf(shape));
    const exact = dtype !== 'float32' || tolerance === 'exact';
    const size = scale ?? largest(reference.data);
    for (let at = 0; at < data.length; at++) {
      const [got, wanted] = [data[at] as number, reference.data[at] as number];
      if (same(got, wanted, exact ? 0 : tolerance, size)) continue;
      const message = `result ${i} of ${title} at ${at} of [${shape}]: got ${got}, reference has ${wanted}`;
      expect.fail(`${message}\ngot ${show(data)}\nreference ${show(reference.data)}`);
    }
  });
}

/** The largest finite magnitude. */
const largest = (data: HostArray): number =>
  Array.from(data, Math.abs).reduce((most, v) => (v > most && v < Number.POSITIVE_INFINITY ? v : most), 0);

const show = (data: HostArray): string => `[${data.slice(0, 32).join(', ')}${data.length > 32 ? ', ...' : ''}]`;

function same(got: number, wanted: number, tolerance: number, scale: number): boolean {
  if (got === wanted || (Number.isNaN(got) && Number.isNaN(wanted))) return true;
  if (!Number.isFinite(got) || !Number.isFinite(wanted)) return false;
  return Math.abs(got - wanted) <= tolerance * (Math.abs(wanted) + scale);
}
