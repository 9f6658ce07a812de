import { describe, expect, it } from 'vitest';
import { startRival } from '../../bench/rival.ts';

/** A program in JavaScript: what it does at the start, and for its n-th line. */
const start = (first: string, each = '') =>
  startRival(process.execPath, [
    '-e',
    `let n = 0; ${first}; require('readline').createInterface({ input: process.stdin }).on('line', () => { n++; ${each} })`,
  ]);

const READY = "console.log('ready 1.2')";

describe('a program that is measured beside ours', () => {
  it('says its version, then the seconds of every call', async () => {
    const rival = await start(READY, 'console.log(n / 4)');
    if ('missing' in rival) throw new Error(rival.missing);
    expect(rival.version).toBe('1.2');
    expect([await rival.call(), await rival.call()]).toEqual([0.25, 0.5]);
    rival.end();
  });

  it('may say how it is set, and more than seconds', async () => {
    const rival = await start("console.log('ready 1.2 batches of 64')", "console.log('0.5:10 0.5:01')");
    if ('missing' in rival) throw new Error(rival.missing);
    expect(rival).toMatchObject({ version: '1.2', setting: 'batches of 64' });
    expect(await rival.ask()).toBe('0.5:10 0.5:01');
    rival.end();
  });

  it('that dies midway is an error with its last words, not a figure', async () => {
    const rival = await start(
      READY,
      "if (n === 1) console.log(1); else { console.error('out of memory'); process.exit(1) }",
    );
    if ('missing' in rival) throw new Error(rival.missing);
    expect(await rival.call()).toBe(1);
    await expect(rival.call()).rejects.toThrow(/no more figures: out of memory/);
    await expect(rival.call()).rejects.toThrow(/no more figures/);
  });

  it('that talks instead of counting is an error too', async () => {
    const rival = await start(READY, "console.log('soon')");
    if ('missing' in rival) throw new Error(rival.missing);
    await expect(rival.call()).rejects.toThrow(/gave "soon"/);
  });

  it('that never was ready says why', async () => {
    expect(await start("console.error('No module named torch'); process.exit(1)")).toEqual({
      missing: 'No module named torch',
    });
    expect(await startRival('no-such-program', [])).toEqual({ missing: expect.stringContaining('ENOENT') });
  });
});
