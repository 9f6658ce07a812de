import type { Verdict } from '../../backends/verdict.ts';

export interface Finding {
  readonly name: string;
  readonly found: string;
  /** Whether work can go on without it: a finding that is not well makes the command fail. */
  readonly well: boolean;
  /** What would be faster or more complete, and how to get it. */
  readonly advice?: string;
  /** Of a backend that was tried: the figures. */
  readonly verdict?: Verdict;
}
