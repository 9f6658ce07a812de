/**
 * Square attack: a random search whose every query changes one square of the image, and which keeps the change if the
 * margin of the true class falls: x̂ ← Π(x̂ + δ) if L(Π(x̂ + δ)) < L(x̂). Squares shrink as the search goes on.
 *
 * Andriushchenko, Croce, Flammarion, Hein, "Square Attack: a query-efficient black-box adversarial attack via random
 * search", ECCV 2020: algorithm 1, with algorithm 2 (L∞) or 3 (L2) for δ. Towards a target the loss is its cross-entropy
 * and the schedule scales with the number of queries, as in AutoAttack (Croce and Hein, ICML 2020).
 *
 * As in the paper, a square may touch every edge (its code never reaches the last row and column), the length available to
 * an L2 window counts each channel by itself, and η is made of a length once, not half by half.
 *
 * In L1 (Croce, Hein, "Mind the Box", ICML 2021) it is algorithm 3 with sums of |δ| for lengths. What is tried is projected
 * on ball and box at once, and is first made longer than ε: else what the box cuts off would be lost to the perturbation, and
 * nothing would make it sparser.
 */
import type { AttackContext, AttackState } from '../src/core/attack.ts';
import { defineAttack } from '../src/core/attack.ts';
import { sizeOf } from '../src/core/ball.ts';
import { column } from '../src/core/column.ts';
import { p } from '../src/core/params.ts';
import type { Norm } from '../src/core/threat-model.ts';
import { tf } from '../src/tf.ts';

const params = {
  queries: p.integer(5000, 'queries after the first', { min: 1 }),
  share: p.number(0.8, 'share of the pixels that the first squares cover', { min: 0, max: 1 }),
};

type Context = AttackContext<typeof params>;

interface State extends AttackState {
  /** The best image so far; `x` is the one that is tried. */
  readonly best: tf.Tensor4D;
  /** Its loss as the adversary raises it, [B, 1, 1, 1]. */
  readonly gain: tf.Tensor4D;
}

export default defineAttack<typeof params, State>({
  name: 'square',
  title: 'Square attack',
  paper: 'https://arxiv.org/abs/1912.00049',
  norms: ['Linf', 'L2', 'L1'],
  access: 'score',
  params,
  steps: ({ queries }) => queries,
  init: (x, context) => {
    const start = context.ball.norm === 'Linf' ? stripes(x, context) : tiles(x, context);
    return { x: start, best: start, gain: tf.fill([x.shape[0], 1, 1, 1], LOWEST) };
  },
  step: ({ x, best: held, gain: least }, context) => {
    const { ball, targeted, crossEntropy, margin, logits } = context;
    const found = column((targeted ? crossEntropy : margin)(logits(x)));
    const better = found.greater(least);
    const best = tf.where(better, x, held) as tf.Tensor4D;
    const moved = ball.norm === 'Linf' ? paintSquare(best, context) : moveMass(best, context);
    return { x: ball.project(moved), best, gain: tf.where(better, found, least) as tf.Tensor4D };
  },
});

/** Below every loss. */
const LOWEST = -1e30;

/** Stands in for the length of a window without any perturbation. */
const TINY = 1e-12;

/** After which of 10,000 queries the share of the pixels is halved. */
const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** The side of every image's square: [B, 1, 1, 1]. A sum of jumps, each of which an image has behind it or not. */
function sideOf(x: tf.Tensor4D, { ball, iteration, params: { queries, share } }: Context): tf.Tensor4D {
  const [, height, width] = x.shape;
  const sideAfter = (halvings: number): number => {
    const side = Math.round(Math.sqrt((share / 2 ** halvings) * height * width));
    return ball.norm === 'Linf' ? clamp(side, 1, Math.min(height, width)) : oddWithin(side, Math.min(height, width));
  };
  return HALVINGS.reduce(
    (side, after, i) => {
      const begun = iteration.greaterEqual(Math.ceil(((after + 1) * queries) / 10000)).toFloat();
      return side.add(begun.mul(sideAfter(i + 1) - sideAfter(i)));
    },
    tf.fill(iteration.shape, sideAfter(0)) as tf.Tensor4D,
  );
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high));

