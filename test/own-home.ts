/**
 * A home for the tests, so that the user's own is neither read nor written. Where the machine has more to compute with than its
 * processor, it says that the rest was tried and does not work: results are then the processor's on every machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { machineHere, mayHaveGraphics } from '../src/backends/machine.ts';
import { hasAddon } from '../src/backends/tensorflow-package.ts';
import { programBeside } from '../src/core/child-program.ts';

export default function ownHome({ config }: TestProject): (() => void) | undefined {
  // It is called for every project, and the home is for all.
  if (process.env.GIBBON_REAL_HOME !== undefined) return undefined;
  const home = mkdtempSync(join(tmpdir(), 'gibbon-home-'));
  process.env.GIBBON_REAL_HOME = process.env.GIBBON_HOME ?? '';
  process.env.GIBBON_HOME = home;
  if (mayHaveGraphics(machineHere()) || hasAddon()) {
    const { script, execArgv } = programBeside(import.meta.url, 'processor-alone');
    execFileSync(process.execPath, [...execArgv, script], { env: { ...process.env, ...config.env } });
  }
  return () => rmSync(home, { recursive: true });
}
