/** The state of a pickle's stack machine, and the values that it makes. */
import type { Cursor } from './pickle-cursor.ts';
import type { Refuse } from './refusal.ts';

/** Something that Python knows by name. It is inert, or a function of this program. */
export interface Foreign {
  readonly kind: string;
  /** As Python writes it: `collections.OrderedDict`. */
  readonly name: string;
}

export interface Callable extends Foreign {
  readonly kind: 'callable';
  readonly call: (args: readonly PickleValue[]) => PickleValue;
}

/** Lists, tuples and sets are arrays; whole numbers are bigints only where a number would round them. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Foreign;

export const isForeign = (value: PickleValue | undefined): value is Foreign =>
  typeof value === 'object' && value !== null && 'kind' in value;

/** What a pickle may refer to. */
export interface World {
  /** What `module.name` stands for. @throws UserError for all that is not allowed */
  readonly global: (name: string) => PickleValue;
  /** What a persistent id stands for: something that the pickle does not hold itself. */
  readonly persistent: (id: PickleValue) => PickleValue;
  readonly refuse: Refuse;
}

export interface Machine {
  readonly cursor: Cursor;
  readonly stack: PickleValue[];
  /** Heights of the stack where a MARK was set. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly world: World;
}

export function pop(machine: Machine): PickleValue {
  const value = top(machine);
  machine.stack.pop();
  return value;
}

/** The value on top, which stays. */
export function top({ stack, marks, world }: Machine): PickleValue {
  const value = stack.length > (marks.at(-1) ?? 0) ? stack.at(-1) : undefined;
  if (value === undefined) throw world.refuse('a pickle in it takes more from its stack than is there');
  return value;
}

/** All that was pushed since the last MARK, which is taken away. */
export function popMark({ stack, marks, world }: Machine): PickleValue[] {
  const height = marks.pop();
  if (height === undefined) throw world.refuse('a pickle in it lacks a mark');
  return stack.splice(height);
}