/** The next odd number from 3 on, or the largest odd one that fits. */
const oddWithin = (side: number, most: number): number =>
  clamp(2 * Math.floor(side / 2) + 1, Math.min(3, most), 2 * Math.ceil(most / 2) - 1);

/** +1 or -1, a draw of its own for each entry: [B, ...shape]. */
const signs = ({ noise }: Context, shape: readonly number[]): tf.Tensor4D =>
  noise(shape, 'uniform').sub(0.5).sign() as tf.Tensor4D;

/** Where a window's pixels are, from its corner on: 0 to `side` - 1 inside. */
interface Window {
  /** [B, H, 1, 1] */
  readonly row: tf.Tensor4D;
  /** [B, 1, W, 1] */
  readonly column: tf.Tensor4D;
  /** 1 inside, 0 outside: [B, H, W, 1]. */
  readonly mask: tf.Tensor4D;
}

/** A square of the given side, anywhere in the image. */
function drawWindow(x: tf.Tensor4D, side: tf.Tensor4D, { noise }: Context): Window {
  const along = (axis: 1 | 2): tf.Tensor4D => {
    const length = x.shape[axis];
    const places = tf.scalar(length + 1).sub(side);
    const corner = noise([1, 1, 1], 'uniform').mul(places).floor();
    const shape = axis === 1 ? [1, length, 1, 1] : [1, 1, length, 1];
    return tf.range(0, length).reshape(shape).sub(corner) as tf.Tensor4D;
  };
  const within = (offset: tf.Tensor4D): tf.Tensor4D => offset.greaterEqual(0).logicalAnd(offset.less(side));
  const [row, column] = [along(1), along(2)];
  return { row, column, mask: within(row).logicalAnd(within(column)).toFloat() as tf.Tensor4D };
}

/** L∞ start: vertical stripes of ±ε. */
const stripes = (x: tf.Tensor4D, context: Context): tf.Tensor4D =>
  context.ball.project(x.add(signs(context, [1, x.shape[2], x.shape[3]]).mul(context.epsilon)));

/** Algorithm 2: ±2ε in a square, one sign per channel. The projection makes it ±ε. */
function paintSquare(best: tf.Tensor4D, context: Context): tf.Tensor4D {
  const { mask } = drawWindow(best, sideOf(best, context), context);
  const change = mask.mul(signs(context, [1, 1, best.shape[3]])).mul(context.epsilon.mul(2));
  return best.add(change);
}

/** Tiles along each axis of the start. */
const GRID = 5;

/** The start in other norms: a grid of tiles, each an η of its own sign and orientation, of length ε together. */
function tiles(x: tf.Tensor4D, context: Context): tf.Tensor4D {
  const [, height, width, channels] = x.shape;
  const side = Math.max(1, Math.floor(Math.min(height, width) / GRID));
  const along = (axis: 1 | 2) => {
    const length = x.shape[axis];
    const place = tf.range(0, length).sub(Math.floor((length - GRID * side) / 2));
    const tile = place.div(side).floor();
    const shape = axis === 1 ? [1, length, 1, 1] : [1, 1, length, 1];
    return {
      tile: tile.clipByValue(0, GRID - 1).toInt() as tf.Tensor1D,
      offset: place.sub(tile.mul(side)).reshape(shape) as tf.Tensor4D,
      inside: tile.greaterEqual(0).logicalAnd(tile.less(GRID)).toFloat().reshape(shape),
    };
  };
  const [row, column] = [along(1), along(2)];
  const spread = (perTile: tf.Tensor4D): tf.Tensor4D => perTile.gather(row.tile, 1).gather(column.tile, 2);
  const mask = row.inside.mul(column.inside) as tf.Tensor4D;
  const orientation = spread(signs(context, [GRID, GRID, 1]));
  const pattern = eta({ row: row.offset, column: column.offset, mask }, tf.fill([1, 1, 1, 1], side), orientation);
  const start = pattern.mul(spread(signs(context, [GRID, GRID, channels]))) as tf.Tensor4D;
  const whole = start.div(sizeOf(context.ball.norm, start).maximum(TINY));
  return context.ball.project(x.add(whole.mul(context.epsilon).mul(upscaling(context))));
}

