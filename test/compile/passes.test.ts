import { describe, expect, it } from 'vitest';
import { type Graph, printGraph, type Value } from '../../src/compile/graph.ts';
import { interpret } from '../../src/compile/interpret.ts';
import { commonSubexpressions } from '../../src/compile/passes/common-subexpressions.ts';
import { deadCode } from '../../src/compile/passes/dead-code.ts';
import { foldConstants } from '../../src/compile/passes/fold-constants.ts';
import { foldScales } from '../../src/compile/passes/fold-scales.ts';
import { fuseActivation } from '../../src/compile/passes/fuse-activation.ts';
import { fuseBias } from '../../src/compile/passes/fuse-bias.ts';
import { hoistFactors } from '../../src/compile/passes/hoist-factors.ts';
import { maskFromOutput } from '../../src/compile/passes/mask-from-output.ts';
import { optimise, PASSES, type Pass } from '../../src/compile/passes/optimise.ts';
import { simplify } from '../../src/compile/passes/simplify.ts';
import { recordFunction } from '../../src/compile/recorder.ts';
import type { TensorSpec } from '../../src/compile/types.ts';
import { tf } from '../../src/tf.ts';

type Body = (inputs: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;

const record = (body: Body, specs: Readonly<Record<string, TensorSpec>>): Graph =>
  recordFunction((inputs) => ({ result: body(inputs) }), specs, 'frozen').graph;

/** Values of either sign, zeros among them. */
const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (i % 5 === 0 ? 0 : Math.sin(1.7 * i + phase)));

const kernelsOf = (graph: Graph): string[] => graph.nodes.map(({ kernel }) => kernel);
const count = (graph: Graph, kernel: string): number => kernelsOf(graph).filter((name) => name === kernel).length;

function meaning(graph: Graph): number[] {
  const feeds = graph.inputs.map(({ value }, i) =>
    wave(
      value.shape.reduce((a, b) => a * b, 1),
      i,
    ),
  );
  return (interpret(graph, feeds) ?? []).flatMap((values) => [...values]);
}

/** Applies passes and holds the result's numbers against the graph's own. */
function apply(graph: Graph, ...passes: readonly Pass[]): Graph {
  const after = passes.reduce((current, pass) => pass(current), graph);
  const [expected, got] = [meaning(graph), meaning(after)];
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-4 * (1 + Math.abs(expected[i] as number)));
  });
  return after;
}

const image = { x: { shape: [2, 6, 6, 3] } };
const filterOf = (from: number, to: number, size = 3): tf.Tensor4D =>
  tf.tensor4d(wave(size * size * from * to, 3), [size, size, from, to]);
const conv = (x: tf.Tensor, filter: tf.Tensor4D): tf.Tensor4D => tf.conv2d(x as tf.Tensor4D, filter, 1, 'same');
const perChannel = (channels: number, phase: number): tf.Tensor1D => tf.tensor1d(wave(channels, phase)).add(1.5);

describe('dead code', () => {
  it('drops a gradient that nobody asked for', () => {
    const filter = filterOf(3, 4);
    const graph = record(({ x }) => {
      const [dx] = tf.grads((a: tf.Tensor, w: tf.Tensor) =>
        conv(a, w as tf.Tensor4D)
          .square()
          .sum(),
      )([x as tf.Tensor, filter]);
      return dx as tf.Tensor;
    }, image);
    expect(kernelsOf(graph)).toContain('Conv2DBackpropFilter');
    expect(kernelsOf(apply(graph, deadCode))).not.toContain('Conv2DBackpropFilter');
  });
});

