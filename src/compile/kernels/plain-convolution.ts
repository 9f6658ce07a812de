/** ONNX's convolution, as every provider computes it right. */
import type { Emitter, Wire } from '../emitter.ts';
import type { OnnxAttribute } from '../onnx.ts';

interface Operands {
  /** [N, C, H, W] */
  readonly x: Wire;
  /** [O, C / groups, kh, kw] */
  readonly filter: Wire;
  /** [O] */
  readonly bias?: Wire | undefined;
}

/** A convolution in channels-first order, of the given shape [N, O, h, w]. */
export function plainConvolution(
  emit: Emitter,
  { x, filter, bias }: Operands,
  shape: readonly number[],
  attributes: Readonly<Record<string, OnnxAttribute>> & { readonly group?: number },
): Wire {
  const missing = emit.target.provider === 'webgpu' ? missingChannels(x, filter, attributes.group ?? 1) : 0;
  const inputs = [withZeros(emit, x, missing), withZeros(emit, filter, missing), bias];
  return emit.op('Conv', inputs, shape, { attributes });
}

/**
 * Channels of zeros to add to the input's. Where they are a multiple of three, but neither three nor a multiple of four, and
 * come to a multiple of four, ONNX Runtime 1.30 reads them by threes and by fours at once: its results on WebGPU are wrong.
 */
function missingChannels(x: Wire, filter: Wire, groups: number): number {
  const [channels, outputs] = [x.shape[1] as number, filter.shape[0] as number];
  const isWrong = groups === 1 && channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && outputs % 4 === 0;
  return isWrong ? 4 - (channels % 4) : 0;
}

const withZeros = (emit: Emitter, wire: Wire, channels: number): Wire =>
  emit.pad(wire, [
    [0, 0],
    [0, channels],
    [0, 0],
    [0, 0],
  ]);
