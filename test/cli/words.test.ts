import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagsOf, joinNegatives, takeAsWritten } from '../../src/cli/words.ts';

const flags = (words: readonly string[]) => flagsOf(takeAsWritten(words).help(false).version(false).parseSync());

describe('the words of a command line', () => {
  it('stay as they were written: no guessed numbers, no split names, no renamed flags', () => {
    expect(flags(['--seed', '007', '--pgd.step', '1e-3', '--dry-run', '--epsilon=8/255'])).toEqual({
      seed: '007',
      'pgd.step': '1e-3',
      'dry-run': true,
      epsilon: '8/255',
    });
  });

  it('keep a repeated flag as a list', () => {
    expect(flags(['--attack', 'fgsm', '--attack', 'pgd'])).toEqual({ attack: ['fgsm', 'pgd'] });
  });

  it('do not mistake --no-x for the opposite of --x', () => {
    expect(flags(['--no-open'])).toEqual({ 'no-open': true });
  });

  it('take a negative number after a flag as its value, however it is written', () => {
    for (const value of ['-1', '-0.5', '-.5', '-8/255', '-1e-3', '-1,2']) {
      expect(flags(['--pgd.step', value, '--quiet'])).toEqual({ 'pgd.step': value, quiet: true });
    }
  });

  it('are not changed where no negative number follows a flag', () => {
    const harmless = fc.array(fc.string().filter((word) => !/^-[\d.]/.test(word)));
    fc.assert(
      fc.property(harmless, (words) => {
        expect(joinNegatives(words)).toEqual(words);
      }),
    );
  });
});
