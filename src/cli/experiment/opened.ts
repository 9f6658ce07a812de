import type { Contender } from '../../evaluate/plan.ts';

/** A network ready to be measured, and what is known of it besides. */
export interface Opened {
  readonly contender: Contender;
  /** Where it was read, as it is shown. */
  readonly path: string;
  /** The dataset it was trained on, if it says so. */
  readonly trainedOn?: string | undefined;
  /** The names of its classes, if they are known. */
  readonly classNames?: readonly string[] | undefined;
  /** Photographs: pixels of the short side before the centre is cut out. */
  readonly resize?: number | undefined;
  /** Brought by the user, as a module or a model's folder. */
  readonly isOwn?: true;
  /** What the user should know, a sentence each. */
  readonly notes?: readonly string[];
}
