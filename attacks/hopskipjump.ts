/**
 * HopSkipJump: seeks the nearest adversarial image and sees nothing but classes. At a point x on the boundary,
 *
 *     ∇̂ = 1/(B - 1) Σᵢ (φ(x + δ uᵢ) - φ̄) uᵢ,   φ = ±1 by the decision,   δ = ‖x - x*‖ / d,
 *
 * estimates where adversarial images lie. A jump of length ξ = ‖x - x*‖ / √t along it, halved until it lands among them, and
 * a search back to the boundary, towards the clean image x*, make round t; the number of directions B grows as √t.
 *
 * Chen, Jordan, Wainwright, "HopSkipJumpAttack: A Query-Efficient Decision-Based Attack", IEEE Symposium on Security and
 * Privacy 2020, algorithms 1 and 2 and section IV.
 *
 * One step is a fixed number of queries at once: a search probes its interval in so many places instead of halving it as
 * often, all halvings of ξ are tried together, and B is rounded to whole steps. An image starts from a blend with uniform
 * noise, drawn anew until one reaches the goal; if none ever does, it stays where it is and counts as withstanding.
 */
import type { AttackContext, AttackState } from '../src/core/attack.ts';
import { defineAttack } from '../src/core/attack.ts';
import { sizeOf } from '../src/core/ball.ts';
import { column } from '../src/core/column.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

const params = {
  queries: p.integer(10000, 'queries, 10 at once', { min: 10 }),
  directions: p.integer(100, 'directions B of the first estimate', { min: 1 }),
};

type Context = AttackContext<typeof params>;

/** Queries of a step. */
const AT_ONCE = 10;

/** Per image; numbers are [B, 1, 1, 1]. `x` is its nearest adversarial image so far, or the clean one while none is known. */
interface State extends AttackState {
  /** t, from 1 on; 0 while a start is sought. */
  readonly round: tf.Tensor4D;
  /** Steps taken in this round. */
  readonly clock: tf.Tensor4D;
  /** How far on the way from the clean image (0) to `x` (1) the search has seen no adversarial image. */
  readonly low: tf.Tensor4D;
  /** Σ φᵢ uᵢ of this round's directions, [B, H, W, C]. */
  readonly votes: tf.Tensor4D;
  /** Σ uᵢ of them, [B, H, W, C]. */
  readonly drift: tf.Tensor4D;
  /** Σ φᵢ of them. */
  readonly balance: tf.Tensor4D;
}

export default defineAttack<typeof params, State>({
  name: 'hopskipjump',
  title: 'HopSkipJump',
  paper: 'https://arxiv.org/abs/1904.02144',
  norms: ['L2', 'Linf'],
  access: 'decision',
  minimumNorm: true,
  params,
  steps: ({ queries }) => Math.floor(queries / AT_ONCE),
  init: (x, { iteration }) => {
    const [nothing, zero] = [tf.zerosLike(x), tf.zerosLike(iteration)];
    return { x, round: zero, clock: zero, low: zero, votes: nothing, drift: nothing, balance: zero };
  },
  step: (state, context) => {
    const phase = phaseOf(state, context);
    const probes = probesOf(state, context);
    const either = (now: tf.Tensor, these: tf.Tensor, others: tf.Tensor): tf.Tensor =>
      tf.where(now.expandDims(1), these, others);
    const queries = either(
      phase.starts,
      probes.blends,
      either(phase.searches, between(state, context), either(phase.estimates, probes.around, jumps(state, context))),
    );
    const reached = decide(queries, context);
    const { any, index } = firstOf(reached);
    const lands = any.logicalAnd(phase.estimates.logicalNot());
    return {
      x: tf.where(lands, queryAt(index, queries), state.x) as tf.Tensor4D,
      ...nextRound(state, phase, any),
      low: tf.where(phase.searches, narrowed(state.low, index), tf.zerosLike(state.low)) as tf.Tensor4D,
      ...tallied(state, phase, reached, probes.around),
    };
  },
});

