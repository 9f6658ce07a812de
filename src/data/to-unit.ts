/** Bytes 0 … 255 as float32 in [0,1]. */
export function toUnit(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  // A plain loop: `Float32Array.from` with a function is ten times slower, which an epoch would feel.
  for (let i = 0; i < bytes.length; i++) values[i] = (bytes[i] as number) / 255;
  return values;
}
