/**
 * Functions as graphics processors are to compute them.
 *
 * WGSL, the shading language of WebGPU, promises less of its own functions than TensorFlow.js's `cpu` backend keeps (its
 * specification's section "Floating Point Accuracy"): tanh is good to 1e-5, log between 1/2 and 2 to 2⁻²¹, sin and cos to 2⁻¹¹,
 * all absolutely, so that of a small result no digit may be right. Sums and products are as good as elsewhere, quotients
 * nearly, so what matters is computed from those.
 *
 * What stays: a shader may take numbers below 2⁻¹²⁶ for zero, and may take it that there is no NaN. Sums, comparisons, minima
 * and maxima of ONNX Runtime do let it through, and so do the functions here; a rectifier makes 0 of it, because ONNX Runtime
 * computes that inside the convolution before it.
 */
import type { Emitter, Wire } from '../emitter.ts';
import { add, div, elementwise, less, mul, sub, where } from './operators.ts';

export type Unary = (emit: Emitter, x: Wire) => Wire;

/** The shader's own. */
const apply =
  (operator: string): Unary =>
  (emit, x) =>
    elementwise(emit, operator, [x]);

const [abs, sqrt, neg, floor] = ['Abs', 'Sqrt', 'Neg', 'Floor'].map(apply) as [Unary, Unary, Unary, Unary];

const half: Unary = (emit, x) => mul(emit, x, emit.scalar(0.5));
const twice: Unary = (emit, x) => mul(emit, x, emit.scalar(2));

/** c₀xⁿ + c₁xⁿ⁻¹ + … */
function polynomial(emit: Emitter, x: Wire, coefficients: readonly number[]): Wire {
  const [first, ...rest] = coefficients as [number, ...number[]];
  return rest.reduce<Wire>((sum, c) => add(emit, mul(emit, sum, x), emit.scalar(c)), emit.scalar(first));
}

/** A function whose shader makes a number of NaN. */
const keepingNaN =
  (operator: string): Unary =>
  (emit, x) =>
    where(emit, elementwise(emit, 'Equal', [x, x], 'bool'), apply(operator)(emit, x), x);

const exp = keepingNaN('Exp');
const cosh = keepingNaN('Cosh');
const sigmoid = keepingNaN('Sigmoid');

/** An odd function from what it is of magnitudes. */
const odd =
  (ofMagnitude: Unary): Unary =>
  (emit, x) => {
    const size = ofMagnitude(emit, abs(emit, x));
    return where(emit, less(emit, x, emit.scalar(0)), neg(emit, size), size);
  };

/** min(high, max(low, x)), which lets NaN be seen; a `Clip` makes a bound of it. */
export const shaderClip = (emit: Emitter, x: Wire, low: Wire, high: Wire): Wire =>
  elementwise(emit, 'Min', [elementwise(emit, 'Max', [x, low]), high]);

/** A ramp so steep that no number but 0 lies on it. ONNX Runtime has `Sign` on the processor alone: far from the rest. */
const sign: Unary = (emit, x) => {
  const steep = mul(emit, emit.cast(x, 'float32'), emit.scalar(1e38));
  return emit.cast(shaderClip(emit, steep, emit.scalar(-1), emit.scalar(1)), x.type);
};

/** From here on every float is a whole number. */
const WHOLE = 2 ** 23;

/** To the nearest whole number, halves to the even one: |x| + 2²³ has no room for a fraction. `Round` is the processor's alone. */
const round: Unary = (emit, x) => {
  const whole = emit.scalar(WHOLE);
  const rounded = odd((e, size) => sub(e, add(e, size, whole), whole))(emit, x);
  return where(emit, less(emit, abs(emit, x), whole), rounded, x);
};

/** |x| < 1/2: Padé's approximant of the order [5/4] is good to 1e-9. */
const nearTanh: Unary = (emit, x) => {
  const square = mul(emit, x, x);
  const ratio = div(emit, polynomial(emit, square, [1, 105, 945]), polynomial(emit, square, [15, 420, 945]));
  return mul(emit, x, ratio);
};

const tanh: Unary = (emit, x) =>
  where(emit, less(emit, abs(emit, x), emit.scalar(0.5)), nearTanh(emit, x), apply('Tanh')(emit, x));

/** sinh x = 2t / (1 - t²) with t = tanh(x/2). */
const sinh: Unary = (emit, x) => {
  const t = nearTanh(emit, half(emit, x));
  const near = div(emit, twice(emit, t), sub(emit, emit.scalar(1), mul(emit, t, t)));
  return where(emit, less(emit, abs(emit, x), emit.scalar(1)), near, apply('Sinh')(emit, x));
};

/** log x away from 1; -∞ at 0 and NaN below, of which the shader's own makes a number. */
const farLog: Unary = (emit, x) => {
  const zero = emit.scalar(0);
  const isZero = elementwise(emit, 'Equal', [x, zero], 'bool');
  const ofPositive = where(emit, isZero, emit.scalar(Number.NEGATIVE_INFINITY), keepingNaN('Log')(emit, x));
  return where(emit, less(emit, x, zero), emit.scalar(Number.NaN), ofPositive);
};

