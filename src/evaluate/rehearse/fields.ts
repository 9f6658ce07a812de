/** Tensors that an attack carries, as a rehearsal finds them. */
import type { DType } from '../../compile/types.ts';
import { UserError } from '../../core/errors.ts';
import type { tf } from '../../tf.ts';

/** A tensor of the state, for one image; or of what was fitted, for the one thing that it is. */
export interface StateField {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export type Fields = Readonly<Record<string, StateField>>;

const DTYPES: readonly string[] = ['float32', 'int32', 'bool'] satisfies readonly DType[];

/**
 * Without the first axis.
 *
 * @throws UserError made of the complaint, if the tensor's type is none that can be carried
 */
export function fieldOf(name: string, { shape, dtype }: tf.Tensor, complain: (what: string) => UserError): StateField {
  if (!DTYPES.includes(dtype)) throw complain(`whose ${name} is ${dtype}; use ${DTYPES.join(', ')}`);
  return { shape: shape.slice(1), dtype: dtype as DType };
}

/** `float32 [28, 28, 1]` */
export const describe = ({ shape, dtype }: StateField): string => `${dtype} [${shape.join(', ')}]`;

/**
 * @param init - what the parts of the attack are called whose tensors are compared: `init`
 * @param step - `step`
 * @throws UserError if a step returns other names, shapes or types than it was given
 */
export function requireSame(
  attack: string,
  [init, step]: readonly [string, string],
  before: Fields,
  after: Fields,
): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (was !== undefined && is !== undefined && describe(was) === describe(is)) continue;
    const from = was === undefined ? 'no such tensor' : describe(was);
    const to = is === undefined ? 'no such tensor' : describe(is);
    throw new UserError(
      `attack ${attack}: ${init} returns ${from} for ${name} and ${step} returns ${to}; ` +
        `every step must return the names, shapes and types of ${init}`,
    );
  }
}
