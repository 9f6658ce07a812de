/** What every pass owes: the graph means what it meant. Random graphs, run by the interpreter before and after. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph, Named } from '../../src/compile/graph.ts';
import { interpret } from '../../src/compile/interpret.ts';
import { optimise, PASSES, type Pass } from '../../src/compile/passes/optimise.ts';
import { recordFunction } from '../../src/compile/recorder.ts';
import type { HostArray, HostTensor } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';
import { compare, type Operand } from './agree.ts';
import { operand, seed, shapeOfRank } from './arbitrary.ts';
import { check } from './check.ts';

/** Operands that broadcast against each other, whatever their ranks; `axes` are numbered from the back. */
type Op = (x: tf.Tensor, other: tf.Tensor, axes: readonly number[], full: readonly number[]) => tf.Tensor;

/** Those of the axes, counted from the back, that x has. */
const within = ({ rank }: tf.Tensor, axes: readonly number[]): number[] => axes.filter((axis) => -axis <= rank);

/** Both as large as they broadcast to: TensorFlow.js's gradients of some operations forget that they do. */
const alike = (x: tf.Tensor, y: tf.Tensor): [tf.Tensor, tf.Tensor] => [x.add(tf.zerosLike(y)), y.add(tf.zerosLike(x))];

const OPS: Readonly<Record<string, Op>> = {
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y.square().add(1)),
  maximum: (x, y) => tf.maximum(...alike(x, y)),
  'squared difference': (x, y) => tf.squaredDifference(...alike(x, y)),
  centre: (x, _, axes) => x.sub(x.mean(within(x, axes), true)),
  'centre by leading axes': (x, _, axes) => x.sub(x.mean(axes.length < x.rank ? axes.map((_axis, i) => i) : [])),
  'sum and spread': (x, _, axes) => x.sum(within(x, axes), true).mul(tf.ones(x.shape)),
  neg: (x) => x.neg(),
  square: (x) => x.square(),
  relu: (x) => x.relu(),
  relu6: (x) => tf.relu6(x.mul(4.1)),
  'relu6 of layers': (x) => tf.minimum(6, x.mul(4.1).relu()),
  'relu6 of layers, turned': (x) => tf.minimum(x.mul(4.1).relu(), 6),
  'relu of whole numbers': (x) => x.toInt().relu().toFloat(),
  'times one, plus zero': (x) => x.mul(tf.ones(x.shape)).add(0),
  spread: (x, _, _axes, full) => tf.broadcastTo(x, [...full]),
  'leading ones': (x, _, _axes, full) => (x.rank < full.length ? x.expandDims(0) : x),
};

interface Plan {
  readonly full: readonly number[];
  readonly operands: readonly Operand[];
  readonly steps: readonly { op: string; from: number; other: number; axes: readonly number[] }[];
  /** What is multiplied and summed up: some of what was made, centred along those of its axes or not. */
  readonly factors: readonly { from: number; centred: readonly number[] }[];
  readonly axes: readonly number[];
}

/** Fewer axes than the full shape, some of them of length one. */
const narrower = (full: readonly number[]): fc.Arbitrary<Operand> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: full.length - 1 }),
      fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
      seed,
    )
    .map(([dropped, ones, from]) =>
      operand(full.map((d, i) => (ones[i] === true ? 1 : d)).slice(dropped), from, { values: { from: -2, to: 2 } }),
    );

