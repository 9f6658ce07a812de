/** Kernels that make values out of nothing, or out of a condition. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sizeOf, type Value } from '../graph.ts';
import type { DType, HostArray } from '../types.ts';
import { broadcast, type Kernel, type KernelTable, typed } from './kernel.ts';
import { lowerElementwise } from './lower-elementwise.ts';
import { elementwise, where } from './operators.ts';

/** An array of one value, of the right kind. */
export function filled(value: number, length: number, dtype: DType): HostArray {
  if (dtype === 'float32') return new Float32Array(length).fill(value);
  return dtype === 'int32' ? new Int32Array(length).fill(value) : new Uint8Array(length).fill(value);
}

/** The one value that fills the result. */
export function fillValue(node: Node): number | undefined {
  if (node.kernel === 'ZerosLike') return 0;
  if (node.kernel === 'OnesLike') return 1;
  return node.kernel === 'Fill' ? Number(node.attributes.value) : undefined;
}

/** Stays one number in the file, however large the value is. */
function lowerFill(node: Node, emit: Emitter): void {
  const out = output(node);
  const scalar = emit.scalar(fillValue(node) as number, out.dtype);
  if (sizeOf(out.shape) === 1) emit.define(out, emit.reshape(scalar, out.shape));
  else emit.define(out, emit.op('Expand', [scalar, emit.ints(out.shape)], out.shape, { type: out.dtype }));
}

const like: Kernel = { infer: (inputs) => [need(inputs, 'x')], lower: lowerFill };

const sequence = (
  valuesOf: (attributes: Node['attributes']) => number[],
  dtypeOf: (a: Node['attributes']) => DType,
): Kernel => ({
  infer: (_inputs, attributes) => typed([valuesOf(attributes).length], dtypeOf(attributes)),
  lower: (node, emit) => {
    const values = valuesOf(node.attributes);
    const dtype = dtypeOf(node.attributes);
    const data = dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    emit.define(output(node), emit.constant(data, [values.length], dtype));
  },
});

function rangeValues(a: Node['attributes']): number[] {
  const { start, stop, step } = a as { start: number; stop: number; step: number };
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, i) => start + i * step);
}

function linSpaceValues(a: Node['attributes']): number[] {
  const { start, stop, num } = a as { start: number; stop: number; num: number };
  const step = num > 1 ? (stop - start) / (num - 1) : 0;
  return Array.from({ length: num }, (_, i) => start + i * step);
}

const oneHot: Kernel = {
  infer: (inputs, { depth, dtype }) =>
    typed([...need(inputs, 'indices').shape, depth as number], (dtype as DType | undefined) ?? 'int32'),
  lower: (node, emit) => {
    const out = output(node);
    const indices = emit.read(input(node, 'indices'));
    const depth = node.attributes.depth as number;
    const classes = emit.constant(
      Int32Array.from({ length: depth }, (_, i) => i),
      [depth],
      'int32',
    );
    const hot = elementwise(emit, 'Equal', [emit.reshape(indices, [...indices.shape, 1]), classes], 'bool');
    const onValue = (node.attributes.onValue as number | undefined) ?? 1;
    const offValue = (node.attributes.offValue as number | undefined) ?? 0;
    if (onValue === 1 && offValue === 0) {
      emit.define(out, emit.cast(hot, out.dtype));
      return;
    }
    const choice = [hot, emit.scalar(onValue, out.dtype), emit.scalar(offValue, out.dtype)];
    emit.define(out, emit.op('Where', choice, out.shape, { type: out.dtype }));
  },
};

/** `condition ? t : e`; a condition of rank 1 chooses whole rows. */
const select: Kernel = {
  infer: (inputs) => {
    const t = need(inputs, 't');
    const condition = need(inputs, 'condition');
    const shape = condition.shape.length === 1 && t.shape.length > 1 ? t.shape : broadcast(condition.shape, t.shape);
    return typed(broadcast(shape, need(inputs, 'e').shape), t.dtype);
  },
  lower: (node, emit) => {
    const condition = input(node, 'condition');
    const t = input(node, 't');
    if (condition.shape.length === 1 && t.shape.length > 1) {
      const rows = [condition.shape[0] as number, ...t.shape.slice(1).map(() => 1)];
      const chosen = emit.reshape(emit.read(condition), rows);
      emit.define(output(node), where(emit, chosen, emit.read(t), emit.read(input(node, 'e'))));
      return;
    }
    lowerElementwise(node, emit, ['condition', 't', 'e'], (e, chosen, then, otherwise) =>
      where(e, chosen as Wire, then as Wire, otherwise as Wire),
    );
  },
};

export const CREATE: KernelTable = {
  Fill: {
    infer: (_inputs, { shape, value, dtype }) =>
      typed(
        shape as number[],
        (dtype as Value['dtype'] | undefined) ?? (typeof value === 'number' ? 'float32' : 'bool'),
      ),
    lower: lowerFill,
  },
  LinSpace: sequence(linSpaceValues, () => 'float32'),
  OneHot: oneHot,
  OnesLike: like,
  Range: sequence(rangeValues, ({ dtype }) => (dtype as DType | undefined) ?? 'float32'),
  Select: select,
  ZerosLike: like,
};
