/** A file in which pickles and raw numbers follow one another, as PyTorch's first two containers have them. */
import type { ByteSource } from './byte-source.ts';
import { readPickle } from './pickle.ts';
import type { PickleValue, World } from './pickle-machine.ts';

export interface PickleStream {
  /** Where the next thing begins. */
  readonly position: number;
  pickle(world: World): Promise<PickleValue>;
  /** Signed, little-endian. @throws UserError if it is no safe integer */
  int64(): Promise<number>;
  int32(): Promise<number>;
  /** Passes over bytes, which must be there. @returns where they begin */
  skip(length: number): number;
}

export function pickleStream(source: ByteSource, refuse: World['refuse']): PickleStream {
  let position = 0;
  const skip = (length: number): number => {
    if (length > source.size - position) {
      throw refuse(`${length} bytes should follow at byte ${position}, and ${source.size - position} do`);
    }
    position += length;
    return position - length;
  };
  const view = async (length: number): Promise<DataView> =>
    new DataView((await source.read(skip(length), length)).buffer);
  return {
    get position() {
      return position;
    },
    skip,
    pickle: async (world) => {
      const { value, end } = await readPickle(source, position, world);
      position = end;
      return value;
    },
    int64: async () => {
      const value = Number((await view(8)).getBigInt64(0, true));
      if (!Number.isSafeInteger(value)) throw refuse('a number in it is far too large');
      return value;
    },
    int32: async () => (await view(4)).getInt32(0, true),
  };
}
