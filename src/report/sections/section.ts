import type { Run } from '../../core/run.ts';
import type { Html } from '../html.ts';

/** A part of the page with a heading of its own. */
export interface Section {
  /** Unique in the page: the fragment by which one links here. */
  readonly id: string;
  readonly title: string;
  /** What stands under the heading, or undefined if the run has nothing for this section. */
  render(run: Run): Html | undefined;
}

export const defineSection = (section: Section): Section => section;