describe('common subexpressions', () => {
  it('computes the forward pass of a loss and of its gradient once', () => {
    const filter = filterOf(3, 4);
    const graph = record(({ x }) => {
      const loss = (a: tf.Tensor): tf.Tensor => conv(a, filter).relu().sum();
      return tf
        .grad(loss)(x as tf.Tensor)
        .add(loss(x as tf.Tensor));
    }, image);
    expect(count(graph, 'Conv2D')).toBe(2);
    expect(count(apply(graph, commonSubexpressions), 'Conv2D')).toBe(1);
  });

  it('knows that a sum does not depend on the order of its terms, and that a difference does', () => {
    const graph = record(
      ({ a, b }) => {
        const [p, q] = [a as tf.Tensor, b as tf.Tensor];
        return p
          .add(q)
          .mul(q.add(p))
          .mul(p.sub(q).mul(q.sub(p)));
      },
      { a: { shape: [4] }, b: { shape: [4] } },
    );
    const after = apply(graph, commonSubexpressions);
    expect(count(after, 'Add')).toBe(1);
    expect(count(after, 'Sub')).toBe(2);
  });
});

describe('constant folding', () => {
  it('computes what no input reaches', () => {
    const graph = record(({ x }) => (x as tf.Tensor).add(tf.tensor1d([1, 2, 3]).square().sum()), { x: { shape: [3] } });
    const after = apply(graph, foldConstants, deadCode);
    expect(kernelsOf(after)).toEqual(['Add']);
  });

  it('keeps a large tensor of one value as one number', () => {
    const graph = record(({ x }) => (x as tf.Tensor).add(tf.ones([100, 100]).mul(3).div(2)), {
      x: { shape: [100, 100] },
    });
    const after = apply(graph, foldConstants, simplify, deadCode);
    const stored = [...after.constants.values()].reduce((sum, data) => sum + data.length, 0);
    expect(stored).toBeLessThan(10);
    expect(kernelsOf(after)).toEqual(['Add']);
  });
});

describe('simplification', () => {
  const cases: readonly (readonly [string, Body, readonly string[]])[] = [
    ['drops a product with one', ({ x }) => (x as tf.Tensor).mul(1), []],
    ['drops a sum with zero', ({ x }) => tf.add(0, x as tf.Tensor), []],
    ['drops a division by one', ({ x }) => (x as tf.Tensor).div(1), []],
    ['keeps zero minus x', ({ x }) => tf.sub(0, x as tf.Tensor), ['Sub']],
    ['keeps one divided by x', ({ x }) => tf.div(1, (x as tf.Tensor).add(3)), ['Add', 'RealDiv']],
    ['makes one reshape of two', ({ x }) => (x as tf.Tensor).reshape([36, 6]).reshape([6, 36]), ['Reshape']],
    ['drops a reshape there and back', ({ x }) => (x as tf.Tensor).reshape([36, 6]).reshape([2, 6, 6, 3]), []],
    ['drops a sum over axes of length one', ({ x }) => (x as tf.Tensor).reshape([2, 108, 1]).sum(2), ['Reshape']],
    [
      'does not spread out what broadcasts',
      ({ x }) => (x as tf.Tensor).mul(tf.sum(x as tf.Tensor).mul(tf.ones([2, 6, 6, 3]))),
      ['Sum', 'Multiply'],
    ],
  ];
  it.each(cases)('%s', (_name, body, expected) => {
    const after = apply(record(body, image), simplify, simplify, deadCode);
    expect(kernelsOf(after).sort()).toEqual([...expected].sort());
  });

  it('multiplies narrow factors with each other first', () => {
    const graph = record(({ x, a, b }) => (x as tf.Tensor).mul(a as tf.Tensor).mul(b as tf.Tensor), {
      ...image,
      a: { shape: [3] },
      b: { shape: [3] },
    });
    const wide = apply(graph, simplify, deadCode).nodes.filter((node) => (node.outputs[0]?.shape.length ?? 0) === 4);
    expect(wide).toHaveLength(1);
  });
});

