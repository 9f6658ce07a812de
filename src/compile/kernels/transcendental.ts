/**
 * Logarithms and their kin by way of functions that do not look at their neighbours.
 *
 * ONNX Runtime computes Log, Softplus, Elu, Selu, Sin, Cos, Asin, Acos and Atan with vector instructions and finishes the
 * last few elements with others, whose results differ in the last bit: what an image gives would depend on its place in the
 * batch. Exp, Tanh, Sqrt, Tan, Asinh and Atanh do not have that habit, nor has arithmetic, and the others follow from them.
 */
import type { Emitter, Wire } from '../emitter.ts';
import { add, div, elementwise, less, mul, sub, where } from './operators.ts';
import { functionOf, type Unary } from './shader-functions.ts';

const exp = functionOf('Exp');
const tanh = functionOf('Tanh');
const sqrt = functionOf('Sqrt');
const tan = functionOf('Tan');
const asinh = functionOf('Asinh');
const atanh = functionOf('Atanh');
const abs = functionOf('Abs');
const sign = functionOf('Sign');

const half: Unary = (emit, x) => mul(emit, x, emit.scalar(0.5));
const twice: Unary = (emit, x) => mul(emit, x, emit.scalar(2));
const reciprocal: Unary = (emit, x) => elementwise(emit, 'Reciprocal', [x]);

/** Within this distance of 1 a logarithm is computed from the distance. */
const NEAR_ONE = 0.5;

/** log x = 2 asinh((√x - 1/√x) / 2): for x away from 1; NaN below 0, -∞ at 0. */
const farLog: Unary = (emit, x) => {
  // √-0 is -0, whose reciprocal has the wrong sign.
  const root = abs(emit, sqrt(emit, x));
  return twice(emit, asinh(emit, half(emit, sub(emit, root, reciprocal(emit, root)))));
};

/** log(1 + d) = 2 atanh(d / (2 + d)): every digit of a small d. */
const nearLog: Unary = (emit, d) => twice(emit, atanh(emit, div(emit, d, add(emit, d, emit.scalar(2)))));

/** log(1 + d), given both 1 + d and d. */
function logarithm(emit: Emitter, x: Wire, d: Wire): Wire {
  const isNear = less(emit, abs(emit, d), emit.scalar(NEAR_ONE));
  return where(emit, isNear, nearLog(emit, d), farLog(emit, x));
}

export const log = functionOf('Log', (emit, x) => logarithm(emit, x, sub(emit, x, emit.scalar(1))));

export const log1p = functionOf('Log1p', (emit, d) => logarithm(emit, add(emit, d, emit.scalar(1)), d));

/** eˣ - 1 = tanh(x/2)·(eˣ + 1): no cancellation near 0. */
export const expm1: Unary = (emit, x) => mul(emit, tanh(emit, half(emit, x)), add(emit, exp(emit, x), emit.scalar(1)));

/** log(1 + eˣ) = max(x, 0) + log(1 + e^(-|x|)). */
export const softplus: Unary = (emit, x) => {
  const decay = exp(emit, elementwise(emit, 'Neg', [abs(emit, x)]));
  return add(emit, elementwise(emit, 'Relu', [x]), log1p(emit, decay));
};

/** x where x > 0, else α(eˣ - 1), times a scale. */
function exponentialUnit(emit: Emitter, x: Wire, alpha: number, scale: number): Wire {
  const zero = emit.scalar(0);
  const below = expm1(emit, elementwise(emit, 'Min', [x, zero]));
  const above = mul(emit, x, emit.scalar(scale));
  return where(emit, less(emit, zero, x), above, mul(emit, below, emit.scalar(alpha * scale)));
}

export const elu: Unary = (emit, x) => exponentialUnit(emit, x, 1, 1);

/** Klambauer et al. 2017, equation 2. */
export const selu: Unary = (emit, x) => exponentialUnit(emit, x, 1.6732632423543772, 1.0507009873554805);

/** With t = tan(x/2): sin x = 2t / (1 + t²), cos x = (1 - t²) / (1 + t²). */
function halfAngle(emit: Emitter, x: Wire): { t: Wire; square: Wire; sum: Wire } {
  const t = tan(emit, half(emit, x));
  const square = mul(emit, t, t);
  return { t, square, sum: add(emit, square, emit.scalar(1)) };
}

export const sin = functionOf('Sin', (emit, x) => {
  const { t, sum } = halfAngle(emit, x);
  return div(emit, twice(emit, t), sum);
});

export const cos = functionOf('Cos', (emit, x) => {
  const { square, sum } = halfAngle(emit, x);
  return div(emit, sub(emit, emit.scalar(1), square), sum);
});

/** tan(π/8) and tan(3π/8): where the arctangent's argument is turned by 45° or 90°. */
const [LOW, HIGH] = [Math.SQRT2 - 1, Math.SQRT2 + 1];

/** atan t ≈ t + t³·P(t²) for |t| < tan(π/8), highest power first (S. L. Moshier, Cephes, atanf.c). */
const ARCTANGENT = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];

export const atan: Unary = (emit, x) => {
  const size = abs(emit, x);
  const one = emit.scalar(1);
  const isHigh = less(emit, emit.scalar(HIGH), size);
  const isLow = less(emit, size, emit.scalar(LOW));
  const quarter = div(emit, sub(emit, size, one), add(emit, size, one));
  const turned = where(emit, isHigh, elementwise(emit, 'Neg', [reciprocal(emit, size)]), quarter);
  const t = where(emit, isLow, size, turned);
  const from = where(
    emit,
    isLow,
    emit.scalar(0),
    where(emit, isHigh, emit.scalar(Math.PI / 2), emit.scalar(Math.PI / 4)),
  );
  const square = mul(emit, t, t);
  const [first, ...rest] = ARCTANGENT as [number, ...number[]];
  const tail = rest.reduce((p, c) => add(emit, mul(emit, p, square), emit.scalar(c)), emit.scalar(first) as Wire);
  const angle = add(emit, from, add(emit, t, mul(emit, mul(emit, tail, square), t)));
  return where(emit, less(emit, x, emit.scalar(0)), elementwise(emit, 'Neg', [angle]), angle);
};

/** The angle of (x, y), from arctangents of ratios no larger than needed: quadrant by quadrant. */
export function atan2(emit: Emitter, y: Wire, x: Wire): Wire {
  const zero = emit.scalar(0);
  const xNegative = less(emit, x, zero);
  const yNegative = less(emit, y, zero);
  const xZero = elementwise(emit, 'Equal', [x, zero], 'bool');
  const divisor = where(emit, xZero, emit.scalar(1), x);
  const base = atan(emit, div(emit, y, divisor));
  const halfTurn = where(emit, yNegative, emit.scalar(-Math.PI), emit.scalar(Math.PI));
  const turned = where(emit, xNegative, add(emit, base, halfTurn), base);
  const upright = mul(emit, sign(emit, y), emit.scalar(Math.PI / 2));
  return where(emit, xZero, upright, turned);
}

/** asin x = atan(x / √(1 - x²)). */
export const asin: Unary = (emit, x) => {
  const one = emit.scalar(1);
  return atan(emit, div(emit, x, sqrt(emit, mul(emit, sub(emit, one, x), add(emit, one, x)))));
};

/** acos x = 2 atan √((1 - x) / (1 + x)). */
export const acos: Unary = (emit, x) => {
  const one = emit.scalar(1);
  return twice(emit, atan(emit, sqrt(emit, div(emit, sub(emit, one, x), add(emit, one, x)))));
};
