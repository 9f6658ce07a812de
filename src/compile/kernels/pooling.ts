/** Max and average pooling, and their gradients. */
import { input, need, output } from '../graph.ts';
import { physicalShape } from '../layout.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { forwardInfo, poolInfo, windows } from './pool-geometry.ts';

type Shape4 = [number, number, number, number];

function pooling(operator: 'MaxPool' | 'AveragePool'): Kernel {
  return {
    infer: (inputs, attributes) => typed(poolInfo(need(inputs, 'x').shape, attributes).outShape, 'float32'),
    lower: (node, emit) => {
      const x = input(node, 'x');
      const attributes = windows(poolInfo(x.shape, node.attributes));
      const shape = physicalShape(output(node).shape, 'channelsFirst');
      const pooled = emit.op(operator, [emit.read(x, 'channelsFirst')], shape, { attributes });
      emit.define(output(node), pooled, 'channelsFirst');
    },
  };
}

/** Every pixel gets its windows' gradients, divided by the window's full size: TensorFlow.js does not count padding. */
const averagePoolGradient: Kernel = {
  infer: (inputs) => [need(inputs, 'input')],
  lower: (node, emit) => {
    const value = input(node, 'input');
    const info = forwardInfo(node);
    const { filterHeight: kh, filterWidth: kw, inChannels: channels } = info;
    const dy = emit.read(input(node, 'dy'), 'channelsFirst');
    const shape = physicalShape(value.shape, 'channelsFirst');
    const share = emit.constant(
      new Float32Array(channels * kh * kw).fill(1 / (kh * kw)),
      [channels, 1, kh, kw],
      'float32',
    );
    const { kernel_shape, strides, pads } = windows(info);
    const [, , h, w] = shape as Shape4;
    const [top, left, bottom, right] = pads as Shape4;
    const reached = [(info.outHeight - 1) * info.strideHeight + kh, (info.outWidth - 1) * info.strideWidth + kw];
    const output_padding = [h - ((reached[0] as number) - top - bottom), w - ((reached[1] as number) - left - right)];
    const attributes = { group: channels, kernel_shape, strides, pads, output_padding };
    emit.define(output(node), emit.op('ConvTranspose', [dy, share], shape, { attributes }), 'channelsFirst');
  },
};

export const POOLING: KernelTable = {
  AvgPool: pooling('AveragePool'),
  AvgPoolGrad: averagePoolGradient,
  MaxPool: pooling('MaxPool'),
  MaxPoolGrad: maxPoolGradient,
};
