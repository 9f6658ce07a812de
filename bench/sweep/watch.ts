/** Counts and times what the compiled functions of an evaluation do. */
import type { ArgSpec, HostArgs, Prepare, Result } from '../../src/compile/types.ts';

/** `init` and `step` of an attack, and the `forward` pass by which images and candidates are judged. */
const PARTS = ['init', 'step', 'forward'] as const;
type Part = (typeof PARTS)[number];

export interface Use {
  calls: number;
  seconds: number;
}

export interface Watched {
  readonly prepare: Prepare;
  readonly used: Readonly<Record<Part, Use>>;
  /** Calls are those of `prepare`. */
  readonly compiled: Use;
}

/**
 * The same `prepare`, and what is done with what it makes.
 *
 * @param clock - seconds
 */
export function watch(prepare: Prepare, clock: () => number): Watched {
  const [init, step, forward, compiled] = [unused(), unused(), unused(), unused()];
  const used = { init, step, forward };
  const timed = async <T>(use: Use, work: () => Promise<T>): Promise<T> => {
    const began = clock();
    const result = await work();
    use.calls += 1;
    use.seconds += clock() - began;
    return result;
  };
  const watched: Prepare = async <const Specs extends readonly ArgSpec[], R extends Result>(
    ...[fn, specs, options]: Parameters<typeof prepare<Specs, R>>
  ) => {
    const executable = await timed(compiled, () => prepare(fn, specs, options));
    const use = used[partOf(options?.name)];
    const call = (...args: HostArgs<Specs>) => timed(use, () => executable(...args));
    const staying = (...args: HostArgs<Specs>) => timed(use, () => executable.staying(...args));
    return Object.assign(call, { staying, release: () => executable.release() });
  };
  return { prepare: watched, used, compiled };
}

const unused = (): Use => ({ calls: 0, seconds: 0 });

/** The harness calls them `pgd step on vgg16` and `vgg16 forward`. */
function partOf(name = ''): Part {
  const part = PARTS.find((word) => name.split(' ').includes(word));
  if (part === undefined) throw new Error(`"${name}" is no part of an evaluation`);
  return part;
}
