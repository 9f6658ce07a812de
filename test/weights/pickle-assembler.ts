/** Small pickles and the containers around them, written instruction by instruction: also those that nobody honest writes. */
import { crc32, deflateRawSync } from 'node:zlib';

export const bytes = (...parts: readonly (string | number | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.of(part) : typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
    ),
  );

export const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
};

export const int64 = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt(value));
  return buffer;
};

/** A whole pickle of protocol 2 that leaves one value. */
export const pickle = (...parts: readonly (string | number | Uint8Array)[]): Buffer => bytes('\x80\x02', ...parts, '.');

export const text = (value: string): Buffer => bytes('X', uint32(Buffer.byteLength(value)), Buffer.from(value));
export const number = (value: number): Buffer =>
  value === Math.floor(value) && Math.abs(value) < 2 ** 31
    ? bytes('J', uint32(value >>> 0))
    : bytes('\x8a\x08', int64(value));
export const tuple = (...items: readonly Uint8Array[]): Buffer => bytes('(', ...items, 't');
export const global = (module: string, name: string): Buffer => bytes(`c${module}\n${name}\n`);
export const call = (callee: Uint8Array, ...args: readonly Uint8Array[]): Buffer => bytes(callee, tuple(...args), 'R');
export const NONE = bytes('N');
export const FALSE = bytes('\x89');
/** A dictionary of pairs. */
export const dictionary = (...items: readonly Uint8Array[]): Buffer => bytes('}', '(', ...items, 'u');

export interface StorageWords {
  readonly key?: string;
  readonly type?: string;
  readonly length?: number;
}

export const storage = ({ key = '0', type = 'FloatStorage', length = 4 }: StorageWords = {}): Buffer =>
  bytes(tuple(text('storage'), global('torch', type), text(key), text('cpu'), number(length)), 'Q');

/** A call of `_rebuild_tensor_v2`. */
export const tensor = (offset: number, shape: readonly number[], strides: readonly number[], of = storage()): Buffer =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    of,
    number(offset),
    tuple(...shape.map(number)),
    tuple(...strides.map(number)),
    FALSE,
    call(global('collections', 'OrderedDict')),
  );

export interface MemberWords {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: boolean;
  /** What the directory claims, if it is not the truth. */
  readonly size?: number;
}

/** A zip archive without zip64. */
export function zip(members: readonly MemberWords[]): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let position = 0;
  for (const { name, data, deflated = false, size = data.length } of members) {
    const packed = deflated ? deflateRawSync(data) : Buffer.from(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(deflated ? packed.length : size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = bytes('PK\x03\x04', common, Buffer.from(name), packed);
    locals.push(local);
    entries.push(bytes('PK\x01\x02', '\x14\x00', common, Buffer.alloc(10), uint32(position), Buffer.from(name)));
    position += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(position, 12);
  return bytes(...locals, directory, 'PK\x05\x06', end);
}

/** PyTorch's zip container. */
export const pthZip = (
  data: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = { 0: new Uint8Array(16) },
): Buffer =>
  zip([
    { name: 'x/data.pkl', data },
    ...Object.entries(storages).map(([key, values]) => ({ name: `x/data/${key}`, data: values })),
  ]);

export const MAGIC = pickle('\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19');

/** PyTorch's stream, whose storages have four float32 each. */
export const pthLegacy = (object: Uint8Array, keys: readonly string[] = ['0']): Buffer =>
  bytes(
    MAGIC,
    pickle(number(1001)),
    pickle('}'),
    object,
    pickle('](', ...keys.map(text), 'e'),
    ...keys.flatMap(() => [int64(4), new Uint8Array(16)]),
  );

/** The pickle of an honest state dict. */
export const HONEST = pickle(dictionary(text('w'), tensor(0, [2, 2], [2, 1])));
