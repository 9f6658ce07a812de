import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { p, parseNumber, resolveParams } from '../../src/core/params.ts';

const PARAMS = {
  steps: p.integer(10, 'gradient steps', { min: 1 }),
  step: p.optionalNumber('step size', { min: 0 }),
  decay: p.number(1, 'decay', { min: 0, max: 2 }),
  random: p.boolean(true, 'random start'),
  loss: p.choice('ce', ['ce', 'dlr'], 'loss'),
  inner: p.text('pgd', 'inner attack'),
};

const resolve = (given: Record<string, unknown>) => resolveParams('demo', PARAMS, given);
const complaint = (given: Record<string, unknown>): string => {
  try {
    resolve(given);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).kind).toBe('usage');
    return (error as UserError).message;
  }
  throw new Error(`accepted ${JSON.stringify(given)}`);
};

describe('a number', () => {
  it.each([
    ['0.1', 0.1],
    ['.5', 0.5],
    ['3.', 3],
    ['-2', -2],
    ['+2', 2],
    ['1e-3', 0.001],
    ['8/255', 8 / 255],
    [' 8 / 255 ', 8 / 255],
    ['.5/255', 0.5 / 255],
    [0.25, 0.25],
  ])('may be written %j', (given, value) => {
    expect(parseNumber(given)).toBe(value);
  });

  it.each(['', ' ', 'eight', '8/', '/255', '8/0', '8/255/2', '1,5', '0x10', 'Infinity', 'NaN', '1e999', '--1'])(
    'is not %j',
    (given) => {
      expect(parseNumber(given)).toBeUndefined();
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, null, undefined, true, [1], {}])('is not %s', (given) => {
    expect(parseNumber(given)).toBeUndefined();
  });

  it('survives being printed, and a fraction is its quotient', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 1, max: 1000 }),
        (value, by) => {
          expect(parseNumber(String(value))).toBe(value === 0 ? 0 : value);
          expect(parseNumber(`${value}/${by}`)).toBe(value === 0 ? 0 : value / by);
        },
      ),
    );
  });
});

describe('parameters', () => {
  it('have their defaults, and every default is accepted as it stands', () => {
    expect(resolve({})).toEqual({ steps: 10, step: null, decay: 1, random: true, loss: 'ce', inner: 'pgd' });
    for (const param of Object.values(PARAMS)) expect(param.parse(param.default)).toBe(param.default);
  });

  it('take words and JSON values alike', () => {
    const worded = { steps: '40', step: '2/255', decay: '.5', random: 'false', loss: 'dlr', inner: 'mim' };
    const typed = { steps: 40, step: 2 / 255, decay: 0.5, random: false, loss: 'dlr', inner: 'mim' };
    expect(resolve(worded)).toEqual(typed);
    expect(resolve(typed)).toEqual(typed);
  });

  it('read auto as null, and a flag without a value as true', () => {
    expect(resolve({ step: 'auto' }).step).toBeNull();
    expect(resolve({ step: null }).step).toBeNull();
    expect(resolve({ random: '' }).random).toBe(true);
  });

  it.each([
    [{ steps: 0 }, '--demo.steps is 0; it must be a whole number, at least 1'],
    [{ steps: '2.5' }, '--demo.steps is "2.5"; it must be a whole number, at least 1'],
    [{ step: -1 }, '--demo.step is -1; it must be a number, at least 0, or auto'],
    [{ decay: 3 }, '--demo.decay is 3; it must be a number, 0 to 2'],
    [{ random: 'yes' }, '--demo.random is "yes"; it must be true or false'],
    [{ loss: 'hinge' }, '--demo.loss is "hinge"; it must be one of ce, dlr'],
    [{ inner: 3 }, '--demo.inner is 3; it must be a word'],
  ])('refuse %j in words', (given, message) => {
    expect(complaint(given)).toBe(message);
  });

  it('leave out the end that a value has to be above', () => {
    const above = p.number(1, 'a weight', { above: 0 });
    expect([1e-9, 0, -1, '0.0'].map(above.parse)).toEqual([1e-9, undefined, undefined, undefined]);
    expect([above.accepts, p.integer(1, '', { above: 0, max: 3 }).accepts]).toEqual([
      'a number, above 0',
      'a whole number, above 0 and at most 3',
    ]);
  });

  it('suggest the name that was meant, or list those there are', () => {
    expect(complaint({ stepz: 4 })).toBe(
      'unknown parameter --demo.stepz. Did you mean "steps"? demo has: steps, step, decay, random, loss, inner',
    );
    expect(() => resolveParams('fgsm', {}, { steps: 4 })).toThrow(
      'unknown parameter --fgsm.steps. fgsm has no parameters',
    );
  });

  it('keep within their range, ends included', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (a, b, value) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const param = p.integer(min, 'n', { min, max });
        expect(param.parse(value)).toBe(value >= min && value <= max ? value : undefined);
        expect(param.parse(min)).toBe(min);
        expect(param.parse(max)).toBe(max);
      }),
    );
  });

  it('take nothing from the prototypes of what is given', () => {
    expect(resolveParams('odd', { toString: p.integer(1, 'n') }, {})).toEqual({ toString: 1 });
  });
});