describe('hoisting factors out of sums', () => {
  it('sums before it multiplies by what is constant along the sum', () => {
    const graph = record(({ x, a }) => (x as tf.Tensor).mul(a as tf.Tensor).sum([0, 1, 2]), {
      ...image,
      a: { shape: [3] },
    });
    const after = apply(graph, hoistFactors, simplify, deadCode);
    const sum = after.nodes.findIndex(({ kernel }) => kernel === 'Sum');
    const product = after.nodes.findIndex(({ kernel }) => kernel === 'Multiply');
    expect(sum).toBeGreaterThanOrEqual(0);
    expect(product).toBeGreaterThan(sum);
  });

  it('leaves a factor alone that varies along the sum', () => {
    const graph = record(({ x, a }) => (x as tf.Tensor).mul(a as tf.Tensor).sum(), { ...image, a: { shape: [6, 1] } });
    expect(printGraph(apply(graph, hoistFactors))).toBe(printGraph(graph));
  });

  it('knows that deviations from a mean sum to zero', () => {
    const graph = record(({ x }) => {
      const mean = (x as tf.Tensor).mean([0, 1, 2], true);
      return (x as tf.Tensor).sub(mean).sum([0, 1, 2]);
    }, image);
    expect(kernelsOf(apply(graph, hoistFactors, deadCode))).toEqual(['Fill']);
  });

  const kept: readonly (readonly [string, Body])[] = [
    [
      'are not summed up along their mean, but along an axis of the same number in a product of higher rank',
      ({ x, f }) =>
        (x as tf.Tensor)
          .sub((x as tf.Tensor).mean(1, true))
          .mul(f as tf.Tensor)
          .sum(1),
    ],
    [
      'are from a mean that lost its axis and is subtracted along another',
      ({ x }) => (x as tf.Tensor).sub((x as tf.Tensor).mean(1)).sum(1),
    ],
  ];
  it.each(kept)('knows that deviations do not sum to zero that %s', (_what, body) => {
    const after = apply(record(body, { x: { shape: [3, 3] }, f: { shape: [1, 1, 1] } }), hoistFactors, deadCode);
    expect(kernelsOf(after)).not.toContain('Fill');
  });

  it('leaves two full sums of a batch normalisation in training, where TensorFlow.js records four', () => {
    const graph = record(
      ({ x, scale, offset }) => {
        const normalised = (a: tf.Tensor): tf.Tensor => {
          const { mean, variance } = tf.moments(a, [0, 1, 2]);
          return tf.batchNorm(
            a,
            mean as tf.Tensor1D,
            variance as tf.Tensor1D,
            offset as tf.Tensor1D,
            scale as tf.Tensor1D,
            1e-3,
          );
        };
        return tf.grad((a) => normalised(a).pow(3).sum())(x as tf.Tensor);
      },
      { ...image, scale: { shape: [3] }, offset: { shape: [3] } },
    );
    const fullSums = (g: Graph): number =>
      g.nodes.filter(({ kernel, inputs }) => kernel === 'Sum' && inputs.x?.shape.join() === '2,6,6,3').length;
    const after = apply(graph, (g) => optimise(g));
    expect(fullSums(graph)).toBeGreaterThanOrEqual(4);
    expect(fullSums(after)).toBe(2);
  });
});

describe('masking from the output', () => {
  const relu6s: readonly (readonly [string, (z: tf.Tensor) => tf.Tensor])[] = [
    ['tf.relu6', tf.relu6],
    ['tf.layers', (z) => tf.minimum(6, z.relu())],
    ['a minimum turned round', (z) => tf.minimum(z.relu(), 6)],
  ];
  it.each(relu6s)('reads the ReLU6 of %s by its result alone', (_name, relu6Of) => {
    const filter = filterOf(3, 4);
    const loss = (a: tf.Tensor): tf.Tensor => relu6Of(conv(a, filter).mul(4)).square().sum();
    const after = apply(
      record(({ x }) => tf.grad(loss)(x as tf.Tensor), image),
      simplify,
      maskFromOutput,
    );
    const relu6 = after.nodes.find(({ kernel }) => kernel === 'Relu6');
    const readers = after.nodes.filter(({ inputs }) => Object.values(inputs).includes(relu6?.inputs.x as Value));
    expect(readers).toEqual([relu6]);
    for (const kernel of ['LessEqual', 'Greater', 'Relu', 'Cast']) expect(kernelsOf(after)).not.toContain(kernel);
  });

  it('compares with six only what is clipped at six', () => {
    const unclipped: Body = ({ x }) =>
      tf
        .lessEqual((x as tf.Tensor).mul(9), 6)
        .toFloat()
        .add((x as tf.Tensor).mul(9).relu());
    const otherwise: Body = ({ x }) =>
      tf
        .lessEqual((x as tf.Tensor).mul(9), 5)
        .toFloat()
        .add(tf.relu6((x as tf.Tensor).mul(9)));
    for (const body of [unclipped, otherwise]) {
      const graph = commonSubexpressions(record(body, image));
      expect(printGraph(apply(graph, maskFromOutput))).toBe(printGraph(graph));
    }
  });

  it('reads a truth value by the result as well', () => {
    const body: Body = ({ x }) => {
      const z = (x as tf.Tensor).mul(9);
      return tf.relu6(z).add(tf.logicalNot(z.lessEqual(6)).toFloat());
    };
    const after = apply(commonSubexpressions(record(body, image)), maskFromOutput);
    expect(kernelsOf(after)).toContain('Less');
    expect(kernelsOf(after)).not.toContain('LessEqual');
  });

  it('reads a ReLU once, by its result', () => {
    const filter = filterOf(3, 4);
    const graph = record(({ x }) => tf.grad((a) => conv(a, filter).relu().square().sum())(x as tf.Tensor), image);
    const after = apply(graph, simplify, maskFromOutput);
    const step = after.nodes.find(({ kernel }) => kernel === 'Step');
    const relu = after.nodes.find(({ kernel }) => kernel === 'Relu');
    expect(step?.inputs.x).toBe(relu?.outputs[0]);
  });
});

