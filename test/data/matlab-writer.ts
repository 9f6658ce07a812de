/** Writes MATLAB 5 files, as far as `meta.mat` needs them: an array of structures of numbers and text. */
import { deflateSync } from 'node:zlib';

const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);

function element(type: number, data: Buffer): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(data.length, 4);
  return Buffer.concat([tag, pad(data)]);
}

const int32 = (...values: number[]): Buffer => element(5, Buffer.from(Int32Array.from(values).buffer));
const flags = (arrayClass: number): Buffer => element(6, Buffer.from(Uint32Array.of(arrayClass, 0).buffer));
const name = (text: string): Buffer => element(1, Buffer.from(text));

const array = (arrayClass: number, sizes: readonly number[], called: string, ...data: Buffer[]): Buffer =>
  element(14, Buffer.concat([flags(arrayClass), int32(...sizes), name(called), ...data]));

const number = (value: number): Buffer => array(6, [1, 1], '', element(9, Buffer.from(Float64Array.of(value).buffer)));
const text = (value: string): Buffer => array(4, [1, value.length], '', element(16, Buffer.from(value)));

const FIELD_BYTES = 32;

/** An array of structures that all have the fields of the first. */
export function structures(called: string, records: readonly Readonly<Record<string, number | string>>[]): Buffer {
  const fields = Object.keys(records[0] ?? {});
  const names = Buffer.concat(fields.map((field) => Buffer.concat([Buffer.from(field)], FIELD_BYTES)));
  const values = records.flatMap((record) =>
    Object.values(record).map((value) => (typeof value === 'number' ? number(value) : text(value))),
  );
  return array(2, [records.length, 1], called, int32(FIELD_BYTES), element(1, names), ...values);
}

/** A whole file of one variable. */
export function matlabFile(variable: Buffer, { packed = false } = {}): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file');
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126);
  if (!packed) return Buffer.concat([header, variable]);
  const content = deflateSync(variable);
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, tag, content]);
}
