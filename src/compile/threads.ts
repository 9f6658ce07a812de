/**
 * How many threads an operator is spread over: one for every core that this process may use. ONNX Runtime counts cores too,
 * but takes some virtual machines for one with a single core. Results are the same bits with any number of threads.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Where Linux tells which logical processors are of one core. */
const PROCESSORS = '/sys/devices/system/cpu';

/** For runs beside one another, that should not take each other's cores. */
export const THREADS = 'GIBBON_THREADS';

/**
 * Threads for the sessions of this process: as many as asked for, else a thread a core; undefined leaves it to ONNX Runtime.
 *
 * @param asked - the value of the environment's `GIBBON_THREADS`
 * @throws Error unless the variable is a whole number, at least 1
 */
export function threadCount(asked: string | undefined, processors = PROCESSORS): number | undefined {
  if (asked !== undefined && asked !== '') {
    if (!/^[1-9]\d{0,3}$/.test(asked)) throw new Error(`${THREADS}=${asked}: a whole number of threads, at least 1`);
    return Number(asked);
  }
  const cores = coresOf(processors);
  return cores === 0 ? undefined : Math.min(cores, availableParallelism());
}

/** Groups of logical processors that share a core; 0 where the system does not tell. */
function coresOf(processors: string): number {
  try {
    const siblings = readdirSync(processors)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(join(processors, name, 'topology', 'thread_siblings_list'), 'utf8'));
    return new Set(siblings).size;
  } catch {
    return 0;
  }
}
