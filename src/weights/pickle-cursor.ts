/** The bytes of a pickle, taken one after the other; multi-byte numbers are little-endian but for BINFLOAT. */

/** Thrown where a pickle wants more bytes than there are. */
export class OutOfBytes extends Error {}

export interface Cursor {
  /** Of the next byte. */
  readonly position: number;
  byte(): number;
  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** Up to the next line feed, which is skipped. */
  line(): string;
  uint16(): number;
  int32(): number;
  uint32(): number;
  /** @throws OutOfBytes for what no file can have */
  uint64(): number;
  /** Big-endian. */
  float64(): number;
}

const LINE_FEED = 0x0a;

export function cursorOver(all: Uint8Array<ArrayBuffer>): Cursor {
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  let position = 0;
  /** Where the next `length` bytes begin, which are taken. */
  const take = (length: number): number => {
    // Checked before anything of that length is made: a claimed length may be anything.
    if (length > all.length - position) throw new OutOfBytes();
    position += length;
    return position - length;
  };
  return {
    get position() {
      return position;
    },
    byte: () => view.getUint8(take(1)),
    bytes: (length) => {
      const begin = take(length);
      return all.subarray(begin, begin + length);
    },
    line: () => {
      const end = all.indexOf(LINE_FEED, position);
      if (end === -1) throw new OutOfBytes();
      const begin = take(end + 1 - position);
      return latin1(all.subarray(begin, end));
    },
    uint16: () => view.getUint16(take(2), true),
    int32: () => view.getInt32(take(4), true),
    uint32: () => view.getUint32(take(4), true),
    uint64: () => Number(view.getBigUint64(take(8), true)),
    float64: () => view.getFloat64(take(8)),
  };
}

export const latin1 = (bytes: Uint8Array<ArrayBuffer>): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
