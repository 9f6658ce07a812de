import type { Run } from '../../core/run.ts';

/** A run to be joined with others. */
export interface Source {
  readonly run: Run;
  /** Its run.json, as errors call it. */
  readonly path: string;
  /** SHA-256 of that file, in hex. */
  readonly sha256: string;
}

/** A source under a name that no other has. */
export interface Named extends Source {
  readonly id: string;
}

/** Things called by their ids, in their order; a namesake of one before it gets a number: `night`, `night-2`. */
export function withOwnIds<T extends { readonly id: string }>(things: readonly T[]): T[] {
  const taken = new Set<string>();
  return things.map((thing) => {
    let { id } = thing;
    for (let number = 2; taken.has(id); number++) id = `${thing.id}-${number}`;
    taken.add(id);
    return { ...thing, id };
  });
}
