/** PyTorch's element types and the storage classes that are named after them. */
import type { Foreign } from './pickle-machine.ts';
import type { StoredType } from './stored-tensor.ts';

export interface DataType extends Foreign {
  readonly kind: 'dtype';
  /** Bytes of one element. */
  readonly bytes: number;
  /** Absent for those that no classifier's weights have: complex, quantised, eight-bit floats, wide unsigned integers. */
  readonly stored?: StoredType;
}

const dtype = (name: string, bytes: number, stored?: StoredType): DataType => ({
  kind: 'dtype',
  name: `torch.${name}`,
  bytes,
  ...(stored && { stored }),
});

const UINT8 = dtype('uint8', 1, 'U8');

/** With the prefix of the storage class, where there is one: `torch.FloatStorage` holds float32. */
const TYPES: readonly (readonly [type: DataType, prefix?: string])[] = [
  [dtype('float64', 8, 'F64'), 'Double'],
  [dtype('float32', 4, 'F32'), 'Float'],
  [dtype('float16', 2, 'F16'), 'Half'],
  [dtype('bfloat16', 2, 'BF16'), 'BFloat16'],
  [dtype('int64', 8, 'I64'), 'Long'],
  [dtype('int32', 4, 'I32'), 'Int'],
  [dtype('int16', 2, 'I16'), 'Short'],
  [dtype('int8', 1, 'I8'), 'Char'],
  [UINT8, 'Byte'],
  [dtype('bool', 1, 'BOOL'), 'Bool'],
  [dtype('complex64', 8), 'ComplexFloat'],
  [dtype('complex128', 16), 'ComplexDouble'],
  [dtype('qint8', 1), 'QInt8'],
  [dtype('qint32', 4), 'QInt32'],
  [dtype('quint8', 1), 'QUInt8'],
  [dtype('uint16', 2)],
  [dtype('uint32', 4)],
  [dtype('uint64', 8)],
  [dtype('complex32', 4)],
  [dtype('float8_e4m3fn', 1)],
  [dtype('float8_e5m2', 1)],
];

export const DATA_TYPES: ReadonlyMap<string, DataType> = new Map(TYPES.map(([type]) => [type.name, type]));

/** By the names of their storage classes; `UntypedStorage` counts bytes. */
export const STORAGE_TYPES: ReadonlyMap<string, DataType> = new Map([
  ...named('Storage'),
  ['torch.storage.UntypedStorage', UINT8],
  ['torch.UntypedStorage', UINT8],
]);

/** By the names of the tensor classes that old files mention. */
export const TENSOR_TYPES: ReadonlyMap<string, DataType> = new Map(named('Tensor'));

/** Those of a GPU too: its memory was copied into the file like any other. */
function named(suffix: string): (readonly [name: string, type: DataType])[] {
  return TYPES.flatMap(([type, prefix]) =>
    prefix === undefined
      ? []
      : ['torch', 'torch.cuda'].map((module) => [`${module}.${prefix}${suffix}`, type] as const),
  );
}
