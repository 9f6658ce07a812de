import { type Graph, input, type Node, output, type Value } from '../graph.ts';
import { splatOf } from './fold-constants.ts';
import { type Rewriter, rewrite } from './rewrite.ts';

/**
 * TensorFlow.js masks a rectifier's gradient with its input; its output tells as much: z > 0 is relu(z) > 0 and relu6(z) > 0,
 * 6 > relu(z) is relu6(z) < 6, and so is z ≤ 6 but for z = 6 itself, where the one slope is as good as the other. With the
 * input read by nobody else, the rectifier becomes part of the convolution before it.
 */
export function maskFromOutput(graph: Graph): Graph {
  const rectified = new Map<Value, Value>();
  const clipped = new Map<Value, Value>();
  return rewrite(graph, (node, rewriter) => {
    switch (node.kernel) {
      case 'Relu6':
        clipped.set(input(node, 'x'), output(node));
        rectified.set(input(node, 'x'), output(node));
        return undefined;
      case 'Relu':
        rectified.set(input(node, 'x'), output(node));
        return undefined;
      case 'Step':
        return stepOf(node, rectified.get(input(node, 'x')), rewriter);
      case 'LessEqual':
        return belowSix(input(node, 'a'), input(node, 'b'), clipped, rewriter);
      case 'Greater':
        return belowSix(input(node, 'b'), input(node, 'a'), clipped, rewriter);
      case 'Cast':
        return belowSixAsNumber(node, rewriter);
      default:
        return undefined;
    }
  });
}

function stepOf(node: Node, y: Value | undefined, { call }: Rewriter): Value[] | undefined {
  const alpha = (node.attributes.alpha as number | undefined) ?? 0;
  return y !== undefined && alpha === 0 ? [call('Step', { x: y }, node.attributes)] : undefined;
}

/** Whether z, or relu(z), is below six. */
function belowSix(
  value: Value,
  six: Value,
  clipped: ReadonlyMap<Value, Value>,
  rewriter: Rewriter,
): Value[] | undefined {
  const before = rewriter.producer(value);
  const y = clipped.get(before?.kernel === 'Relu' ? input(before, 'x') : value);
  return y !== undefined && splatOf(six, rewriter) === 6 ? [rewriter.call('Less', { a: y, b: six })] : undefined;
}

/** As a number, y < 6 is the step of 6 - y: arithmetic that, unlike truth values, can stay in the convolutions' layout. */
function belowSixAsNumber(node: Node, rewriter: Rewriter): Value[] | undefined {
  const { call, producer, scalar } = rewriter;
  const less = producer(input(node, 'x'));
  if (less?.kernel !== 'Less' || output(node).dtype !== 'float32') return undefined;
  const y = input(less, 'a');
  if (producer(y)?.kernel !== 'Relu6' || splatOf(input(less, 'b'), rewriter) !== 6) return undefined;
  return [call('Step', { x: call('Sub', { a: scalar(6), b: y }) }, { alpha: 0 })];
}
