import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closest, messageOf, UserError, unknownName, usageError } from '../../src/core/errors.ts';

const KNOWN = ['fgsm', 'noise', 'pgd', 'mi-fgsm'];
const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
const longWord = fc.array(letter, { minLength: 4, maxLength: 10 }).map((letters) => letters.join(''));

describe('did you mean', () => {
  it.each([
    ['fsgm', 'fgsm'],
    ['FGSM', 'fgsm'],
    ['pdg', 'pgd'],
    ['pg', 'pgd'],
    ['mifgsm', 'mi-fgsm'],
    ['noisee', 'noise'],
    ['noi', 'noise'],
    ['mi-', 'mi-fgsm'],
  ])('%s: %s', (word, meant) => {
    expect(closest(word, KNOWN)).toBe(meant);
  });

  it('takes the beginning of one word for it, and that of several for none', () => {
    expect(closest('pgd', ['free', 'pgd-training', 'adversarial'])).toBe('pgd-training');
    expect(closest('pgd', ['pgd-training', 'pgd-of-mine'])).toBeUndefined();
  });

  it.each(['deepfool', 'xyz', 'square'])('stays silent on %s', (word) => {
    expect(closest(word, KNOWN)).toBeUndefined();
  });

  it('finds every word through one letter lost, added, changed, or swapped with its neighbour', () => {
    fc.assert(
      fc.property(
        longWord,
        fc.nat(),
        letter,
        fc.constantFrom('lose', 'add', 'change', 'swap'),
        (word, place, by, how) => {
          const i = place % (word.length - 1);
          const [before, at, next, after] = [word.slice(0, i), word.charAt(i), word.charAt(i + 1), word.slice(i + 2)];
          const typo = {
            lose: before + next + after,
            add: before + by + at + next + after,
            change: before + by + next + after,
            swap: before + next + at + after,
          }[how];
          expect(closest(typo, ['zzzzzzzzzzzzzzzzzzzz', word])).toBe(word);
        },
      ),
    );
  });

  it('knows nothing among no words', () => {
    expect(closest('fgsm', [])).toBeUndefined();
  });
});

describe('errors', () => {
  it('name the unknown word, the likely one and all known ones', () => {
    const error = unknownName('attack', 'fsgm', KNOWN);
    expect(error.message).toBe('unknown attack "fsgm". Did you mean "fgsm"? Known: fgsm, noise, pgd, mi-fgsm');
    expect(error.kind).toBe('usage');
    expect(unknownName('attack', 'zzz', KNOWN).message).toBe('unknown attack "zzz". Known: fgsm, noise, pgd, mi-fgsm');
  });

  it('list a few of a thousand known names, and say how many more there are', () => {
    const known = Array.from({ length: 1000 }, (_, i) => `kind${i}`);
    const { message } = unknownName('class', 'kidn999', known);
    expect(message).toMatch(/^unknown class "kidn999"\. Did you mean "kind999"\? Known: kind0, .*, and 960 more$/);
    expect(message.length).toBeLessThan(500);
  });

  it('tell a wrong word from a failure', () => {
    expect(usageError('so').kind).toBe('usage');
    expect(new UserError('so').kind).toBe('failed');
    expect(usageError('so')).toBeInstanceOf(UserError);
    expect(usageError('so').name).toBe('UserError');
  });

  it('are readable whatever was thrown', () => {
    expect(messageOf(new TypeError('no'))).toBe('no');
    expect(messageOf('no')).toBe('no');
    expect(messageOf(undefined)).toBe('undefined');
  });
});