/** log(1 + d) = 2 artanh s with s = d / (2 + d); |s| ≤ 1/7, where four terms of the series are good to 2e-8. */
const nearLog: Unary = (emit, d) => {
  const s = div(emit, d, add(emit, d, emit.scalar(2)));
  return mul(emit, twice(emit, s), polynomial(emit, mul(emit, s, s), [1 / 7, 1 / 5, 1 / 3, 1]));
};

/** log(1 + d), given both 1 + d and d. */
function logarithm(emit: Emitter, x: Wire, d: Wire): Wire {
  return where(emit, less(emit, abs(emit, d), emit.scalar(0.25)), nearLog(emit, d), farLog(emit, x));
}

const log: Unary = (emit, x) => logarithm(emit, x, sub(emit, x, emit.scalar(1)));
const log1p: Unary = (emit, d) => logarithm(emit, add(emit, d, emit.scalar(1)), d);

/** A square root of x² ± 1 is x from here on; x² itself would overflow later. */
const LARGE = 2 ** 30;

/** log(2x) where x is large. */
const orLog2x = (emit: Emitter, x: Wire, otherwise: Wire): Wire =>
  where(emit, less(emit, emit.scalar(LARGE), x), add(emit, apply('Log')(emit, x), emit.scalar(Math.LN2)), otherwise);

/** arsinh x = log(1 + x + x² / (1 + √(x² + 1))) for x ≥ 0. */
const asinh: Unary = odd((emit, x) => {
  const one = emit.scalar(1);
  const square = mul(emit, x, x);
  const rest = div(emit, square, add(emit, sqrt(emit, add(emit, square, one)), one));
  return orLog2x(emit, x, log1p(emit, add(emit, x, rest)));
});

/** arcosh x = log(1 + d + √(d (x + 1))) with d = x - 1; NaN below 1. */
const acosh: Unary = (emit, x) => {
  const one = emit.scalar(1);
  const d = sub(emit, x, one);
  const near = log1p(emit, add(emit, d, sqrt(emit, mul(emit, d, add(emit, x, one)))));
  return where(emit, less(emit, x, one), emit.scalar(Number.NaN), orLog2x(emit, x, near));
};

/** artanh x = log(1 + 2x / (1 - x)) / 2 for x ≥ 0. */
const atanh: Unary = odd((emit, x) => half(emit, log1p(emit, div(emit, twice(emit, x), sub(emit, emit.scalar(1), x)))));

/** π/2 in three parts, of which the first two have few enough digits that their products with small numbers are exact. */
const RIGHT_ANGLE = [1.5703125, 4.837512969970703e-4, 7.549789948768648e-8];

/** Sine and cosine between -π/4 and π/4, highest power first (S. L. Moshier, Cephes, sinf.c). */
const SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** Sine and cosine: those of what is left after whole quarters of a turn, in the order that the quarters say. */
function circle(emit: Emitter, x: Wire): { readonly sin: Wire; readonly cos: Wire } {
  const [zero, one] = [emit.scalar(0), emit.scalar(1)];
  const quarters = floor(emit, add(emit, mul(emit, x, emit.scalar(2 / Math.PI)), emit.scalar(0.5)));
  const rest = RIGHT_ANGLE.reduce((r, part) => sub(emit, r, mul(emit, quarters, emit.scalar(part))), x);
  const square = mul(emit, rest, rest);
  const s = add(emit, rest, mul(emit, mul(emit, rest, square), polynomial(emit, square, SINE)));
  const bend = sub(emit, mul(emit, square, polynomial(emit, square, COSINE)), emit.scalar(0.5));
  const c = add(emit, mul(emit, square, bend), one);
  const halves = floor(emit, half(emit, quarters));
  const turned = less(emit, zero, sub(emit, quarters, twice(emit, halves)));
  const flipped = less(emit, zero, sub(emit, halves, twice(emit, floor(emit, half(emit, halves)))));
  const [first, second] = [where(emit, turned, c, s), where(emit, turned, neg(emit, s), c)];
  return {
    sin: where(emit, flipped, neg(emit, first), first),
    cos: where(emit, flipped, neg(emit, second), second),
  };
}

const sin: Unary = (emit, x) => circle(emit, x).sin;
const cos: Unary = (emit, x) => circle(emit, x).cos;
const tan: Unary = (emit, x) => {
  const { sin, cos } = circle(emit, x);
  return div(emit, sin, cos);
};

/** By the names that ONNX and TensorFlow.js share. */
const SHADER_FUNCTIONS: Readonly<Record<string, Unary>> = {
  Acosh: acosh,
  Asinh: asinh,
  Atanh: atanh,
  Cos: cos,
  Cosh: cosh,
  Exp: exp,
  Log: log,
  Log1p: log1p,
  Round: round,
  Sigmoid: sigmoid,
  Sign: sign,
  Sin: sin,
  Sinh: sinh,
  Tan: tan,
  Tanh: tanh,
};

/** The function of that name for WebGPU, if it has one of its own; else the general one, by default ONNX's operator. */
export const functionOf =
  (name: string, general: Unary = apply(name)): Unary =>
  (emit, x) =>
    ((emit.target.provider === 'webgpu' ? SHADER_FUNCTIONS[name] : undefined) ?? general)(emit, x);
