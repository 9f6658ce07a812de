/**
 * Runs properties of compiled kernels. The seed is fixed, so that a run proves the same thing everywhere;
 * `FAST_CHECK_SEED=n FAST_CHECK_RUNS=k npx vitest run test/compile` looks elsewhere, k times as long.
 */
import fc from 'fast-check';
import { agree, type Case } from './agree.ts';
import { AT_MOST } from './provider.ts';

const SEED = Number(process.env.FAST_CHECK_SEED ?? 20150320);
const EFFORT = Number(process.env.FAST_CHECK_RUNS ?? 1);

/** `fc.assert` of an asynchronous property. */
export const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => Promise<void>, runs = 18): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, holds), {
    numRuns: Math.min(runs, AT_MOST.runs) * EFFORT,
    seed: SEED,
    endOnFailure: EFFORT > 1,
    // Shrinking may take long; the smallest case found by then will do.
    interruptAfterTimeLimit: 30_000 * EFFORT,
    markInterruptAsFailure: false,
    // A counterexample is tensors full of numbers; the failure itself names the case.
    reporter: (details) => {
      if (!details.failed) return;
      const cause =
        details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
      throw new Error(`seed ${details.seed}, path ${details.counterexamplePath}: ${cause}`);
    },
  });

/** Compiles one random case of each kind together, again and again. */
export const checkAll = (kinds: readonly fc.Arbitrary<Case>[], runs?: number): Promise<void> =>
  check(fc.tuple(...kinds), agree, runs);

/** Compiles a handful of random cases of one kind together, again and again. */
export const checkMany = (kind: fc.Arbitrary<Case>, runs?: number, most = 12): Promise<void> =>
  check(fc.array(kind, { minLength: 1, maxLength: Math.min(most, AT_MOST.together) }), agree, runs);
