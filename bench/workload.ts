import type { Prepare } from '../src/compile/types.ts';

/** What is measured: one call is one batch. Each has a twin in rivals/pytorch.py, which gets its name and batch. */
export interface Workload {
  readonly name: string;
  readonly what: string;
  /** Images in one call, unless told otherwise. */
  readonly batch: number;
  prepare(prepare: Prepare, batch: number): Promise<Runner>;
}

export interface Runner {
  run(): Promise<void>;
  release(): Promise<void>;
}
