/** Where a convolution's windows lie. */
import { tf } from '../../tf.ts';
import { input, type Node, sameShape } from '../graph.ts';

/** The geometry of one convolution. */
export type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

type Shape4 = [number, number, number, number];

/** TensorFlow.js's own arithmetic of strides and padding. @throws Error for NCHW data, and for what only it can make of pads */
export function convInfo(
  x: readonly number[],
  filter: readonly number[],
  a: Node['attributes'],
  depthwise: boolean,
): ConvInfo {
  if (a.dataFormat === 'NCHW') throw new Error('convolutions with dataFormat "NCHW" are not compiled; use NHWC');
  const info = tf.backend_util.computeConv2DInfo(
    [...x] as Shape4,
    [...filter] as Shape4,
    a.strides as number,
    (a.dilations as number | undefined) ?? 1,
    a.pad as 'same',
    a.dimRoundingMode as 'floor',
    depthwise,
  );
  const { padInfo: p } = info;
  const [bottom, right] = [
    padAfter(info.inHeight, info.outHeight, info.strideHeight, info.effectiveFilterHeight, p.top, p.bottom),
    padAfter(info.inWidth, info.outWidth, info.strideWidth, info.effectiveFilterWidth, p.left, p.right),
  ];
  return { ...info, padInfo: { ...p, bottom, right } };
}

/** Padding at the end of an axis: a little more than was said where the output's size is rounded up. */
function padAfter(size: number, out: number, stride: number, window: number, before: number, after: number): number {
  const padding = Math.max(after, (out - 1) * stride + window - size - before);
  if (Math.floor((size + before + padding - window) / stride) + 1 === out) return padding;
  throw new Error(
    'where padding is a number TensorFlow.js takes filters, strides and dilations to be square, and these are not; ' +
      'give the padding of every side: [[0, 0], [top, bottom], [left, right], [0, 0]]',
  );
}

/** The geometry of the convolution whose gradient this is. @throws Error if its output was rounded up */
export function forwardInfo(node: Node, x: readonly number[], filter: readonly number[], depthwise: boolean): ConvInfo {
  const info = convInfo(x, filter, node.attributes, depthwise);
  const dy = input(node, 'dy');
  if (sameShape(dy.shape, info.outShape)) return info;
  throw new Error(
    `${node.kernel} has a gradient of shape [${dy.shape}] for an output of shape [${info.outShape}]: TensorFlow.js ` +
      'forgets the dimRoundingMode of convolutions in their gradients; pad the input instead',
  );
}

/** ONNX's order: top, left, bottom, right. */
export const padsOf = ({ padInfo: p }: ConvInfo): number[] => [p.top, p.left, p.bottom, p.right];
