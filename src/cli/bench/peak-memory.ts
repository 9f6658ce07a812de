import { readFileSync } from 'node:fs';

/**
 * The most bytes that this process ever held in memory.
 *
 * Linux hands `maxRSS` down through fork and exec, so that a child of a large process seems to be as large; the high-water
 * mark of its own memory is in /proc.
 */
export function peakMemory(): number {
  const kilobytes = highWaterMark() ?? process.resourceUsage().maxRSS;
  return kilobytes * 1024;
}

function highWaterMark(): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
