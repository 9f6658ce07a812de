/** Rearranging row-major arrays while compiling, so that constants need no operators at run time. */

import type { DType, HostArray } from './types.ts';

type AnyArray = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** The values in a fresh array of the type's own kind. */
export function copyAs(values: ArrayLike<number>, dtype: DType): HostArray {
  if (dtype === 'float32') return new Float32Array(values);
  return dtype === 'int32' ? new Int32Array(values) : new Uint8Array(values);
}

/** The same, without a copy where the kind is right: TensorFlow.js may keep float32 values in an Int32Array. */
export function viewAs(values: HostArray, dtype: DType): HostArray {
  if (dtype === 'float32') return values instanceof Float32Array ? values : copyAs(values, dtype);
  const right = dtype === 'int32' ? values instanceof Int32Array : values instanceof Uint8Array;
  return right ? values : copyAs(values, dtype);
}

const stridesOf = (shape: readonly number[]): number[] => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
};

/** An empty array of the same kind. */
const emptyLike = <T extends AnyArray>(data: T, length: number): T =>
  new (data.constructor as new (length: number) => T)(length);

/** Copies `shape`-many elements, reading at `offset` and stepping by `strides` along each axis. */
function gather<T extends AnyArray>(data: T, shape: readonly number[], strides: readonly number[], offset: number): T {
  const out = emptyLike(
    data,
    shape.reduce((a, b) => a * b, 1),
  );
  const last = shape.length - 1;
  let at = 0;
  const walk = (axis: number, from: number): void => {
    const length = shape[axis] as number;
    const stride = strides[axis] as number;
    if (axis === last) {
      for (let i = 0; i < length; i++) out[at++] = data[from + i * stride] as T[number];
    } else {
      for (let i = 0; i < length; i++) walk(axis + 1, from + i * stride);
    }
  };
  if (last < 0) out[0] = data[offset] as T[number];
  else walk(0, offset);
  return out;
}

/** `data` of that shape with its axes in the order of `permutation`. */
export function transposeArray<T extends AnyArray>(
  data: T,
  shape: readonly number[],
  permutation: readonly number[],
): T {
  const strides = stridesOf(shape);
  return gather(
    data,
    permutation.map((axis) => shape[axis] as number),
    permutation.map((axis) => strides[axis] as number),
    0,
  );
}

/** `data` of that shape with the given axes running backwards. */
export function reverseArray<T extends AnyArray>(data: T, shape: readonly number[], axes: readonly number[]): T {
  const strides = stridesOf(shape);
  const offset = axes.reduce((sum, axis) => sum + ((shape[axis] as number) - 1) * (strides[axis] as number), 0);
  return gather(
    data,
    shape,
    strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    offset,
  );
}