const plan: fc.Arbitrary<Plan> = fc
  .integer({ min: 2, max: 4 })
  .chain((rank) => shapeOfRank(rank, 3))
  .chain((full) => {
    const all = full.map((_, i) => i - full.length);
    const axes = fc.oneof(fc.constantFrom(...all.map((axis) => [axis])), fc.subarray(all, { minLength: 1 }));
    const at = fc.nat({ max: 9 });
    return fc.record({
      full: fc.constant(full),
      operands: fc.array(narrower(full), { minLength: 2, maxLength: 3 }),
      steps: fc.array(fc.record({ op: fc.constantFrom(...Object.keys(OPS)), from: at, other: at, axes }), {
        maxLength: 4,
      }),
      factors: fc.array(
        fc.record({ from: at, centred: fc.oneof(fc.constant([]), fc.constantFrom([0], [1], [0, 1])) }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      axes,
    });
  });

/** A sum of a product of what the steps made. */
function build({ full, steps, factors, axes }: Plan, operands: readonly tf.Tensor[]): tf.Tensor {
  const made = [...operands];
  const back = (by: number): tf.Tensor => made[made.length - 1 - (by % made.length)] as tf.Tensor;
  for (const { op, from, other, axes: along } of steps)
    made.push((OPS[op] as Op)(back(from), back(other), along, full));
  const centre = (x: tf.Tensor, along: readonly number[]): tf.Tensor =>
    along.length === 0 || along.some((axis) => axis >= x.rank) ? x : x.sub(x.mean([...along], true));
  const product = factors.map(({ from, centred }) => centre(back(from), centred)).reduce((a, b) => a.mul(b));
  return product.sum(within(product, axes));
}

function record(one: Plan): Graph {
  const names = one.operands.map((_, i) => `x${i}`);
  const specs = Object.fromEntries(one.operands.map(({ shape }, i) => [`x${i}`, { shape }]));
  const fn = (inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> => {
    const operands = names.map((name) => inputs[name] as tf.Tensor);
    // The sum of them all: TensorFlow.js has no gradient towards what is not used.
    const loss = (...all: tf.Tensor[]): tf.Tensor =>
      build(one, all)
        .square()
        .add(tf.addN(all.map((x) => x.sum())));
    const slopes = tf.grads(loss)(operands);
    return { value: build(one, operands), ...Object.fromEntries(slopes.map((slope, i) => [`d${i}`, slope])) };
  };
  return recordFunction(fn, specs, 'frozen').graph;
}

const results = (graph: Graph, feeds: readonly HostArray[]): HostTensor[] =>
  (interpret(graph, feeds) ?? []).map((data, i) => {
    const { shape, dtype } = (graph.outputs[i] as Named).value;
    return { data, shape, dtype };
  });

const NAMED: readonly (readonly [string, Pass])[] = [...new Map(PASSES), ['all passes', (graph) => optimise(graph)]];

describe('a graph of operands of mixed rank, with its gradients', () => {
  it('means the same after each pass, and after all of them', () =>
    check(
      plan,
      async (one) => {
        const graph = record(one);
        const feeds = one.operands.map(({ data }) => data);
        const expected = results(graph, feeds);
        // What is added up may be larger than what comes out.
        const scale = Math.max(1, ...expected.flatMap(({ data }) => Array.from(data, Math.abs)));
        const shown = JSON.stringify({ ...one, operands: one.operands.map(({ shape }) => shape) });
        for (const [name, pass] of NAMED) {
          compare(`${name} of ${shown}`, results(pass(graph), feeds), expected, { tolerance: 1e-4, scale });
        }
      },
      100,
    ));
});

/** Kernels that differ in a number alone. */
const NUMBERED: Readonly<Record<string, (x: tf.Tensor, number: number) => tf.Tensor>> = {
  pad: (x, number) => tf.pad(x, [[1, 1]], number),
  // There is no clipping at what is not a number.
  clip: (x, number) => (Number.isNaN(number) ? x : tf.clipByValue(x, number, Number.POSITIVE_INFINITY)),
  fill: (_x, number) => tf.fill([2], number),
  'large fill': (_x, number) => tf.fill([70, 70], number).neg().slice([0, 0], [1, 2]),
  constant: (x, number) => x.mul(tf.scalar(number)),
  oneHot: (x, number) => tf.oneHot(x.toInt(), 3, number, 1, 'float32'),
  leakyRelu: (x, number) => tf.leakyRelu(x, number),
  step: (x, number) => tf.step(x, number),
};

describe('kernels that differ in a number alone', () => {
  const numbers = [0, -0, 1, -1, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const drawn = fc.array(fc.constantFrom(...numbers), { minLength: 2, maxLength: 5 });
  const feed = Float32Array.of(-2, -0, 0, 1, 3);

  it.each(Object.entries(NUMBERED))('are not taken for each other, whatever the numbers: %s', (_name, kernel) =>
    check(drawn, async (list) => {
      const fn = ({ x }: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> =>
        Object.fromEntries(list.map((number, i) => [`at ${i}`, kernel(x as tf.Tensor, number)]));
      const { graph } = recordFunction(fn, { x: { shape: [feed.length] } }, 'frozen');
      const expected = results(graph, [feed]);
      for (const [name, pass] of NAMED) expect(results(pass(graph), [feed]), `${name} of ${list}`).toEqual(expected);
    }),
  );
});
