/** The pixels of a moved image in float64, by other means than `pose.ts`: what a candidate of the threat `spatial` is held against. */
import type { ImageShape } from '../../core/classifier.ts';
import { mostOf, type Pose } from '../../core/pose.ts';

/** The clean image, H·W·C values, in a pose. */
export function moved(clean: Float32Array, [height, width, channels]: ImageShape, pose: Pose): Float64Array {
  const [right, down, turn] = mostOf(height, width).map((most, i) => most * (pose[i] as number)) as [
    number,
    number,
    number,
  ];
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  const at = (row: number, column: number, channel: number): number =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : (clean[(row * width + column) * channels + channel] as number);
  const image = new Float64Array(clean.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [dx, dy] = [column - centreX - right, row - centreY - down];
      const x = centreX + dx * Math.cos(turn) + dy * Math.sin(turn);
      const y = centreY - dx * Math.sin(turn) + dy * Math.cos(turn);
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [shareX, shareY] = [x - left, y - top];
      for (let channel = 0; channel < channels; channel++) {
        const upper = (1 - shareX) * at(top, left, channel) + shareX * at(top, left + 1, channel);
        const lower = (1 - shareX) * at(top + 1, left, channel) + shareX * at(top + 1, left + 1, channel);
        image[(row * width + column) * channels + channel] = (1 - shareY) * upper + shareY * lower;
      }
    }
  }
  return image;
}
