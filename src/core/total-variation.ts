/** Total variation minimisation where only some pixels are known. */
import { tf } from '../tf.ts';

export interface TotalVariation {
  /** λ: how much a step of the whole range between two neighbours costs beside a pixel's squared error. */
  readonly weight: number;
  readonly iterations: number;
}

/**
 * Step sizes of the primal and the dual: τ·σ·‖∇‖² ≤ 1, and ‖∇‖² ≤ 8. The primal one is long, for pixels that are not known
 * have far to go.
 */
const TAU = 4;
const SIGMA = 1 / (8 * TAU);
/** Keeps the gradient of a length of 0 finite. */
const TINY = 1e-12;

/** u(i + 1) - u(i) along an axis, 0 at its end. */
function difference(u: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D {
  const steps = cut(u, axis, 1).sub<tf.Tensor4D>(cut(u, axis, 0));
  return padded(steps, axis, 0, 1);
}

/** Its negative adjoint: q(i) - q(i - 1), with nothing before the first and after the last but one. */
function divergence(q: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D {
  const inner = cut(q, axis, 0);
  return padded(inner, axis, 0, 1).sub(padded(inner, axis, 1, 0));
}

/** All but one along an axis, from `begin` on. */
const cut = (x: tf.Tensor4D, axis: 1 | 2, begin: 0 | 1): tf.Tensor4D =>
  x.slice(
    [0, 0, 0, 0].map((_, i) => (i === axis ? begin : 0)),
    x.shape.map((length, i) => (i === axis ? length - 1 : length)),
  );

const padded = (x: tf.Tensor4D, axis: 1 | 2, before: number, after: number): tf.Tensor4D =>
  tf.pad(
    x,
    [0, 1, 2, 3].map((i): [number, number] => (i === axis ? [before, after] : [0, 0])),
  );

/**
 * The image u that minimises ½·Σ known·(u - x)² + λ·Σ |∇u|, channel by channel, |∇u| the Euclidean length of the two
 * differences to the right and down: a fixed number of steps of
 *
 *   q ← Π(q + σ·∇ū),   u⁺ ← (u + τ·(div q + known·x)) / (1 + τ·known),   ū ← 2u⁺ - u,
 *
 * where Π shortens each pixel's q to λ. It begins with what is known, and elsewhere with the mean of the known neighbours.
 *
 * Chambolle, Pock, "A First-Order Primal-Dual Algorithm for Convex Problems with Applications to Imaging", Journal of
 * Mathematical Imaging and Vision 40, 2011, algorithm 1; Rudin, Osher, Fatemi, "Nonlinear Total Variation Based Noise Removal
 * Algorithms", Physica D 60, 1992.
 *
 * @param x - images [B, H, W, C] in [0,1]
 * @param known - 1 where a pixel is known, else 0: [B or 1, H, W, 1]
 * @returns images in [0,1]; differentiable
 */
export function smoothed(x: tf.Tensor4D, known: tf.Tensor4D, { weight, iterations }: TotalVariation): tf.Tensor4D {
  const data = x.mul<tf.Tensor4D>(known);
  const around = (t: tf.Tensor4D): tf.Tensor4D => tf.avgPool(t, 3, 1, 'same');
  const neighbours = around(data).div<tf.Tensor4D>(around(known).maximum(TINY));
  let u = data.add<tf.Tensor4D>(neighbours.mul(tf.scalar(1).sub(known)));
  let ahead = u;
  let [down, right] = [tf.zerosLike(u), tf.zerosLike(u)];
  const divisor = known.mul(TAU).add(1);
  for (let i = 0; i < iterations; i++) {
    const far: [tf.Tensor4D, tf.Tensor4D] = [
      down.add(difference(ahead, 1).mul(SIGMA)),
      right.add(difference(ahead, 2).mul(SIGMA)),
    ];
    const length = far[0].square().add(far[1].square()).add(TINY).sqrt();
    const shorter = tf.scalar(weight).div(length.maximum(weight));
    [down, right] = [far[0].mul(shorter), far[1].mul(shorter)];
    const force = divergence(down, 1).add(divergence(right, 2)).add(data).mul(TAU);
    const next = u.add(force).div<tf.Tensor4D>(divisor);
    ahead = next.mul(2).sub(u);
    u = next;
  }
  return u.clipByValue(0, 1) as tf.Tensor4D;
}
