/** The unit step and the masks that are made of it, as ramps so steep that no number lies on them: arithmetic alone. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sameShape, type Value } from '../graph.ts';
import { type Kernel, typed } from './kernel.ts';
import { lowerElementwise } from './lower-elementwise.ts';
import { elementwise } from './operators.ts';

/** min(1, max(0, slope·x + offset)) */
const ramp = (emit: Emitter, x: Wire, slope: number, offset: number): Wire =>
  emit.op('HardSigmoid', [x], x.shape, { attributes: { alpha: { float: slope }, beta: { float: offset } } });

/** 1 where x > 0, else 0, as float32, without a detour over bool. */
export const heaviside = (emit: Emitter, x: Wire): Wire => ramp(emit, x, 1e38, 0);

/** A power of two: products with it are exact. */
const STEEP = 2 ** 100;

/** 1 where x < limit, else 0, for a limit between 2⁻²⁰ and 2²⁰: next to it numbers lie no closer than 2⁻⁴⁴. */
const below = (emit: Emitter, x: Wire, limit: number): Wire => ramp(emit, x, -STEEP, limit * STEEP);

const isLimit = (number: number | undefined): number is number =>
  number !== undefined && Math.abs(number) >= 2 ** -20 && Math.abs(number) <= 2 ** 20;

/** What is compared with which number, if the step is that of a difference between the two. */
function comparison(node: Node, emit: Emitter): { readonly x: Value; readonly limit: number } | undefined {
  const difference = emit.producer(input(node, 'x'));
  if (difference?.kernel !== 'Sub') return undefined;
  const [limit, x] = [emit.dataOf(input(difference, 'a')), input(difference, 'b')];
  const simple = limit?.length === 1 && x.dtype === 'float32' && sameShape(x.shape, output(node).shape);
  return simple && isLimit(limit[0]) ? { x, limit: limit[0] } : undefined;
}

/** 1 where x > 0, else α. ONNX Runtime drops a difference that is not needed. */
export const step: Kernel = {
  infer: (inputs) => typed(need(inputs, 'x').shape, need(inputs, 'x').dtype),
  lower: (node, emit) => {
    const alpha = (node.attributes.alpha as number | undefined) ?? 0;
    const compared = alpha === 0 ? comparison(node, emit) : undefined;
    if (compared !== undefined) {
      const { x, limit } = compared;
      lowerElementwise({ ...node, inputs: { x } }, emit, ['x'], (e, wire) => below(e, wire as Wire, limit));
      return;
    }
    lowerElementwise(node, emit, ['x'], (e, wire) => {
      const x = e.cast(wire as Wire, 'float32');
      if (alpha === 0) return e.cast(heaviside(e, x), (wire as Wire).type);
      const positive = elementwise(e, 'Greater', [x, e.scalar(0)], 'bool');
      return e.cast(elementwise(e, 'Where', [positive, e.scalar(1), e.scalar(alpha)], 'float32'), (wire as Wire).type);
    });
  },
};
