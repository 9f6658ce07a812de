/**
 * Paddings in numbers, which the kernels of tfjs-node 4.22 refuse or get wrong: the image is surrounded by what counts for
 * nothing, and the kernel is told `valid`.
 */
import { tf } from '../tf.ts';
import { borrowed } from './borrow-kernels.ts';

type Kernel = tf.KernelFunc;
type Call = Parameters<Kernel>[0];
type Windows = tf.backend_util.Conv2DInfo;
type Quad = [number, number, number, number];

/** Teaches the backend's kernels every padding that TensorFlow.js knows, on images [B, H, W, C]. */
export function surround(backend: string): void {
  const teach = (name: string, teacher: (kernel: Kernel) => Kernel): void => {
    const { kernelFunc } = tf.getKernel(name, backend);
    tf.unregisterKernel(name, backend);
    tf.registerKernel({ kernelName: name, backendName: backend, kernelFunc: teacher(kernelFunc) });
  };
  for (const name of [tf.Conv2D, tf.FusedConv2D, tf.Conv2DBackpropFilter])
    teach(name, ofImage('x', 0, convolution(false)));
  for (const name of [tf.DepthwiseConv2dNative, tf.FusedDepthwiseConv2D, tf.DepthwiseConv2dNativeBackpropFilter])
    teach(name, ofImage('x', 0, convolution(true)));
  teach(tf.Conv2DBackpropInput, toImage(convolution(false)));
  teach(tf.DepthwiseConv2dNativeBackpropInput, toImage(convolution(true)));
  teach(tf.MaxPool, ofImage('x', Number.NEGATIVE_INFINITY, pool('x')));
  teach(tf.MaxPoolGrad, (kernel) => {
    const surrounded = ofImage('input', Number.NEGATIVE_INFINITY, pool('input'))(kernel);
    return cropped(surrounded, pool('input'));
  });
  // A mean is over what lies inside: the reference knows over how much that is.
  for (const [name, image] of [
    [tf.AvgPool, 'x'],
    [tf.AvgPoolGrad, 'input'],
  ] as const)
    teach(name, (kernel) => elsewhere(kernel, tf.getKernel(name, 'cpu').kernelFunc, pool(image)));
}

/** Where a kernel's windows lie. */
type Geometry = (call: Call) => Windows;

const shapeOf = ({ inputs }: Call, name: string): Quad | undefined => inputs[name]?.shape as Quad | undefined;

/** Gradients are told the shape of what is not there. */
const convolution =
  (depthwise: boolean): Geometry =>
  (call) => {
    const { strides, pad, dimRoundingMode, dilations, dataFormat, inputShape, filterShape } = call.attrs as {
      strides: number | [number, number];
      pad: Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
      dimRoundingMode?: 'floor' | 'round' | 'ceil';
      dilations?: number | [number, number];
      dataFormat?: 'NHWC' | 'NCHW';
      inputShape?: Quad;
      filterShape?: Quad;
    };
    return tf.backend_util.computeConv2DInfo(
      (shapeOf(call, 'x') ?? inputShape) as Quad,
      (shapeOf(call, 'filter') ?? filterShape) as Quad,
      ...([strides, dilations ?? 1, pad, dimRoundingMode, depthwise] as const),
      tf.backend_util.convertConv2DDataFormat(dataFormat ?? 'NHWC'),
    );
  };

const pool =
  (image: string): Geometry =>
  (call) => {
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as {
      filterSize: number | [number, number];
      strides: number | [number, number];
      pad: Parameters<typeof tf.backend_util.computePool2DInfo>[4];
      dimRoundingMode?: 'floor' | 'round' | 'ceil';
    };
    return tf.backend_util.computePool2DInfo(
      shapeOf(call, image) as Quad,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
  };

/** Whether the padding is one that TensorFlow has a name for. */
const isNamed = ({ padInfo, dataFormat }: Windows): boolean =>
  padInfo.type === 'VALID' || padInfo.type === 'SAME' || dataFormat !== 'channelsLast';

/** Rows and columns before and after the image, as far as windows reach. */
function around(windows: Windows): [number, number][] {
  const { padInfo, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth } = windows;
  const after = (length: number, count: number, stride: number, size: number, before: number): number =>
    Math.max(0, (count - 1) * stride + size - length - before);
  const { top, left } = padInfo;
  return [
    [0, 0],
    [top, after(inHeight, outHeight, strideHeight, windows.effectiveFilterHeight, top)],
    [left, after(inWidth, outWidth, strideWidth, windows.effectiveFilterWidth, left)],
    [0, 0],
  ];
}

/** For a kernel that takes the image. */
const ofImage =
  (image: string, fill: number, geometry: Geometry) =>
  (kernel: Kernel): Kernel =>
  (call) => {
    const windows = geometry(call);
    if (isNamed(windows)) return kernel(call);
    return tf.tidy(() => {
      const surrounded = tf.pad(call.inputs[image] as tf.Tensor, around(windows), fill);
      const inputs = { ...call.inputs, [image]: surrounded };
      return tensorOf(kernel({ ...call, inputs, attrs: { ...call.attrs, pad: 'valid' } }));
    });
  };

/** For a kernel that gives the image's gradient and is told its shape. */
const toImage =
  (geometry: Geometry) =>
  (kernel: Kernel): Kernel =>
  (call) => {
    const windows = geometry(call);
    if (isNamed(windows)) return kernel(call);
    const inputShape = windows.inShape.map((length, axis) => length + sum(around(windows)[axis] ?? []));
    const surrounded: Kernel = (given) => kernel({ ...given, attrs: { ...given.attrs, inputShape, pad: 'valid' } });
    return cropped(surrounded, () => windows)(call);
  };

/** Takes the surroundings away again. */
const cropped =
  (kernel: Kernel, geometry: Geometry): Kernel =>
  (call) => {
    const windows = geometry(call);
    if (isNamed(windows)) return kernel(call);
    const { top, left } = windows.padInfo;
    return tf.tidy(() => tf.slice(tensorOf(kernel(call)), [0, top, left, 0], windows.inShape));
  };

/** The kernel of the reference where the padding has no name. */
const elsewhere = (kernel: Kernel, reference: Kernel, geometry: Geometry): Kernel => {
  const lent = borrowed(reference);
  return (call) => (isNamed(geometry(call)) ? kernel(call) : lent(call));
};

/** What kernels give may be less than a tensor: TensorFlow.js makes one of it when they are done. */
const tensorOf = (made: ReturnType<Kernel>): tf.Tensor =>
  made instanceof tf.Tensor ? made : tf.engine().makeTensorFromTensorInfo(made as tf.TensorInfo);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
