/**
 * PyTorch's container from 0.1.10 to 1.5: five pickles (a magic number, a version, the writer's machine, the object, the
 * keys of its storages), then the storages in the order of the keys, each its length in elements and its raw values.
 *
 * The values are little-endian whatever the writer's machine was: PyTorch swaps them as it writes.
 */
import type { Allowance } from './allowance.ts';
import type { ByteSource } from './byte-source.ts';
import type { PickleValue } from './pickle-machine.ts';
import { type PickleStream, pickleStream } from './pickle-stream.ts';
import { quoted, type Refuse, refusalOf } from './refusal.ts';
import { stateDictOf } from './state-dict.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readTensors } from './torch-tensors.ts';
import { createStorages, isSize, type Storage, type Storages } from './torch-values.ts';
import { torchWorld } from './torch-world.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** The tensors of the file's state dict by name. @throws UserError for anything else */
export async function readPthLegacy(
  source: ByteSource,
  allowance: Allowance,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const { path } = source;
  const refuse = refusalOf(path);
  const stream = pickleStream(source, refuse);
  const storages = createStorages(refuse);
  const world = torchWorld(path, (id) => storageFrom(id, storages, refuse));
  if ((await stream.pickle(world)) !== MAGIC) throw refuse('it does not begin with the magic number');
  const version = await stream.pickle(world);
  if (version !== VERSION) throw refuse(`its version is not ${VERSION}`);
  await stream.pickle(world);
  const tensors = stateDictOf(await stream.pickle(world), path);
  const places = await findStorages(stream, await stream.pickle(world), storages, refuse);
  return readTensors(tensors, {
    bigEndian: false,
    allowance,
    refuse,
    read: ({ key, total, dtype }) => {
      const place = places.get(key);
      if (place === undefined) throw refuse(`storage ${quoted(key)} is missing`);
      return source.read(place, total * dtype.bytes);
    },
  });
}

/** `('storage', class, key, device, length, view)`; a view is null, or `(key, offset, length)` */
function storageFrom(id: PickleValue, storages: Storages, refuse: Refuse): Storage {
  // A whole module comes with its source code, `('module', class, file, code)`, but its class is refused before.
  if (!Array.isArray(id) || id[0] !== 'storage') throw refuse('something in it lies elsewhere, and is no storage');
  const whole = storages.declare(id[2], id[1], id[4]);
  const view = id[5] ?? null;
  if (view === null) return whole;
  const [, begin, length] = Array.isArray(view) ? view : [];
  if (!isSize(begin) || !isSize(length)) throw refuse(`a part of storage ${quoted(whole.key)} has no valid place`);
  return { ...whole, begin, length };
}

/** Where each storage's values begin. */
async function findStorages(
  stream: PickleStream,
  keys: PickleValue,
  storages: Storages,
  refuse: Refuse,
): Promise<ReadonlyMap<string, number>> {
  if (!Array.isArray(keys)) throw refuse('it does not list its storages');
  const places = new Map<string, number>();
  for (const key of keys) {
    const storage = typeof key === 'string' || isSize(key) ? storages.get(String(key)) : undefined;
    if (storage === undefined) throw refuse('it lists a storage that no tensor has');
    const length = await stream.int64();
    if (length !== storage.total) {
      throw refuse(`storage ${quoted(storage.key)} has ${length} elements, and ${storage.total} are announced`);
    }
    places.set(storage.key, stream.skip(length * storage.dtype.bytes));
  }
  return places;
}
