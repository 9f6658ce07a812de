import { fillNoise, stringHash } from '../core/rng.ts';
import type { tf } from '../tf.ts';
import { sizeOf, type Weight, weightsOf } from './weights.ts';

/**
 * Sets the first weights as torchvision's VGG and ResNet do: convolutions normal with variance 2 / fan-out (He, Zhang, Ren,
 * Sun, "Delving Deep into Rectifiers", ICCV 2015, equation 14), dense layers normal with deviation .01. Everything else
 * keeps what its layer was made with: biases 0, batch norm 1 and 0.
 *
 * A weight's values are a pure function of the seed and its name.
 */
export function initialise(model: tf.LayersModel, seed: number): void {
  for (const weight of weightsOf(model)) {
    const deviation = deviationOf(weight);
    if (deviation === undefined) continue;
    const values = new Float32Array(sizeOf(weight.shape));
    const key = { seed, image: stringHash(weight.name), restart: 0, step: 0, draw: 0 };
    fillNoise(values, key, 'normal');
    weight.write(values.map((value) => value * deviation));
  }
}

function deviationOf({ shape }: Weight): number | undefined {
  if (shape.length === 2) return 0.01;
  if (shape.length !== 4) return undefined;
  const [out, , height, width] = shape as [number, number, number, number];
  return Math.sqrt(2 / (out * height * width));
}
