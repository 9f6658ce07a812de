/**
 * Shifts and turns: the worst of a grid of poses, or of a few drawn at random. Each step tries one,
 *
 *   x = render(x₀; r·a·ε, d·a·ε, t·φ·ε),   r, d, t in [-1, 1],
 *
 * with the most a of 3 pixels of 28 or 32, or 24 of 224, and φ of 30 degrees at ε = 1, whatever the classifier says: which
 * of them fool it is found out as of all candidates.
 *
 * Engstrom, Tran, Tsipras, Schmidt, Madry, "Exploring the Landscape of Spatial Robustness", ICML 2019, section 3: the grid
 * search and the worst of k, both of which are stronger there than following the gradient. Their grid has 31 turns, here 5
 * are the default.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

const still = (x: tf.Tensor4D): tf.Tensor2D => tf.zeros([x.shape[0], 3]);

/** Place number `index` of `count` that are spread evenly from -1 to 1; the middle if there is only one. */
const spread = (index: tf.Tensor, count: number): tf.Tensor =>
  count === 1 ? tf.zerosLike(index) : index.mul(2 / (count - 1)).sub(1);

export default defineAttack({
  name: 'spatial',
  title: 'Shifts and turns',
  paper: 'https://arxiv.org/abs/1712.02779',
  norms: ['spatial'],
  access: 'decision',
  params: {
    search: p.choice('grid', ['grid', 'random'], 'the poses of a grid, or drawn uniformly'),
    shifts: p.integer(5, 'places of the grid from left to right, and from top to bottom', { min: 1, max: 101 }),
    turns: p.integer(5, 'angles of the grid', { min: 1, max: 101 }),
    samples: p.integer(10, 'poses that are drawn', { min: 1 }),
  },
  steps: ({ search, shifts, turns, samples }) => (search === 'grid' ? shifts * shifts * turns : samples),
  init: (x) => ({ x, pose: still(x) }),
  step: (_, { epsilon, iteration, noise, params: { search, shifts, turns }, render }) => {
    const number = iteration.reshape([-1, 1]);
    const places = [
      spread(number.mod(shifts), shifts),
      spread(number.div(shifts).floor().mod(shifts), shifts),
      spread(number.div(shifts * shifts).floor(), turns),
    ];
    const share = search === 'grid' ? tf.concat(places, 1) : noise([3], 'uniform').mul(2).sub(1);
    const pose = share.mul<tf.Tensor2D>(epsilon.reshape([-1, 1]));
    return { x: render(pose), pose };
  },
});
