/** Adversarial images inside a traced function: all steps of an attack, unrolled. */
import { type Attack, type AttackContext, type Ensemble, isEnsemble, requireNorm } from '../core/attack.ts';
import { attackContext } from '../core/attack-context.ts';
import type { Noise } from '../core/ball.ts';
import type { Classifier } from '../core/classifier.ts';
import type { PerturbRequest } from '../core/defense.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { resolveParams } from '../core/params.ts';
import type { Norm } from '../core/threat-model.ts';
import { tf } from '../tf.ts';

/** Images [B, H, W, C] with their labels, int32 [B], and a source of noise. */
export interface Clean {
  readonly x: tf.Tensor4D;
  readonly y: tf.Tensor1D;
  readonly noise: Noise;
}

export type Perturb = (request: PerturbRequest, clean: Clean) => tf.Tensor4D;

export interface PerturbOptions {
  readonly attacks: ReadonlyMap<string, Attack | Ensemble>;
  /** What is attacked, in inference mode. */
  readonly classifier: Pick<Classifier, 'logits'>;
  /** Its logits in mode `training`; by default those of inference. */
  readonly still?: Classifier['logits'];
  readonly norm: Norm;
  /** Radius in pixel units. */
  readonly epsilon: number;
}

/**
 * The last iterate of a registered attack, untargeted, against the classifier as it is at that moment.
 *
 * @throws UserError (usage) for an unknown attack, one that does not know the norm or keep to the ball, or parameters that it
 *   does not accept
 */
export function perturber({ attacks, classifier, still, norm, epsilon }: PerturbOptions): Perturb {
  return (request, { x, y, noise }) => {
    const {
      attack: name,
      params: given,
      usual = {},
      objective,
      mode = 'inference',
      around = x,
      start = around,
    } = request;
    const logits: Classifier['logits'] =
      mode === 'training' && still !== undefined ? still : (candidate) => classifier.logits(candidate);
    const attack = attacks.get(name);
    if (attack === undefined) throw unknownName('attack', name, [...attacks.keys()]);
    requireNorm(attack, norm);
    requireInner(attack);
    requireParams(attack, Object.keys(given), attacks);
    const params = resolveParams(name, attack.params, { ...havingOnly(attack, usual), ...given });
    const images = x.shape[0];
    const contextAt = (step: number): AttackContext =>
      attackContext({
        access: attack.access,
        logits,
        objective,
        clean: around,
        label: y,
        target: y,
        targeted: false,
        norm,
        epsilon: tf.fill([images, 1, 1, 1], epsilon),
        iteration: tf.fill([images, 1, 1, 1], step),
        noise,
        params,
      });
    const first = contextAt(0);
    let state = attack.init(start, request.start === undefined ? first : beginningAt(start, first));
    for (let step = 0; step < attack.steps(params); step++) state = attack.step(state, contextAt(step));
    return state.x;
  };
}

/** A context in which the place to begin at is the one given, also for an attack that begins at a random point of the ball. */
const beginningAt = (start: tf.Tensor4D, context: AttackContext): AttackContext => ({
  ...context,
  ball: { ...context.ball, randomPoint: () => start, randomEdgePoint: () => start },
});

const havingOnly = ({ params }: Attack, values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => name in params));

/** Why an attack cannot be an inner one, and what to choose instead; undefined if it can. */
function unfitness(attack: Attack | Ensemble): string | undefined {
  if (isEnsemble(attack)) return 'is made of other attacks: choose one of them';
  if (attack.fit !== undefined) return 'is fitted to a finished network: choose an attack that is not';
  if (attack.minimumNorm !== true) return undefined;
  return 'looks for the smallest perturbation, be it beyond the ball: choose an attack that stays in it';
}

/** @throws UserError (usage) unless it stays in a ball that it is given, against any network */
function requireInner(attack: Attack | Ensemble): asserts attack is Attack {
  const why = unfitness(attack);
  if (why !== undefined) throw usageError(`${attack.name} ${why} for the inner attack`);
}

/** @throws UserError (usage) naming attacks that have all that the training sets: its user never typed the attack's flags */
function requireParams(
  attack: Attack,
  wanted: readonly string[],
  attacks: ReadonlyMap<string, Attack | Ensemble>,
): void {
  const has = ({ params }: Attack | Ensemble): boolean => wanted.every((name) => name in params);
  if (has(attack)) return;
  const fit = [...attacks.values()]
    .filter((other) => other.access === 'gradient' && unfitness(other) === undefined && has(other))
    .map(({ name }) => name);
  throw usageError(
    `${attack.name} cannot be the inner attack of this training, which sets ${wanted.join(' and ')}: ` +
      `choose an attack that has them, such as ${fit.join(', ') || 'pgd'}`,
  );
}
