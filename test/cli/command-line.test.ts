import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted } from '../../src/cli/command-line.ts';
import { wantsColour } from '../../src/cli/terminal.ts';

describe('a command as one would type it again', () => {
  it('gives a shell the very words back', () => {
    const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quoted).join(' ')}`], {
          encoding: 'utf8',
        });
        expect(printed.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves plain words alone', () => {
    expect(['--epsilon', '8/255', 'pgd@0.3=0.5'].map(quoted)).toEqual(['--epsilon', '8/255', 'pgd@0.3=0.5']);
  });
});

describe('colours', () => {
  it('are for people who look at a terminal and have not forbidden them', () => {
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(true, { NO_COLOR: '' })).toBe(true);
    expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour(false, {})).toBe(false);
  });
});
