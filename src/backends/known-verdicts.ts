/** What came of trying backends, kept in the home, so that not every run tries them again. */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { writeAtomically } from '../core/files.ts';
import { type Verdict, verdict } from './verdict.ts';

export const BACKENDS_FILE = 'backends.json';

/** Everything that may change what works, and how fast. */
export type Facts = Readonly<Record<string, unknown>>;

const SCHEMA = 'gibbon.backends/1';

const known = z.object({
  schema: z.literal(SCHEMA),
  tables: z.array(z.object({ facts: z.record(z.string(), z.unknown()), verdicts: z.array(verdict) })),
});

/** Machines that share a home, and environments of one machine, each have their own. */
const KEPT_TABLES = 16;

/** What was found under just these facts; undefined if nothing was, or the file cannot be read. */
export async function knownVerdicts(path: string, facts: Facts): Promise<readonly Verdict[] | undefined> {
  return (await tablesIn(path)).find((table) => isDeepStrictEqual(table.facts, facts))?.verdicts;
}

/** Keeps it, the newest first. A home that cannot be written costs the next run a while, and nothing else. */
export async function keepVerdicts(path: string, facts: Facts, verdicts: readonly Verdict[]): Promise<void> {
  const others = (await tablesIn(path)).filter((table) => !isDeepStrictEqual(table.facts, facts));
  const tables = [{ facts, verdicts }, ...others].slice(0, KEPT_TABLES);
  const text = `${JSON.stringify({ schema: SCHEMA, tables }, null, 2)}\n`;
  await writeAtomically(path, (file) => file.writeFile(text)).catch(() => undefined);
}

async function tablesIn(path: string) {
  try {
    return known.parse(JSON.parse(await readFile(path, 'utf8'))).tables;
  } catch {
    return [];
  }
}
