import { createRequire } from 'node:module';

/** What tfjs-node 4.22 calls of Node's `util`, and Node 23 and newer no longer have. */
const LOST: Readonly<Record<string, (value: unknown) => boolean>> = {
  isArray: Array.isArray,
  isNullOrUndefined: (value) => value === null || value === undefined,
};

/**
 * Puts back the functions that are missing there; those that are there stay.
 *
 * @param util - Node's `util` as CommonJS packages see it
 */
export function repairUtil(util: Record<string, unknown> = createRequire(import.meta.url)('node:util')): void {
  for (const [name, restored] of Object.entries(LOST)) util[name] ??= restored;
}
