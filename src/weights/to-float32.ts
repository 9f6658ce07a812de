/** Stored values as float32, the one type that networks compute in. */
import type { StoredTensor, StoredType } from './stored-tensor.ts';

const FLOATS: ReadonlySet<StoredType> = new Set<StoredType>(['F64', 'F32', 'F16', 'BF16']);

export const isFloat = ({ dtype }: StoredTensor): boolean => FLOATS.has(dtype);

/**
 * The values as float32, in a new array unless they are float32 already. F16, BF16, BOOL and integers are exact, F64 is
 * rounded to the nearest.
 *
 * @throws RangeError naming the first value that `misfit` names
 */
export function toFloat32(tensor: StoredTensor): Float32Array<ArrayBuffer> {
  const problem = misfit(tensor);
  if (problem !== undefined) throw new RangeError(`there is the value ${problem}`);
  switch (tensor.dtype) {
    case 'F32':
      return tensor.data;
    case 'F16':
      return widen(tensor.data, halfToSingle);
    case 'BF16':
      return widen(tensor.data, (bits) => bits << 16);
    case 'I64':
      return Float32Array.from(tensor.data, Number);
    default:
      return new Float32Array(tensor.data);
  }
}

/**
 * What keeps a tensor from being float32, in words: a finite F64 beyond ±3.4e38, or an integer that float32 would round
 * (the first is 2²⁴ + 1).
 */
export function misfit({ dtype, data }: StoredTensor): string | undefined {
  let index = -1;
  if (dtype === 'F64') index = data.findIndex((x) => Number.isFinite(x) && !Number.isFinite(Math.fround(x)));
  if (dtype === 'I32') index = data.findIndex((x) => Math.fround(x) !== x);
  if (dtype === 'I64') index = data.findIndex((x) => BigInt(Math.fround(Number(x))) !== x);
  return index === -1 ? undefined : `${data[index]} (value ${index}), which does not fit into float32`;
}

/** Through the bits, so that the payload of a NaN survives too. */
function widen(halves: Uint16Array<ArrayBuffer>, bitsOf: (half: number) => number): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = bitsOf(halves[i] as number);
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16 as binary32: the exponent's bias is 15 in one and 127 in the other, the fraction 10 bits and 23. */
function halfToSingle(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // fraction · 2⁻²⁴ has no leading one to leave out: it is shifted up until it has.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
