/** What a rehearsed attack is given in place of real images and a real classifier, and a record of what it asks of them. */
import { type Attack, type AttackContext, aimsItself, type Fitted } from '../../core/attack.ts';
import { attackContext } from '../../core/attack-context.ts';
import type { Classifier } from '../../core/classifier.ts';
import { elements, type NoiseRequest } from '../../core/draws.ts';
import { fillNoise } from '../../core/rng.ts';
import type { Threat } from '../../core/threat-model.ts';
import { tf } from '../../tf.ts';

/** What one call of `init` or `step` asks of its surroundings, per image. */
export interface Demand {
  readonly noise: readonly NoiseRequest[];
  readonly gradients: number;
  /** Forward passes that no gradient at the same point includes. */
  readonly forwards: number;
}

export interface RehearsalSpec {
  readonly attack: Attack;
  readonly params: Readonly<Record<string, unknown>>;
  readonly classifier: Pick<Classifier, 'input' | 'classes'>;
  readonly norm: Threat;
  readonly targeted: boolean;
}

/** A blank batch, a cheap classifier, and a record of what is asked of them since the last `demand`. */
export function standIns(
  { attack, params, classifier, norm, targeted }: RehearsalSpec,
  images: number,
  fitted: Fitted,
) {
  const noise: NoiseRequest[] = [];
  /** Points by tensor id, with how many images per image of the batch they hold: attacks may stack queries. */
  const forwardsAt = new Map<number, number>();
  const gradientsAt = new Set<number>();
  let gradients = 0;

  const ramp = tf.linspace(-1, 1, classifier.classes).expandDims(0);
  const logits = (x: tf.Tensor4D): tf.Tensor2D => x.mean([1, 2, 3]).expandDims(1).add(1).mul(ramp) as tf.Tensor2D;
  const clean = tf.fill([images, ...classifier.input], 0.5) as tf.Tensor4D;
  const label = tf.zeros([images], 'int32') as tf.Tensor1D;
  const plain = attackContext({
    access: attack.access,
    logits,
    norm,
    targeted,
    aimsItself: aimsItself(attack),
    params,
    noise: (shape, distribution) => {
      noise.push({ shape: [...shape], distribution });
      const values = new Float32Array(images * elements(shape));
      fillNoise(values, { seed: 0, image: 0, restart: 0, step: 0, draw: noise.length }, distribution);
      return tf.tensor(values, [images, ...shape]);
    },
    clean,
    label,
    target: targeted || aimsItself(attack) ? (tf.onesLike(label) as tf.Tensor1D) : label,
    epsilon: tf.fill([images, 1, 1, 1], 0.1) as tf.Tensor4D,
    iteration: tf.zeros([images, 1, 1, 1]) as tf.Tensor4D,
    fitted: rowsFor(fitted, images),
  });
  const valueAndGradient: AttackContext['valueAndGradient'] = (x, loss) => {
    gradientsAt.add(x.id);
    gradients += Math.ceil(x.shape[0] / images);
    return plain.valueAndGradient(x, loss);
  };
  const passing = (x: tf.Tensor4D): void => {
    forwardsAt.set(x.id, Math.ceil(x.shape[0] / images));
  };
  const context: AttackContext = {
    ...plain,
    predict: (x) => {
      passing(x);
      return plain.predict(x);
    },
    reached: (x) => {
      passing(x);
      return plain.reached(x);
    },
    logits: (x) => {
      passing(x);
      return plain.logits(x);
    },
    valueAndGradient,
    gradient: (x, loss) => valueAndGradient(x, loss).gradient,
  };
  const demand = (): Demand => {
    const alone = [...forwardsAt].filter(([id]) => !gradientsAt.has(id));
    const forwards = alone.reduce((sum, [, passes]) => sum + passes, 0);
    const seen = { noise: noise.splice(0), gradients, forwards };
    forwardsAt.clear();
    gradientsAt.clear();
    gradients = 0;
    return seen;
  };
  return { clean, context, passing, demand };
}

/** The one row of every tensor, once for each image. */
const rowsFor = (fitted: Fitted, images: number): Fitted =>
  Object.fromEntries(
    Object.entries(fitted).map(([name, tensor]) => [name, tf.concat(new Array<tf.Tensor>(images).fill(tensor))]),
  );