/** How much longer what is new of a perturbation is made in L1. Of 1, 2, 3 and 6 this leaves the fewest MNIST images standing. */
const UPSCALED = 3;

const upscaling = ({ ball }: Context): number => (ball.norm === 'L1' ? UPSCALED : 1);

/** Algorithm 3: the perturbation of one window moves into another, along with what is left of ε, and is bent towards ±η. */
function moveMass(best: tf.Tensor4D, context: Context): tf.Tensor4D {
  const { ball, clean, epsilon } = context;
  const { power, root, massOf, unit } = inChannels(ball.norm);
  const side = sideOf(best, context);
  const [to, from] = [drawWindow(best, side, context), drawWindow(best, side, context)];
  const ν: tf.Tensor4D = best.sub(clean);
  const unused = power(epsilon).sub(massOf(ν).sum(3, true)).relu();
  const inWindows = massOf(ν.mul(to.mask.maximum(from.mask)));
  const available = root(inWindows.add(unused.div(best.shape[3]))).mul(upscaling(context));
  const η = unit(eta(to, side, signs(context, [1, 1, 1])));
  const change = η.mul(signs(context, [1, 1, best.shape[3]])) as tf.Tensor4D;
  const bent = unit(change.add(unit(ν.mul(to.mask))));
  const emptied = ν.mul(tf.scalar(1).sub(to.mask.maximum(from.mask)));
  return clean.add(emptied).add(bent.mul(available));
}

/** The lengths of every channel by itself, which are sums of |x| in L1 and roots of sums of x² in L2. */
function inChannels(norm: Norm) {
  const power = (x: tf.Tensor): tf.Tensor => (norm === 'L1' ? x.abs() : x.square());
  const root = (mass: tf.Tensor): tf.Tensor => (norm === 'L1' ? mass : mass.sqrt());
  /** What adds up over pixels: [B, 1, 1, C]. */
  const massOf = (x: tf.Tensor4D): tf.Tensor => power(x).sum(2, true).sum(1, true);
  /** Every channel made of length 1, or left at 0. */
  const unit = (x: tf.Tensor4D): tf.Tensor4D => x.div(root(massOf(x)).maximum(TINY));
  return { power, root, massOf, unit };
}

/**
 * η of equation 2, up to a factor: two hills of opposite sign in the halves of a window, one above the other where
 * `orientation` [B, H or 1, W or 1, 1] is positive, side by side elsewhere: [B, H, W, 1].
 *
 * At a distance d (the larger of two) from its middle a hill is Σ 1/j² over j = d+1 … ⌊h/2⌋+1, h being the side.
 */
function eta({ row, column, mask }: Window, side: tf.Tensor4D, orientation: tf.Tensor4D): tf.Tensor4D {
  const upright = orientation.greater(0);
  const along = tf.where(upright, row, column);
  const across = tf.where(upright, column, row);
  const half = side.div(2).floor() as tf.Tensor4D;
  const isFirst = along.less(half);
  const middle = tf.where(isFirst, half.div(2).floor(), half.add(side.sub(half).div(2).floor()));
  const distance = tf.maximum(along.sub(middle).abs(), across.sub(half).abs());
  // Outside the window anything goes: the mask blots it out.
  const longest = Math.max(row.shape[1], column.shape[2]);
  const sums = tf.tensor1d(partialSums(longest + 1));
  const upTo = (count: tf.Tensor): tf.Tensor => sums.gather(count.clipByValue(0, longest + 1).toInt());
  const hill = upTo(half.add(1)).sub(upTo(distance));
  return hill.mul(tf.where(isFirst, tf.scalar(1), tf.scalar(-1))).mul(mask) as tf.Tensor4D;
}

/** Σ 1/j² over j = 1 … k, for k = 0 … n. */
function partialSums(n: number): number[] {
  const sums = [0];
  for (let j = 1; j <= n; j++) sums.push((sums[j - 1] as number) + 1 / j ** 2);
  return sums;
}
