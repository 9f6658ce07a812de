/** What the pickle of a PyTorch file says of its tensors: where their values lie, before any is read. */
import { type Foreign, isForeign, type PickleValue } from './pickle-machine.ts';
import { quoted, type Refuse } from './refusal.ts';
import type { DataType } from './torch-types.ts';

/** A run of elements somewhere in the file, or a part of such a run. */
export interface Storage extends Foreign {
  readonly kind: 'storage';
  /** What the container calls the whole. */
  readonly key: string;
  readonly dtype: DataType;
  /** Elements of the whole. */
  readonly total: number;
  /** Where the part begins, and how long it is, in elements. */
  readonly begin: number;
  readonly length: number;
}

/** Which elements of a storage a tensor has: offset and strides count elements. Nothing of it is checked yet. */
export interface Tensor extends Foreign {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly dtype: DataType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** `torch.FloatStorage` or `torch.FloatTensor`: a class that stands for a type. */
export interface TypeClass extends Foreign {
  readonly kind: 'storage class' | 'tensor class';
  readonly dtype: DataType;
}

const is =
  <F extends Foreign>(kind: F['kind']) =>
  (value: PickleValue | undefined): value is F =>
    isForeign(value) && value.kind === kind;

export const isTensor = is<Tensor>('tensor');
export const isStorage = is<Storage>('storage');
export const isStorageClass = is<TypeClass & { readonly kind: 'storage class' }>('storage class');
export const isDataType = is<DataType>('dtype');
export const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
/** The length first: a list can be as long as the file, and be named many times. */
const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isSize);

/** PyTorch itself goes no further. */
const MAX_DIMENSIONS = 64;
/** A tensor whose numbers are numbers; whether they lie inside the storage is seen when it is read. */
export function tensorOf(
  storage: Storage,
  dtype: DataType,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  refuse: Refuse,
): Tensor {
  if (!isSize(offset)) throw refuse('a tensor in it has no valid offset');
  if (!isSizes(shape)) throw refuse('a tensor in it has no valid shape');
  if (!isSizes(strides) || strides.length !== shape.length) throw refuse('a tensor in it has no valid strides');
  return { kind: 'tensor', name: 'torch.Tensor', storage, dtype, offset, shape: [...shape], strides: [...strides] };
}

/** The storages of a file by key. Each is mentioned wherever a tensor lies in it, and always as the same. */
export interface Storages {
  /** @throws UserError for what is no storage, or differs from an earlier mention */
  readonly declare: (key: unknown, type: PickleValue | undefined, length: unknown) => Storage;
  readonly get: (key: string) => Storage | undefined;
}

export function createStorages(refuse: Refuse): Storages {
  const known = new Map<string, Storage>();
  const declare: Storages['declare'] = (key, type, length) => {
    if (!isStorageClass(type)) throw refuse('a storage in it has no type');
    if (typeof key !== 'string' && !isSize(key)) throw refuse('a storage in it has no valid key');
    const name = String(key);
    if (!isSize(length)) throw refuse(`storage ${quoted(name)} has no valid length`);
    const { dtype } = type;
    const first = known.get(name);
    if (first !== undefined && (first.dtype !== dtype || first.total !== length)) {
      throw refuse(`storage ${quoted(name)} is described in two ways`);
    }
    const storage: Storage = { kind: 'storage', name: type.name, key: name, dtype, total: length, begin: 0, length };
    known.set(name, first ?? storage);
    return first ?? storage;
  };
  return { declare, get: (key) => known.get(key) };
}
