import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Flags, listOf, oneOf, optional, parseGiven, withDefaults, word } from '../../src/cli/flags.ts';
import { p, parseNumber } from '../../src/core/params.ts';

const number = { default: 0, label: '', accepts: 'a number', parse: parseNumber };
const FLAGS = {
  seed: p.integer(0, 'seed', { min: 0 }),
  epsilon: optional(listOf(number, [], 'radii')),
  norm: oneOf('Linf', ['Linf', 'L2'], 'norm'),
  out: optional(word('', 'folder', 'a folder')),
  json: p.boolean(false, 'as JSON'),
  'pgd.step': p.optionalNumber('step size', { min: 0 }),
} satisfies Flags;

const read = (given: Record<string, unknown>, source?: string) => withDefaults(FLAGS, parseGiven(FLAGS, given, source));

describe('flags', () => {
  it('take their defaults when nothing is given', () => {
    expect(read({})).toEqual({ seed: 0, epsilon: null, norm: 'Linf', out: null, json: false, 'pgd.step': null });
  });

  it('read any whole number back that was written', () => {
    fc.assert(fc.property(fc.nat(), (seed) => read({ seed: String(seed) }).seed === seed));
  });

  it('never turn a word that is no number into one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\s*[+-]?[\d.]/.test(text));
        expect(() => read({ seed: text })).toThrow(/--seed/);
      }),
    );
  });

  it('understand fractions, signs and exponents wherever a number stands', () => {
    expect(read({ epsilon: '2/255,4/255,0.1,1e-3' }).epsilon).toEqual([2 / 255, 4 / 255, 0.1, 0.001]);
    expect(read({ 'pgd.step': '1/255' })['pgd.step']).toBe(1 / 255);
  });

  it('read a list the same way from commas, from repetition and from JSON', () => {
    const values = [0.1, 0.5];
    for (const epsilon of ['0.1,0.5', ['0.1', '0.5'], [0.1, '1/2'], '0.1, 0.5']) {
      expect(read({ epsilon }).epsilon).toEqual(values);
    }
  });

  it('refuse a list with an empty place in it', () => {
    for (const epsilon of ['', '0.1,', ',', []]) expect(() => read({ epsilon })).toThrow(/--epsilon/);
  });

  it('refuse a single value given twice', () => {
    expect(() => read({ seed: ['1', '2'] })).toThrow('--seed is given 2 times; it takes one value');
  });

  it('say what a flag without its value needs', () => {
    expect(() => read({ seed: true })).toThrow('--seed needs a value: a whole number, at least 0');
    expect(() => read({ out: '' })).toThrow('--out needs a value: a folder');
  });

  it('name the value that is not accepted and what would be', () => {
    expect(() => read({ seed: '-1' })).toThrow('--seed is "-1"; it must be a whole number, at least 0');
    expect(() => read({ seed: '1.5' })).toThrow(/whole number/);
    expect(() => read({ norm: 'l3' })).toThrow('--norm is "l3"; it must be one of linf, l2');
  });

  it('take words of a few in either case', () => {
    for (const norm of ['linf', 'Linf', 'LINF']) expect(read({ norm }).norm).toBe('Linf');
  });

  it('propose the flag that was meant', () => {
    expect(() => read({ sede: '1' })).toThrow(/unknown flag --sede\. Did you mean --seed\?/);
    expect(() => read({ 'pgd.stpe': '1' })).toThrow(/Did you mean --pgd\.step\?/);
    expect(() => read({ x: true })).toThrow(/unknown flag -x\./);
  });

  it('blame the file for what stands in a config file', () => {
    expect(() => read({ sede: 1 }, 'a.json')).toThrow(/unknown key "sede" in a\.json\. Did you mean "seed"\?/);
    expect(() => read({ seed: 'abc' }, 'a.json')).toThrow(/"seed" in a\.json is "abc"/);
  });
});
