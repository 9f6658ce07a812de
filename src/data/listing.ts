/** What lies in a folder: names and sizes, which is all that is held of a dataset of photographs. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileError } from '../core/files.ts';

export interface ListedFile {
  /** Path from the folder, with `/` on every platform: `n02510455/panda.jpg`. */
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** Why it is not to be opened, in words: it is a link or a device. */
  readonly refused?: string;
}

/** By UTF-16 code units, as JavaScript compares strings. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names in a folder, without hidden ones. */
export function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => byCodeUnit(a.name, b.name));
  } catch (error) {
    throw fileError('read', folder, error);
  }
}

/**
 * All files at any depth, whatever their names say that they are, in the order of their ids by code unit: the same on every
 * platform, in every language. A symbolic link is followed to a file inside the folder and nowhere else.
 *
 * @param isLeftOut - of the names in the folder itself, which are passed over
 * @throws UserError naming a folder that cannot be read
 */
export function listFiles(folder: string, isLeftOut: (name: string) => boolean = () => false): ListedFile[] {
  const root = realpathSync(folder) + sep;
  const files: ListedFile[] = [];
  // Synchronous: a million small questions would each wait for the thread pool, and nothing else runs meanwhile.
  const visit = (entry: Dirent, path: string, id: string): void => {
    if (entry.isDirectory()) {
      for (const inner of entriesOf(path)) visit(inner, join(path, inner.name), `${id}/${inner.name}`);
      return;
    }
    const found = entry.isSymbolicLink()
      ? followInside(path, root)
      : entry.isFile()
        ? sizeOf(path)
        : 'it is not a file';
    files.push(typeof found === 'number' ? { id, path, bytes: found } : { id, path, bytes: 0, refused: found });
  };
  for (const entry of entriesOf(folder)) {
    if (!isLeftOut(entry.name)) visit(entry, join(folder, entry.name), entry.name);
  }
  return files.sort((a, b) => byCodeUnit(a.id, b.id));
}

/** The size of a file in bytes, or in words why there is none. */
function sizeOf(path: string): number | string {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.size : 'it is not a file';
  } catch {
    return 'it cannot be opened';
  }
}

function followInside(path: string, root: string): number | string {
  try {
    if (!realpathSync(path).startsWith(root)) return 'it is a link that leads out of the folder';
    return statSync(path).isDirectory() ? 'it is a link to another folder' : sizeOf(path);
  } catch {
    return 'it is a link to nothing';
  }
}
