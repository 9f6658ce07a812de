/** What a law on attacks is. */
import type { Attack } from '../core/attack.ts';
import type { Threat } from '../core/threat-model.ts';

export interface Subject {
  readonly attack: Attack;
  /** Where it was found: `attacks/pgd.ts`. */
  readonly file: string;
  readonly norm: Threat;
}

export interface Law {
  /** Ends the sentence `An attack …`. */
  readonly name: string;
  /** Whether the others have nothing to judge where it is broken: an attack that cannot run breaks them all alike. */
  readonly comesFirst?: boolean;
  /** @throws BrokenLaw saying how */
  check(subject: Subject): void | Promise<void>;
}

export class BrokenLaw extends Error {}

/** @param complaint - how the law is broken and what would mend it */
export function requires(holds: boolean, complaint: () => string): void {
  if (!holds) throw new BrokenLaw(complaint());
}

export const sameBytes = (a: Float32Array, b: Float32Array | undefined): boolean =>
  b !== undefined && a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
