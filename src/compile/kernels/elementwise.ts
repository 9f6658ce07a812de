/** Kernels that work element by element. */
import type { Emitter, Wire } from '../emitter.ts';
import { type Inputs, type Node, need, sameShape, type Value } from '../graph.ts';
import { broadcast, type Kernel, type KernelTable, typed } from './kernel.ts';
import { lowerElementwise, type Write } from './lower-elementwise.ts';
import { add, elementwise, mul, sub, wireShape } from './operators.ts';
import { functionOf, shaderClip } from './shader-functions.ts';
import { step } from './step.ts';
import * as transcendental from './transcendental.ts';

/** The same for exactly one or two. */
type Write1 = (emit: Emitter, x: Wire) => Wire;
type Write2 = (emit: Emitter, a: Wire, b: Wire) => Wire;

function unary(write: Write1, dtype?: Value['dtype']): Kernel {
  return {
    infer: (inputs) => {
      const x = need(inputs, 'x');
      return typed(x.shape, dtype ?? x.dtype);
    },
    lower: (node, emit) => lowerElementwise(node, emit, ['x'], write as Write),
  };
}

function binary(write: Write2, dtype?: Value['dtype']): Kernel {
  return {
    infer: (inputs: Inputs) => {
      const a = need(inputs, 'a');
      return typed(broadcast(a.shape, need(inputs, 'b').shape), dtype ?? a.dtype);
    },
    lower: (node, emit) => lowerElementwise(node, emit, ['a', 'b'], write as Write),
  };
}

const op =
  (operator: string): Write =>
  (emit, ...wires) =>
    elementwise(emit, operator, wires);
const predicate =
  (operator: string): Write =>
  (emit, ...wires) =>
    elementwise(emit, operator, wires, 'bool');

/** For ONNX operators that know floats alone. */
const ofFloats =
  (write: Write1): Write1 =>
  (emit, x) =>
    write(emit, emit.cast(x, 'float32'));

/** The same, where TensorFlow.js gives whole numbers for whole numbers. */
const throughFloats =
  (write: Write1): Write1 =>
  (emit, x) =>
    emit.cast(write(emit, emit.cast(x, 'float32')), x.type);

/** A unary kernel with attributes. */
function withAttributes(write: (emit: Emitter, x: Wire, attributes: Node['attributes']) => Wire): Kernel {
  return {
    infer: (inputs) => typed(need(inputs, 'x').shape, need(inputs, 'x').dtype),
    lower: (node, emit) => lowerElementwise(node, emit, ['x'], (e, x) => write(e, x as Wire, node.attributes)),
  };
}

const clip = (emit: Emitter, x: Wire, low: number, high: number): Wire =>
  emit.op('Clip', [x, emit.scalar(low, numeric(x)), emit.scalar(high, numeric(x))], x.shape, { type: x.type });

const numeric = (wire: Wire): 'float32' | 'int32' => (wire.type === 'int32' ? 'int32' : 'float32');

/**
 * ⌊a / b⌋ as a whole number. int32 goes through float64, which holds every quotient: ONNX's integer division would round
 * towards zero, and end the process where the divisor is zero.
 */
function floorDivide(emit: Emitter, a: Wire, b: Wire): Wire {
  const wide = a.type === 'int32' ? 'float64' : a.type;
  const quotient = elementwise(emit, 'Div', [emit.cast(a, wide), emit.cast(b, wide)]);
  return emit.cast(elementwise(emit, 'Floor', [quotient]), 'int32');
}

/** The remainder with the divisor's sign, as TensorFlow.js has it. */
function modulo(emit: Emitter, a: Wire, b: Wire): Wire {
  const truncated = (x: Wire, y: Wire): Wire =>
    emit.op('Mod', [x, y], wireShape([x, y]), { type: x.type, attributes: { fmod: 1 } });
  return truncated(add(emit, truncated(a, b), b), b);
}

/** ONNX Runtime's WebGPU knows powers of floats alone, and fails on some shapes that broadcast. */
function power(emit: Emitter, a: Wire, b: Wire): Wire {
  if (emit.target.provider !== 'webgpu') return elementwise(emit, 'Pow', [a, b]);
  const shape = wireShape([a, b]);
  const whole = [a, b].map((wire) => {
    const float = emit.cast(wire, 'float32');
    const isReady = wire.shape.length === 0 || sameShape(wire.shape, shape);
    return isReady ? float : emit.op('Expand', [float, emit.ints(shape)], shape);
  });
  return emit.cast(elementwise(emit, 'Pow', whole), a.type);
}

const reciprocal = op('Reciprocal');

/** Values as numbers: ONNX has no arithmetic on bool. */
const asNumber = (emit: Emitter, x: Wire): Wire => (x.type === 'bool' ? emit.cast(x, 'int32') : x);

const notEqual: Write = (emit, a, b) =>
  elementwise(emit, 'Not', [
    elementwise(emit, 'Equal', [asNumber(emit, a as Wire), asNumber(emit, b as Wire)], 'bool'),
  ]);

const variadic = (inputs: Inputs): Value[] => Object.values(inputs);

