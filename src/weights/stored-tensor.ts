/** Tensors as they lie in a file: the exact bits, whatever their type. */

/** Bytes of one element, under the names of safetensors. */
export const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
export type StoredType = keyof typeof ELEMENT_BYTES;

interface Stored<D extends StoredType, A> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: A;
}

/** F16 and BF16 are the raw sixteen bits, a BOOL is a byte, 0 or 1. Tensors that share their storage share `data.buffer`. */
export type StoredTensor =
  | Stored<'F64', Float64Array<ArrayBuffer>>
  | Stored<'F32', Float32Array<ArrayBuffer>>
  | Stored<'F16' | 'BF16', Uint16Array<ArrayBuffer>>
  | Stored<'I64', BigInt64Array<ArrayBuffer>>
  | Stored<'I32', Int32Array<ArrayBuffer>>
  | Stored<'I16', Int16Array<ArrayBuffer>>
  | Stored<'I8', Int8Array<ArrayBuffer>>
  | Stored<'U8' | 'BOOL', Uint8Array<ArrayBuffer>>;

/**
 * The tensor whose values lie in `bytes`, row-major and little-endian. Nothing is copied.
 *
 * @param bytes - aligned to the element's size, and exactly as many as `shape` needs
 */
export function storedTensor(
  dtype: StoredType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): StoredTensor {
  const { buffer, byteOffset } = bytes;
  const length = bytes.byteLength / ELEMENT_BYTES[dtype];
  switch (dtype) {
    case 'F64':
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, length) };
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, length) };
    case 'F16':
    case 'BF16':
      return { dtype, shape, data: new Uint16Array(buffer, byteOffset, length) };
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, length) };
    case 'I16':
      return { dtype, shape, data: new Int16Array(buffer, byteOffset, length) };
    case 'I8':
      return { dtype, shape, data: new Int8Array(buffer, byteOffset, length) };
    case 'U8':
    case 'BOOL':
      return { dtype, shape, data: bytes };
  }
}
