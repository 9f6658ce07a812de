/**
 * LeNet-5, as a network that somebody brings: the layers are described here, the weights come from PyTorch (lenet.pth, made
 * by train_lenet.py). ReLU and maximum pooling stand where the paper has tanh and averages.
 *
 * LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE 86(11),
 * 1998, figure 2.
 */
import { chain, conv, defineNetwork, dense, flatten, maxPool, relu, tf } from 'gibbon';

/** Layers with weights carry the names that PyTorch's state dict has for them. */
const layers = chain(
  conv(6, 5, { padding: 2 })('conv1'),
  relu()('relu1'),
  maxPool(2)('pool1'),
  conv(16, 5)('conv2'),
  relu()('relu2'),
  maxPool(2)('pool2'),
  flatten()('flatten'),
  dense(120)('fc1'),
  relu()('relu3'),
  dense(84)('fc2'),
  relu()('relu4'),
  dense(10)('fc3'),
);

export default defineNetwork({
  name: 'lenet',
  title: 'LeNet-5',
  paper: 'https://doi.org/10.1109/5.726791',
  year: 1998,
  idea: 'Convolutions that share their weights, between layers that halve the map',
  training: 'standard',
  input: [28, 28, 1],
  classes: 10,
  normalisation: { mean: 0.1307, std: 0.3081 },
  build: () => {
    const image = tf.input({ shape: [28, 28, 1] });
    return tf.model({ inputs: image, outputs: layers(image) });
  },
});
