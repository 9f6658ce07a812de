/** The oracle network and the attacks on it in plain float64 loops: a referee that shares no code with either side. */
import { readOracle } from './oracle-net.ts';

const KERNEL = 5;
const STRIDE = 2;
const PAD = 2;

interface Convolution {
  /** [out, in, 5, 5] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly channels: number;
  readonly filters: number;
  /** Side of the square input; the output's is half. */
  readonly side: number;
  /** The indices in input, weight and output of every product, one after another. */
  readonly products: Int32Array;
}

interface Dense {
  /** [out, in] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

function productsOf({ channels, filters, side }: Pick<Convolution, 'channels' | 'filters' | 'side'>): Int32Array {
  const half = side / STRIDE;
  const found: number[] = [];
  for (let y = 0; y < filters * half * half; y++) {
    const [filter, top, left] = [Math.floor(y / (half * half)), Math.floor(y / half) % half, y % half];
    for (let channel = 0; channel < channels; channel++) {
      for (let k = 0; k < KERNEL * KERNEL; k++) {
        const row = top * STRIDE - PAD + Math.floor(k / KERNEL);
        const column = left * STRIDE - PAD + (k % KERNEL);
        if (row < 0 || row >= side || column < 0 || column >= side) continue;
        found.push((channel * side + row) * side + column, (filter * channels + channel) * KERNEL * KERNEL + k, y);
      }
    }
  }
  return Int32Array.from(found);
}

function convolve({ weight, bias, side, filters, products }: Convolution, x: Float64Array): Float64Array {
  const area = (side / STRIDE) ** 2;
  const out = Float64Array.from({ length: filters * area }, (_, i) => at(bias, Math.floor(i / area)));
  for (let n = 0; n < products.length; n += 3) {
    const o = at(products, n + 2);
    out[o] = at(out, o) + at(x, at(products, n)) * at(weight, at(products, n + 1));
  }
  return out;
}

function convolveBack({ weight, channels, side, products }: Convolution, dy: Float64Array): Float64Array {
  const dx = new Float64Array(channels * side ** 2);
  for (let n = 0; n < products.length; n += 3) {
    const i = at(products, n);
    dx[i] = at(dx, i) + at(dy, at(products, n + 2)) * at(weight, at(products, n + 1));
  }
  return dx;
}

const apply = ({ weight, bias }: Dense, x: Float64Array): Float64Array =>
  Float64Array.from(bias, (b, o) => x.reduce((sum, value, i) => sum + value * at(weight, o * x.length + i), b));

const applyBack = ({ weight }: Dense, dy: Float64Array, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => dy.reduce((sum, d, o) => sum + d * at(weight, o * size + i), 0));

const relu = (x: Float64Array): Float64Array => x.map((value) => Math.max(0, value));
const masked = (dy: Float64Array, x: Float64Array): Float64Array => dy.map((d, i) => (at(x, i) > 0 ? d : 0));

/** ∇ₓ of the cross-entropy of one class, for one image. */
export type Gradient = (x: Float64Array, label: number) => Float64Array;

export async function float64Gradient(): Promise<Gradient> {
  const read = await readOracle('mnist-net.safetensors');
  const layer = (name: string) => ({ weight: read(`${name}.weight`), bias: read(`${name}.bias`) });
  const convolution = (name: string, channels: number, filters: number, side: number): Convolution => ({
    ...layer(name),
    channels,
    filters,
    side,
    products: productsOf({ channels, filters, side }),
  });
  const first = convolution('0', 1, 8, 28);
  const second = convolution('2', 8, 16, 14);
  const [third, fourth] = [layer('5'), layer('7')];
  return (x, label) => {
    const z1 = convolve(first, x);
    const z2 = convolve(second, relu(z1));
    const z3 = apply(third, relu(z2));
    const logits = apply(fourth, relu(z3));
    const odds = logits.map((z, j) => (j === label ? 0 : Math.exp(z - at(logits, label))));
    const total = odds.reduce((a, b) => a + b, 0);
    const d4 = odds.map((odd, j) => (j === label ? -total : odd) / (1 + total));
    const d3 = masked(applyBack(fourth, d4, z3.length), z3);
    const d2 = masked(applyBack(third, d3, z2.length), z2);
    return convolveBack(first, masked(convolveBack(second, d2), z1));
  };
}

export interface Descent {
  readonly norm: 'Linf' | 'L2';
  readonly epsilon: number;
  readonly steps: number;
  readonly step: number;
  /** Share of the old velocity that is kept: steps follow v ← decay·v + g/‖g‖₁ instead of g. */
  readonly decay?: number;
}

const lengthOf = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Projected gradient descent, with momentum or without, on one image, away from `label`, or towards it. */
export function descend(
  gradient: Gradient,
  clean: Float64Array,
  label: number,
  towards: boolean,
  { norm, epsilon, steps, step, decay }: Descent,
): Float64Array {
  let x = clean;
  let velocity = new Float64Array(clean.length);
  for (let i = 0; i < steps; i++) {
    let g = gradient(x, label);
    if (decay !== undefined) {
      const sum = g.reduce((total, value) => total + Math.abs(value), 0);
      velocity = velocity.map((v, j) => decay * v + at(g, j) / sum);
      g = velocity;
    }
    const size = (norm === 'Linf' ? step : step / lengthOf(g)) * (towards ? -1 : 1);
    const moved = x.map((v, j) => v + size * (norm === 'Linf' ? Math.sign(at(g, j)) : at(g, j)) - at(clean, j));
    const shrink = norm === 'L2' ? Math.min(1, epsilon / lengthOf(moved)) : 1;
    const bounded = norm === 'Linf' ? moved.map((d) => clip(d, -epsilon, epsilon)) : moved.map((d) => d * shrink);
    x = bounded.map((d, j) => clip(at(clean, j) + d, 0, 1));
  }
  return x;
}
