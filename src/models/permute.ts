/**
 * A copy of a row-major array with its axes reordered: the result's axis i is the original's axis `order[i]`. Up to four
 * axes, in loops that a hundred million weights pass in a second.
 */
export function permute(
  values: Float32Array,
  shape: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const stride = (axis: number): number => shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const ones = Array.from({ length: 4 - shape.length }, () => 1);
  const [a, b, c, d] = [...ones, ...order.map((axis) => shape[axis])] as [number, number, number, number];
  const [sa, sb, sc, sd] = [...ones, ...order.map(stride)] as [number, number, number, number];
  const out = new Float32Array(values.length);
  let at = 0;
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++) {
        let from = i * sa + j * sb + k * sc;
        for (let l = 0; l < d; l++, from += sd) out[at++] = values[from] as number;
      }
  return out;
}
