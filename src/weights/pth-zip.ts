/**
 * PyTorch's container since 1.6: a zip archive with the pickle `ROOT/data.pkl`, which leaves its storages to the members
 * `ROOT/data/KEY`.
 */
import { UserError } from '../core/errors.ts';
import type { Allowance } from './allowance.ts';
import { type ByteSource, inMemory } from './byte-source.ts';
import { readPickle } from './pickle.ts';
import type { PickleValue } from './pickle-machine.ts';
import { quoted, type Refuse, refusalOf } from './refusal.ts';
import { stateDictOf } from './state-dict.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readTensors } from './torch-tensors.ts';
import { createStorages, type Storage, type Storages } from './torch-values.ts';
import { torchWorld } from './torch-world.ts';
import { openZip, type ZipArchive } from './zip.ts';

/** The tensors of the file's state dict by name. @throws UserError for anything else */
export async function readPthZip(source: ByteSource, allowance: Allowance): Promise<ReadonlyMap<string, StoredTensor>> {
  const { path } = source;
  const refuse = refusalOf(path);
  const archive = await openZip(source, allowance, refuse);
  const root = rootOf(archive, path);
  const storages = createStorages(refuse);
  const world = torchWorld(path, (id) => storageFrom(id, storages, refuse));
  const pickle = inMemory(path, await archive.read(`${root}/data.pkl`));
  const tensors = stateDictOf((await readPickle(pickle, 0, world)).value, path);
  return readTensors(tensors, {
    bigEndian: await isBigEndian(archive, root, refuse),
    allowance,
    refuse,
    read: async ({ key, total, dtype }) => {
      const name = `${root}/data/${key}`;
      const needed = total * dtype.bytes;
      const size = archive.sizeOf(name);
      if (size !== needed) throw refuse(`storage ${quoted(key)} needs ${needed} bytes and has ${size ?? 'none'}`);
      return archive.read(name);
    },
  });
}

/** The one folder that holds `data.pkl`. */
function rootOf({ names }: ZipArchive, path: string): string {
  const roots = names.flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  const [root] = roots;
  if (names.some((name) => /^[^/]+\/constants\.pkl$/.test(name))) {
    throw new UserError(
      `${path} is a TorchScript archive, which holds a program; nothing was run. ` +
        'Save its state dict alone: torch.save(model.state_dict(), FILE)',
    );
  }
  if (root === undefined || roots.length > 1) {
    const found = names.slice(0, 3).map(quoted).join(', ');
    throw new UserError(`${path} is a zip archive, but not one of PyTorch, which has one data.pkl: it holds ${found}`);
  }
  return root;
}

/** `('storage', class, key, device, length)` */
function storageFrom(id: PickleValue, storages: Storages, refuse: Refuse): Storage {
  if (!Array.isArray(id) || id[0] !== 'storage') throw refuse('something in it lies elsewhere, and is no storage');
  return storages.declare(id[2], id[1], id[4]);
}

async function isBigEndian(archive: ZipArchive, root: string, refuse: Refuse): Promise<boolean> {
  const name = `${root}/byteorder`;
  // Files of PyTorch before 2.1 do not say; they come from little-endian machines.
  if (archive.sizeOf(name) === undefined) return false;
  const order = Buffer.from(await archive.read(name)).toString('latin1');
  if (order !== 'little' && order !== 'big') throw refuse(`its byte order is ${quoted(order)}`);
  return order === 'big';
}
