/** What computes in tests of the compiler: the `webgpu` project of `vitest.config.ts` says so, and with it their limits. */
import type { Provider } from '../../src/compile/target.ts';

export const PROVIDER = (process.env.GIBBON_TEST_PROVIDER ?? 'cpu') as Provider;

/**
 * How far results may be from the reference, relatively. The shading language of WebGPU promises quotients and roots to about
 * three units of the last digit, eˣ to 3 + 2|x| of them and a power to as many of its exponent: of x = 100, 1e-5.
 */
export const RELATIVE = PROVIDER === 'cpu' ? 1e-5 : 1e-4;

/**
 * How many random cases are enough. On WebGPU every new shape is a session, and most are shaders to compile: a thousand times
 * the work of what they compute. `FAST_CHECK_RUNS=6` looks as far there as is usual on the CPU.
 */
export const AT_MOST =
  PROVIDER === 'cpu'
    ? { runs: Number.POSITIVE_INFINITY, together: Number.POSITIVE_INFINITY }
    : { runs: 3, together: 4 };