/** No search is finer than this share of the way to the clean image: beyond it, rounding decides about classes. */
const FINEST = 1e-5;

const pixelsOf = (x: tf.Tensor4D): number => x.size / x.shape[0];

/** ‖x - x*‖: [B, 1, 1, 1]. */
const lengthOf = ({ x }: State, { ball, clean }: Context): tf.Tensor4D =>
  sizeOf(ball.norm, x.sub(clean) as tf.Tensor4D);

/** Numbers of the queries of a step, from `first` on, to be multiplied with images: [1, 10, 1, 1, 1]. */
const numbers = (first: number): tf.Tensor => tf.range(first, first + AT_ONCE).reshape([1, AT_ONCE, 1, 1, 1]);

const toBox = (x: tf.Tensor): tf.Tensor => x.clipByValue(0, 1);

/** What every image's queries are for: masks [B, 1, 1, 1], of which one holds. */
interface Phase {
  readonly starts: tf.Tensor;
  readonly searches: tf.Tensor;
  readonly estimates: tf.Tensor;
  readonly jumps: tf.Tensor;
}

/** How many steps it takes to ask in B√t directions. */
const estimatingSteps = (round: tf.Tensor4D, { params: { directions } }: Context): tf.Tensor4D =>
  round
    .sqrt()
    .mul(directions / AT_ONCE)
    .round()
    .maximum(1);

/** A round searches the boundary, estimates its normal, and jumps. */
function phaseOf({ x, round, clock }: State, context: Context): Phase {
  // Section IV-C: θ = d^(-3/2) in L2 and d^(-2) in L∞ is near enough to the boundary.
  const nearness = Math.max(FINEST, pixelsOf(x) ** (context.ball.norm === 'L2' ? -1.5 : -2));
  const searching = Math.ceil(Math.log(1 / nearness) / Math.log(AT_ONCE + 1));
  const runs = round.greater(0);
  const before = (end: number | tf.Tensor): tf.Tensor => runs.logicalAnd(clock.less(end));
  const jumpAt = estimatingSteps(round, context).add(searching);
  return {
    starts: runs.logicalNot(),
    searches: before(searching),
    estimates: before(jumpAt).logicalAnd(clock.greaterEqual(searching)),
    jumps: runs.logicalAnd(clock.greaterEqual(jumpAt)),
  };
}

/** The queries that are drawn, [B, 10, H, W, C]: blends with one image of uniform noise, and points `around` the candidate. */
function probesOf(state: State, context: Context) {
  const { clean, noise } = context;
  const [, ...shape] = clean.shape;
  const draws = noise([AT_ONCE, ...shape], 'normal');
  const first = draws.slice([0, 0], [-1, 1]);
  // The normal distribution's own function makes normal draws uniform.
  const uniform = first.div(Math.SQRT2).erf().add(1).div(2);
  const image = clean.expandDims(1);
  const blends = image.add(uniform.sub(image).mul(numbers(1).div(AT_ONCE)));
  const directions = draws.div(draws.square().sum([2, 3, 4], true).sqrt());
  const δ = lengthOf(state, context).div(pixelsOf(clean)).expandDims(1);
  return { blends: toBox(blends), around: toBox(state.x.expandDims(1).add(directions.mul(δ))) };
}

/** Points between clean image and candidate, from near to far: on the line in L2, at the corner of a shrinking box in L∞. */
function between(state: State, context: Context): tf.Tensor {
  const image = context.clean.expandDims(1);
  const way = state.x.expandDims(1).sub(image);
  const share = placeOf(state.low.expandDims(1), numbers(1));
  if (context.ball.norm === 'L2') return toBox(image.add(way.mul(share)));
  const most = lengthOf(state, context).expandDims(1).mul(share);
  return toBox(image.add(way.minimum(most).maximum(most.neg())));
}