export const ELEMENTWISE: KernelTable = {
  Abs: unary(op('Abs')),
  Acos: unary(transcendental.acos),
  Acosh: unary(functionOf('Acosh')),
  Asin: unary(transcendental.asin),
  Asinh: unary(functionOf('Asinh')),
  Atan: unary(transcendental.atan),
  Atanh: unary(functionOf('Atanh')),
  Ceil: unary(op('Ceil')),
  Cos: unary(transcendental.cos),
  Cosh: unary(functionOf('Cosh')),
  Elu: unary(transcendental.elu),
  Erf: unary(op('Erf')),
  Exp: unary(ofFloats(functionOf('Exp')), 'float32'),
  Expm1: unary(throughFloats(transcendental.expm1)),
  Floor: unary(op('Floor')),
  IsNan: unary(ofFloats(predicate('IsNaN')), 'bool'),
  IsInf: unary(ofFloats(predicate('IsInf')), 'bool'),
  IsFinite: unary(
    // x - x is 0 for finite x and NaN otherwise.
    ofFloats((emit, x) => elementwise(emit, 'Equal', [sub(emit, x, x), emit.scalar(0)], 'bool')),
    'bool',
  ),
  Log: unary(transcendental.log),
  Log1p: unary(transcendental.log1p),
  LogicalNot: unary(op('Not')),
  Neg: unary(op('Neg')),
  Reciprocal: unary(throughFloats(reciprocal)),
  Relu: unary((emit, x) =>
    x?.type === 'int32' ? elementwise(emit, 'Max', [x, emit.scalar(0, 'int32')]) : op('Relu')(emit, x as Wire),
  ),
  Relu6: unary((emit, x) => clip(emit, x as Wire, 0, 6)),
  Round: unary(throughFloats(functionOf('Round'))),
  Rsqrt: unary((emit, x) => reciprocal(emit, elementwise(emit, 'Sqrt', [x as Wire]))),
  Selu: unary(transcendental.selu),
  Sigmoid: unary(functionOf('Sigmoid')),
  Sign: unary(functionOf('Sign')),
  Sin: unary(transcendental.sin),
  Sinh: unary(functionOf('Sinh')),
  Softplus: unary(transcendental.softplus),
  Sqrt: unary(op('Sqrt')),
  Square: unary((emit, x) => mul(emit, x as Wire, x as Wire)),
  Step: step,
  Tan: unary(functionOf('Tan')),
  Tanh: unary(functionOf('Tanh')),

  ClipByValue: withAttributes((emit, x, { clipValueMin, clipValueMax }) => {
    const bounds = [clipValueMin, clipValueMax] as [number, number];
    if (emit.target.provider !== 'webgpu') return clip(emit, x, ...bounds);
    const [low, high] = bounds.map((bound) => emit.scalar(bound, numeric(x))) as [Wire, Wire];
    return shaderClip(emit, x, low, high);
  }),
  LeakyRelu: {
    infer: (inputs) => typed(need(inputs, 'x').shape, 'float32'),
    lower: (node, emit) => {
      const attributes = { alpha: { float: node.attributes.alpha as number } };
      const write = ofFloats((e, x) => e.op('LeakyRelu', [x], x.shape, { attributes }));
      lowerElementwise(node, emit, ['x'], write as Write);
    },
  },

  Add: binary(add),
  Atan2: binary((emit, y, x) => transcendental.atan2(emit, y as Wire, x as Wire)),
  Equal: binary(
    (emit, a, b) => elementwise(emit, 'Equal', [asNumber(emit, a as Wire), asNumber(emit, b as Wire)], 'bool'),
    'bool',
  ),
  FloorDiv: binary((emit, a, b) => floorDivide(emit, a as Wire, b as Wire), 'int32'),
  Greater: binary(predicate('Greater'), 'bool'),
  GreaterEqual: binary(predicate('GreaterOrEqual'), 'bool'),
  Less: binary(predicate('Less'), 'bool'),
  LessEqual: binary(predicate('LessOrEqual'), 'bool'),
  LogicalAnd: binary(predicate('And'), 'bool'),
  LogicalOr: binary(predicate('Or'), 'bool'),
  Maximum: binary(op('Max')),
  Minimum: binary(op('Min')),
  Mod: binary((emit, a, b) => modulo(emit, a as Wire, b as Wire)),
  Multiply: binary(mul),
  NotEqual: binary(notEqual, 'bool'),
  Pow: binary((emit, a, b) => power(emit, a as Wire, b as Wire)),
  RealDiv: binary(op('Div')),
  SquaredDifference: binary((emit, a, b) => {
    const difference = sub(emit, a as Wire, b as Wire);
    return mul(emit, difference, difference);
  }),
  Sub: binary(sub),

  AddN: {
    infer: (inputs) => variadic(inputs).slice(0, 1),
    lower: (node, emit) =>
      lowerElementwise(node, emit, Object.keys(node.inputs), (e, ...wires) =>
        wires.reduce((sum, wire) => elementwise(e, 'Add', [sum, wire])),
      ),
  },

  Cast: {
    infer: (inputs, { dtype }) => typed(need(inputs, 'x').shape, dtype as Value['dtype']),
    lower: (node, emit) =>
      lowerElementwise(node, emit, ['x'], (e, x) => e.cast(x as Wire, node.attributes.dtype as Value['dtype'])),
  },

  EluGrad: {
    infer: (inputs) => typed(need(inputs, 'y').shape, 'float32'),
    lower: (node, emit) =>
      // dy where y ≥ 0, else dy·(y + 1).
      lowerElementwise(node, emit, ['dy', 'y'], (e, dy, y) => {
        const slope = elementwise(e, 'Min', [add(e, y as Wire, e.scalar(1)), e.scalar(1)]);
        return mul(e, dy as Wire, slope);
      }),
  },

  Prelu: {
    infer: (inputs) => typed(broadcast(need(inputs, 'x').shape, need(inputs, 'alpha').shape), 'float32'),
    lower: (node, emit) =>
      lowerElementwise(node, emit, ['x', 'alpha'], (e, ...given) => {
        const [x, alpha] = given.map((wire) => e.cast(wire, 'float32')) as [Wire, Wire];
        const positive = elementwise(e, 'Greater', [x, e.scalar(0)], 'bool');
        return elementwise(e, 'Where', [positive, x, mul(e, x, alpha)], 'float32');
      }),
  },

  Identity: unary((_emit, x) => x as Wire),
};
