/** Kernels that put a border around a value: of one number, or of the value itself mirrored. */
import { type Attributes, input, need, output, type Paddings, paddedShape } from '../graph.ts';
import { type Layout, physicalAxis } from '../layout.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';

const paddingsOf = ({ paddings }: Attributes): Paddings => paddings as Paddings;

const infer: Kernel['infer'] = (inputs, attributes) => {
  const x = need(inputs, 'x');
  return typed(paddedShape(x.shape, paddingsOf(attributes)), x.dtype);
};

/** A per-axis list rearranged to the physical order of a layout. */
const toPhysical = <T>(list: readonly T[], layout: Layout): T[] =>
  list.map((_, physical) => list[list.findIndex((_item, axis) => physicalAxis(axis, layout) === physical)] as T);

const pad: Kernel = {
  infer,
  lower: (node, emit) => {
    const x = input(node, 'x');
    const layout = emit.layoutOf(x);
    const fill = (node.attributes.constantValue as number | undefined) ?? 0;
    const padded = emit.pad(emit.read(x, layout), toPhysical(paddingsOf(node.attributes), layout), fill);
    emit.define(output(node), padded, layout);
  },
};

/** Each axis in turn as a gather by mirrored positions, which serves both modes. */
const mirrorPad: Kernel = {
  infer,
  lower: (node, emit) => {
    const offset = node.attributes.mode === 'reflect' ? 0 : 1;
    let wire = emit.read(input(node, 'x'));
    paddingsOf(node.attributes).forEach(([before, after], axis) => {
      if (before === 0 && after === 0) return;
      const length = wire.shape[axis] as number;
      const positions = Int32Array.from({ length: before + length + after }, (_, i) => {
        const at = i - before;
        if (at < 0) return -at - offset;
        return at < length ? at : 2 * (length - 1) - at + offset;
      });
      const shape = wire.shape.map((d, i) => (i === axis ? positions.length : d));
      const indices = emit.constant(positions, [positions.length], 'int32');
      wire = emit.op('Gather', [wire, indices], shape, { type: wire.type, attributes: { axis } });
    });
    emit.define(output(node), wire);
  },
};

export const PAD: KernelTable = { MirrorPad: mirrorPad, PadV2: pad };
