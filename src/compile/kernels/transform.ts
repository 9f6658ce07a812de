/**
 * Projective transforms of images, as TensorFlow.js's `tf.image.transform` has them: the output pixel (x, y) takes the value
 * at (a₀x + a₁y + a₂, b₀x + b₁y + b₂) / (c₀x + c₁y + 1) of the input, each image by its own eight numbers.
 */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output } from '../graph.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';
import { add, div, elementwise, less, mul, sub, where } from './operators.ts';

type Shape4 = [number, number, number, number];

const floor = (emit: Emitter, x: Wire): Wire => elementwise(emit, 'Floor', [x]);
const clamp = (emit: Emitter, x: Wire, most: number): Wire =>
  emit.op('Clip', [x, emit.scalar(0), emit.scalar(most)], x.shape);

/** Where in an axis of that length a coordinate outside of it is read. */
function mapped(emit: Emitter, x: Wire, length: number, mode: unknown): Wire {
  const number = (value: number): Wire => emit.scalar(value);
  switch (mode) {
    case 'nearest':
      return clamp(emit, x, length - 1);
    case 'reflect': {
      // dcba|abcd|dcba, with a period of twice the length.
      const period = number(2 * length);
      const within = sub(emit, x, mul(emit, period, floor(emit, div(emit, x, period))));
      const mirrored = sub(emit, number(2 * length - 1), within);
      return clamp(emit, where(emit, less(emit, within, number(length)), within, mirrored), length - 1);
    }
    case 'wrap': {
      if (length === 1) return clamp(emit, x, 0);
      const [size, step] = [number(length), number(length - 1)];
      const turns = (distance: Wire): Wire => mul(emit, size, floor(emit, div(emit, distance, step)));
      const before = add(emit, x, add(emit, turns(elementwise(emit, 'Neg', [x])), size));
      const beyond = sub(emit, x, turns(x));
      const outside = where(emit, less(emit, x, number(0)), before, where(emit, less(emit, step, x), beyond, x));
      return clamp(emit, outside, length - 1);
    }
    default:
      return x;
  }
}

/** Input coordinates of every output pixel: two wires [N, P]. */
function coordinates(emit: Emitter, transforms: Wire, height: number, width: number): { x: Wire; y: Wire } {
  const pixels = height * width;
  const axis = (of: (pixel: number) => number): Wire =>
    emit.constant(
      Float32Array.from({ length: pixels }, (_, i) => of(i)),
      [1, pixels],
      'float32',
    );
  const [columns, rows] = [axis((i) => i % width), axis((i) => Math.floor(i / width))];
  const entry = (i: number): Wire => emit.slice(transforms, [{ axis: 1, begin: i, end: i + 1 }]);
  const linear = (i: number): Wire => add(emit, mul(emit, entry(i), columns), mul(emit, entry(i + 1), rows));
  const projection = add(emit, linear(6), emit.scalar(1));
  const along = (i: number): Wire => div(emit, add(emit, linear(i), entry(i + 2)), projection);
  return { x: along(0), y: along(3) };
}

interface Source {
  /** The pixels of all images one after another: [N · H · W, C]. */
  readonly pixels: Wire;
  readonly shape: Shape4;
  readonly fill: number;
}

/** The pixels [N, P, C] at whole coordinates [N, P]; the fill value outside the image. */
function pixelsAt(emit: Emitter, { pixels, shape: [n, h, w, c], fill }: Source, x: Wire, y: Wire): Wire {
  const count = x.shape[1] as number;
  const within = (at: Wire, length: number): Wire =>
    elementwise(emit, 'Equal', [at, clamp(emit, at, length - 1)], 'bool');
  const inside = elementwise(emit, 'And', [within(x, w), within(y, h)], 'bool');
  const place = where(emit, inside, add(emit, mul(emit, y, emit.scalar(w)), x), emit.scalar(0));
  const image = Int32Array.from({ length: n }, (_, i) => i * h * w);
  const index = elementwise(emit, 'Add', [emit.cast(place, 'int32'), emit.constant(image, [n, 1], 'int32')]);
  const found = emit.op('Gather', [pixels, index], [n, count, c], { attributes: { axis: 0 } });
  return where(emit, emit.reshape(inside, [n, count, 1]), found, emit.scalar(fill));
}

function bilinear(emit: Emitter, source: Source, x: Wire, y: Wire): Wire {
  const one = emit.scalar(1);
  const [left, top] = [floor(emit, x), floor(emit, y)];
  const [right, bottom] = [add(emit, left, one), add(emit, top, one)];
  const share = (value: Wire): Wire => emit.reshape(value, [...value.shape, 1]);
  const blend = (before: Wire, after: Wire, low: Wire, high: Wire, at: Wire): Wire =>
    add(emit, mul(emit, share(sub(emit, high, at)), before), mul(emit, share(sub(emit, at, low)), after));
  const row = (at: Wire): Wire =>
    blend(pixelsAt(emit, source, left, at), pixelsAt(emit, source, right, at), left, right, x);
  return blend(row(top), row(bottom), top, bottom, y);
}

function nearest(emit: Emitter, source: Source, x: Wire, y: Wire): Wire {
  const round = (at: Wire): Wire => floor(emit, add(emit, at, emit.scalar(0.5)));
  return pixelsAt(emit, source, round(x), round(y));
}

const transform: Kernel = {
  infer: (inputs, { outputShape }) => {
    const [n, h, w, c] = need(inputs, 'image').shape as Shape4;
    const [height, width] = (outputShape as [number, number] | null | undefined) ?? [h, w];
    return typed([n, height, width, c], 'float32');
  },
  lower: (node: Node, emit) => {
    const out = output(node);
    const [n, height, width] = out.shape as Shape4;
    const image = emit.cast(emit.read(input(node, 'image')), 'float32');
    const given = emit.read(input(node, 'transforms'));
    const transforms = given.shape[0] === n ? given : emit.op('Expand', [given, emit.ints([n, 8])], [n, 8]);
    const [, h, w, c] = image.shape as Shape4;
    const { interpolation, fillMode, fillValue } = node.attributes;
    const source = {
      pixels: emit.reshape(image, [n * h * w, c]),
      shape: [n, h, w, c] as Shape4,
      fill: fillValue as number,
    };
    const at = coordinates(emit, transforms, height, width);
    const [x, y] = [mapped(emit, at.x, w, fillMode), mapped(emit, at.y, h, fillMode)];
    const sampled = (interpolation === 'bilinear' ? bilinear : nearest)(emit, source, x, y);
    emit.define(out, emit.reshape(sampled, out.shape));
  },
};

export const TRANSFORM: KernelTable = { Transform: transform };