/** Where a search looks with its query of this number, from 1 on, and where it has looked before, as a share of the way. */
const placeOf = (low: tf.Tensor, number: tf.Tensor): tf.Tensor =>
  low.add(
    tf
      .scalar(1)
      .sub(low)
      .mul(number)
      .div(AT_ONCE + 1),
  );

/** The end of the interval without an adversarial image, as a share of the way to the new candidate. */
const narrowed = (low: tf.Tensor, index: tf.Tensor): tf.Tensor => placeOf(low, index).div(placeOf(low, index.add(1)));

/** Points along the estimated normal, the farthest first. */
function jumps(state: State, context: Context): tf.Tensor {
  const { x, round, votes, drift, balance } = state;
  const count = estimatingSteps(round, context).mul(AT_ONCE);
  const mean = balance.div(count);
  // Where all agree, all point the same way.
  const normal = tf.where(balance.abs().equal(count), votes, votes.sub(drift.mul(mean))) as tf.Tensor4D;
  const ξ = lengthOf(state, context).div(round.maximum(1).sqrt()).expandDims(1);
  const halvings = tf.pow(tf.scalar(0.5), numbers(0));
  return toBox(x.expandDims(1).add(context.ball.steepest(normal).expandDims(1).mul(ξ.mul(halvings))));
}

/** 1 where a query reaches the goal, 0 elsewhere: [B, 10]. */
function decide(queries: tf.Tensor, { predict, targeted, target, label }: Context): tf.Tensor2D {
  const [images, , ...shape] = queries.shape;
  const classes = predict(queries.reshape([-1, ...shape])).reshape([images as number, AT_ONCE]);
  const goal = targeted ? classes.equal(target.expandDims(1)) : classes.notEqual(label.expandDims(1));
  return goal.toFloat() as tf.Tensor2D;
}

/** Whether a query reached the goal, and the number of the first one, or else of the one after the last: [B, 1, 1, 1]. */
function firstOf(reached: tf.Tensor2D) {
  const any = reached.max(1).greater(0);
  const index = tf.where(any, reached.argMax(1).toFloat(), tf.scalar(AT_ONCE));
  return { any: column(any), index: column(index) };
}

/** The query of that number, [B, H, W, C], or nothing. */
function queryAt(index: tf.Tensor, queries: tf.Tensor): tf.Tensor4D {
  const [images, count, ...shape] = queries.shape as [number, number, ...number[]];
  const chosen = index.reshape([images, 1, 1]).equal(tf.range(0, count)).toFloat();
  return chosen.matMul(queries.reshape([images, count, -1])).reshape([images, ...shape]);
}

function nextRound({ round, clock }: State, { starts, jumps }: Phase, any: tf.Tensor): Pick<State, 'round' | 'clock'> {
  const ends = jumps.logicalOr(starts.logicalAnd(any));
  return {
    round: round.add(ends.toFloat()),
    clock: tf.where(starts.logicalOr(jumps), tf.zerosLike(clock), clock.add(1)) as tf.Tensor4D,
  };
}

/** The sums, with the queries of this step; nothing where no normal is being estimated. */
function tallied(state: State, { estimates }: Phase, reached: tf.Tensor2D, around: tf.Tensor) {
  const { x } = state;
  const φ = reached.mul(2).sub(1);
  const moved = around.sub(x.expandDims(1)).reshape([x.shape[0], AT_ONCE, -1]);
  const sums = tf.stack([φ, tf.onesLike(φ)], 1).matMul(moved);
  const [votes, drift] = tf.split(sums, 2, 1).map((sum) => sum.reshape(x.shape)) as [tf.Tensor, tf.Tensor];
  const balance = column(φ.sum(1));
  const added = (sum: tf.Tensor4D, more: tf.Tensor): tf.Tensor4D =>
    tf.where(estimates, sum.add(more), tf.zerosLike(sum)) as tf.Tensor4D;
  return {
    votes: added(state.votes, votes),
    drift: added(state.drift, drift),
    balance: added(state.balance, balance),
  };
}
