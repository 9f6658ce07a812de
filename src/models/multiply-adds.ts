import type { tf } from '../tf.ts';

/**
 * Multiplications with their additions in one forward pass of one image: those of convolutions and dense layers, as papers
 * count them.
 */
export const multiplyAdds = (model: tf.LayersModel): number =>
  model.layers.reduce((sum, layer) => sum + ofLayer(layer), 0);

/** Every weight of a kernel is used once at every place of the output map; a dense layer has one place. */
function ofLayer(layer: tf.layers.Layer): number {
  const kernel = layer.trainableWeights.find(({ originalName }) => /(^|\/)kernel(_\d+)?$/.test(originalName));
  if (kernel === undefined) return 0;
  const places = (layer.outputShape as tf.Shape).slice(1, -1);
  return [...(kernel.shape as number[]), ...(places as number[])].reduce((product, size) => product * size, 1);
}
