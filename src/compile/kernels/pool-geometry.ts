/** The windows of a pool, as TensorFlow.js lays them and as ONNX describes them. */
import { tf } from '../../tf.ts';
import { input, type Node } from '../graph.ts';

export type PoolInfo = ReturnType<typeof tf.backend_util.computePool2DInfo>;
type Shape4 = [number, number, number, number];

export function poolInfo(shape: readonly number[], a: Node['attributes']): PoolInfo {
  return tf.backend_util.computePool2DInfo(
    [...shape] as Shape4,
    a.filterSize as number,
    a.strides as number,
    (a.dilations as number | undefined) ?? 1,
    a.pad as 'same',
    a.dimRoundingMode as 'floor',
  );
}

/** The geometry of the pool whose gradient this is: TensorFlow.js does not tell gradients how the output was rounded. */
export function forwardInfo(node: Node): PoolInfo {
  const [, outHeight, outWidth] = input(node, 'dy').shape as Shape4;
  return { ...poolInfo(input(node, 'input').shape, node.attributes), outHeight, outWidth };
}

/** ONNX's window attributes, with just so much padding at the end as the last window needs. */
export function windows({ inHeight, inWidth, outHeight, outWidth, ...info }: PoolInfo) {
  const { padInfo: p, strideHeight: sh, strideWidth: sw, filterHeight: kh, filterWidth: kw } = info;
  const bottom = padAfter(inHeight, outHeight, sh, kh, p.top);
  const right = padAfter(inWidth, outWidth, sw, kw, p.left);
  return { kernel_shape: [kh, kw], strides: [sh, sw], pads: [p.top, p.left, bottom, right] };
}

/** @throws Error where TensorFlow.js slides windows of another number than fit, or beyond the edge */
function padAfter(size: number, out: number, stride: number, window: number, before: number): number {
  const padding = Math.max(0, (out - 1) * stride + window - size - before);
  const fits = Math.floor((size + before + padding - window) / stride) + 1 === out;
  if (fits && before < window && padding < window) return padding;
  throw new Error(
    `a pool of ${out} windows of ${window} by steps of ${stride} does not fit ${size} pixels padded by ${before}: where ` +
      'padding is a number, windows and strides must be square and windows larger than the padding',
  );
}
