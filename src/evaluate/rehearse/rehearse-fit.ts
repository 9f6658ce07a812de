/** The rehearsal of an attack's `fit`. */
import type { Attack, AttackContext, Fit, Fitted } from '../../core/attack.ts';
import { UserError } from '../../core/errors.ts';
import { tf } from '../../tf.ts';
import { type Fields, fieldOf, requireSame, type StateField } from './fields.ts';
import type { Demand } from './stand-ins.ts';

export interface FitRehearsal {
  readonly images: number;
  readonly batch: number;
  readonly passes: number;
  readonly steps: number;
  /** The share of fooled images that ends the passes; undefined if none does. */
  readonly enough: number | undefined;
  /** What is fitted; its first axis, which is 1, left out. */
  readonly fitted: Fields;
  readonly init: Demand;
  /** Of one step on a batch, for each of its images. */
  readonly step: Demand;
}

/** Images on which a fit is rehearsed, unless it takes them one by one. */
const FEW = 2;

interface Stage {
  readonly context: AttackContext;
  demand(): Demand;
}

/**
 * @param stage - makes stand-ins for a batch of so many images
 * @param attempt - runs a part of the attack: what it throws is the attack's fault
 * @returns what the fit needs, and the tensors that it gave
 * @throws UserError naming the attack and what its fit does against the contract
 */
export function rehearseFit(
  attack: Pick<Attack, 'name'>,
  fit: Fit,
  params: Readonly<Record<string, unknown>>,
  stage: (images: number) => Stage,
  attempt: <T>(part: string, run: () => T) => T,
): { readonly fit: FitRehearsal; readonly fitted: Fitted } {
  const counted = (name: 'images' | 'batch' | 'passes' | 'steps'): number => {
    const count = fit[name](params);
    if (Number.isSafeInteger(count) && count >= 1) return count;
    throw new UserError(
      `attack ${attack.name}: fit.${name}(params) gives ${count}; it must be a whole number, at least 1`,
    );
  };
  const sizes = {
    images: counted('images'),
    batch: counted('batch'),
    passes: counted('passes'),
    steps: counted('steps'),
  };
  const enough = fit.enough?.(params);
  if (enough !== undefined && !(enough >= 0 && enough <= 1)) {
    throw new UserError(`attack ${attack.name}: fit.enough(params) gives ${enough}; it must be a share, 0 to 1`);
  }
  const { context, demand } = stage(Math.min(sizes.batch, FEW));
  const begun = attempt('fit.init', () => fit.init(context));
  const fields = fittedFields(attack, 'fit.init', begun);
  const init = demand();
  const fitted = attempt('fit.step', () => fit.step(begun, context));
  requireSame(attack.name, ['fit.init', 'fit.step'], fields, fittedFields(attack, 'fit.step', fitted));
  return { fit: { ...sizes, enough, fitted: fields, init, step: demand() }, fitted };
}

function fittedFields({ name: attack }: Pick<Attack, 'name'>, part: string, fitted: Fitted): Fields {
  const complain = (what: string): UserError => new UserError(`attack ${attack}: ${part} returns a record ${what}`);
  const fields = Object.entries(fitted ?? {}).map(([name, tensor]): [string, StateField] => {
    if (!(tensor instanceof tf.Tensor)) throw complain(`whose ${name} is not a tensor`);
    if (tensor.shape[0] !== 1) {
      throw complain(
        `whose ${name} has the shape [${tensor.shape.join(', ')}]; it is one for all images, so its first axis must be 1`,
      );
    }
    if (name === 'isFinished' && (tensor.dtype !== 'bool' || tensor.rank !== 1)) {
      throw complain(`whose isFinished is ${tensor.dtype} [${tensor.shape.join(', ')}]; it must be bool [1]`);
    }
    return [name, fieldOf(name, tensor, complain)];
  });
  if (fields.length === 0) throw complain('without any tensor');
  return Object.fromEntries(fields);
}