describe('folding factors into convolutions', () => {
  const filter = filterOf(3, 4);
  const statistics = [perChannel(4, 0), perChannel(4, 1).square(), perChannel(4, 2), perChannel(4, 3)] as const;
  const normalise = (y: tf.Tensor4D): tf.Tensor4D => {
    const [mean, variance, offset, scale] = statistics;
    return tf.batchNorm(y, mean, variance as tf.Tensor1D, offset, scale, 1e-3) as tf.Tensor4D;
  };

  it('makes one convolution of a convolution, its batch normalisation, its bias and its ReLU', () => {
    const graph = record(({ x }) => normalise(conv(x as tf.Tensor, filter)).relu(), image);
    const passes = [simplify, foldScales, fuseBias, fuseActivation, foldConstants, deadCode];
    const after = apply(graph, ...passes);
    expect(kernelsOf(after)).toEqual(['FusedConv2D']);
  });

  it('makes one convolution of the same with a ReLU6, whose gradient reads what comes out', () => {
    const forward = (x: tf.Tensor): tf.Tensor => tf.relu6(normalise(conv(x, filter)));
    const graph = record(({ x }) => tf.grad((a) => forward(a).square().sum())(x as tf.Tensor), image);
    const after = apply(graph, (g) => optimise(g));
    const convolution = after.nodes.find(({ kernel }) => kernel === 'FusedConv2D');
    expect(convolution?.attributes.activation).toBe('relu6');
    expect(kernelsOf(after)).not.toContain('Relu6');
  });

  it('folds backward as well: the gradient has no product per channel left', () => {
    const graph = record(({ x }) => tf.grad((a) => normalise(conv(a, filter)).square().sum())(x as tf.Tensor), image);
    const after = apply(graph, (g) => optimise(g));
    expect(kernelsOf(after)).toContain('Conv2DBackpropInput');
    expect(
      after.nodes.filter(({ kernel, outputs }) => kernel === 'Multiply' && outputs[0]?.shape.length === 4),
    ).toEqual([]);
  });

  it('leaves a convolution alone that somebody else reads too', () => {
    const graph = record(({ x }) => {
      const y = conv(x as tf.Tensor, filter);
      return normalise(y).add(y);
    }, image);
    expect(kernelsOf(apply(graph, foldScales))).toContain('FusedBatchNorm');
  });
});

describe('the whole sequence', () => {
  it('shows the graph before the first pass and after each', () => {
    const stages: string[] = [];
    optimise(
      record(({ x }) => (x as tf.Tensor).mul(2), image),
      (stage, text) => {
        stages.push(stage);
        expect(text).toContain('output result');
      },
    );
    expect(stages).toHaveLength(PASSES.length + 1);
  });
});
