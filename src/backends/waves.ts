/** Numbers without ties or pattern, the same on every machine. */
export const waves = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(1 + 7 * i));
