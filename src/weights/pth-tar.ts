/**
 * PyTorch's first container, until 0.1.9: a tar archive with the members `storages` and `tensors`, which number what they
 * hold, and `pickle`, which refers to the numbers.
 */
import type { Allowance } from './allowance.ts';
import type { ByteSource } from './byte-source.ts';
import { readPickle } from './pickle.ts';
import type { PickleValue, World } from './pickle-machine.ts';
import { pickleStream } from './pickle-stream.ts';
import { quoted, type Refuse, refusalOf } from './refusal.ts';
import { stateDictOf } from './state-dict.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readTar } from './tar.ts';
import { readTensors } from './torch-tensors.ts';
import { createStorages, isSize, type Storage, type Tensor, tensorOf } from './torch-values.ts';
import { torchWorld } from './torch-world.ts';

/** Far more than any network has. */
const MAX_COUNT = 100_000;
const MAX_DIMENSIONS = 64;

/** The tensors of the file's state dict by name. @throws UserError for anything else */
export async function readPthTar(source: ByteSource, allowance: Allowance): Promise<ReadonlyMap<string, StoredTensor>> {
  const { path } = source;
  const refuse = refusalOf(path);
  const members = await readTar(source, refuse);
  const member = (name: string): ByteSource => {
    const found = members.get(name);
    if (found === undefined) throw refuse(`it is a tar archive without the member ${name}`);
    return found;
  };
  const inert = torchWorld(path, () => {
    throw refuse('something in it lies elsewhere');
  });
  const { storages, places } = await readStorages(member('storages'), inert);
  const tensors = await readTensorList(member('tensors'), storages, inert);
  const world = torchWorld(path, (id) => {
    const found = isKey(id) ? (tensors.get(String(id)) ?? storages.get(String(id))) : undefined;
    if (found === undefined) throw refuse('something in it lies elsewhere, and is not there');
    return found;
  });
  const { value } = await readPickle(member('pickle'), 0, world);
  return readTensors(stateDictOf(value, path), {
    bigEndian: false,
    allowance,
    refuse,
    read: ({ key, total, dtype }) => member('storages').read(places.get(key) as number, total * dtype.bytes),
  });
}

interface StorageList {
  readonly storages: ReadonlyMap<string, Storage>;
  /** Where the values of each begin. */
  readonly places: ReadonlyMap<string, number>;
}

/** How many, then each as the pickle `(key, device, class)`, its length and its values; then the list of parts of them. */
async function readStorages(source: ByteSource, world: World): Promise<StorageList> {
  const { refuse } = world;
  const stream = pickleStream(source, refuse);
  const declared = createStorages(refuse);
  const storages = new Map<string, Storage>();
  const places = new Map<string, number>();
  for (let left = requireCount(await stream.pickle(world), refuse); left > 0; left--) {
    const [key, , type] = requireList(await stream.pickle(world), refuse);
    const storage = declared.declare(key, type, await stream.int64());
    storages.set(storage.key, storage);
    places.set(storage.key, stream.skip(storage.total * storage.dtype.bytes));
  }
  for (const part of requireList(await stream.pickle(world), refuse)) {
    const [key, rootKey, begin, length] = requireList(part, refuse);
    const root = declared.get(String(isKey(rootKey) ? rootKey : ''));
    if (root === undefined || !isKey(key) || !isSize(begin) || !isSize(length)) {
      throw refuse('a part of a storage in it has no valid place');
    }
    storages.set(String(key), { ...root, begin, length });
  }
  return { storages, places };
}

/** How many, then each as the pickle `(key, storage, class)`, its dimensions, its shape, its strides and its offset. */
async function readTensorList(
  source: ByteSource,
  storages: ReadonlyMap<string, Storage>,
  world: World,
): Promise<ReadonlyMap<string, Tensor>> {
  const { refuse } = world;
  const stream = pickleStream(source, refuse);
  const tensors = new Map<string, Tensor>();
  for (let left = requireCount(await stream.pickle(world), refuse); left > 0; left--) {
    const [key, storageKey] = requireList(await stream.pickle(world), refuse);
    const storage = isKey(storageKey) ? storages.get(String(storageKey)) : undefined;
    if (!isKey(key) || storage === undefined) throw refuse('a tensor in it has no storage');
    const dimensions = await stream.int32();
    if (!isSize(dimensions) || dimensions > MAX_DIMENSIONS)
      throw refuse(`tensor ${quoted(String(key))} has no valid shape`);
    // Their number was once written with eight bytes.
    stream.skip(4);
    const numbers: number[] = [];
    while (numbers.length < 2 * dimensions) numbers.push(await stream.int64());
    const shape = numbers.slice(0, dimensions);
    const strides = numbers.slice(dimensions);
    const offset = await stream.int64();
    tensors.set(String(key), tensorOf(storage, storage.dtype, offset, shape, strides, refuse));
  }
  return tensors;
}

const isKey = (value: PickleValue | undefined): value is string | number => typeof value === 'string' || isSize(value);

function requireCount(value: PickleValue, refuse: Refuse): number {
  if (!isSize(value) || value > MAX_COUNT) throw refuse('it does not say how many things it holds');
  return value;
}

function requireList(value: PickleValue, refuse: Refuse): readonly PickleValue[] {
  if (!Array.isArray(value)) throw refuse('a list in it is none');
  return value;
}
