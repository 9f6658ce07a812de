import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleOf, schedules } from '../../src/train/schedule.ts';

const progress = fc.double({ min: 0, max: 1, noNaN: true });
const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
const close = (a: number, b: number) => Math.abs(a - b) < 1e-9;

describe.each(schedules.map(({ name }) => name))('the schedule %s', (name) => {
  it('stays between 0 and 1', () => {
    const { share: at } = scheduleOf(name);
    fc.assert(fc.property(progress, (done) => at(done) >= 0 && at(done) <= 1));
  });

  it('has a title, and describes each parameter', () => {
    const schedule = schedules.find((known) => known.name === name);
    expect(schedule?.title).not.toBe('');
    for (const { label } of Object.values(schedule?.params ?? {})) expect(label).not.toBe('');
  });
});

describe.each([
  ['linear', 'warmUp'],
  ['cosine', 'warmUp'],
  ['cyclic', 'peak'],
])('the schedule %s', (name, top) => {
  it('rises in a straight line to 1 at its top, whatever that is', () => {
    fc.assert(
      fc.property(share, progress, (peak, part) => {
        const { share: at } = scheduleOf(name, { [top]: peak });
        return close(at(part * peak), part === 1 ? 1 : part) && close(at(peak), 1);
      }),
    );
  });

  it('never rises after its top and ends at 0', () => {
    fc.assert(
      fc.property(share, progress, progress, (peak, a, b) => {
        const { share: at } = scheduleOf(name, { [top]: peak });
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((part) => peak + part * (1 - peak)) as [
          number,
          number,
        ];
        return at(late) <= at(early) + 1e-12 && close(at(1), 0);
      }),
    );
  });

  it('has no jump', () => {
    fc.assert(
      fc.property(share, progress, (peak, done) => {
        const { share: at } = scheduleOf(name, { [top]: peak });
        const step = 1e-6;
        const steepest = Math.max(1 / peak, Math.PI / 2 / (1 - peak));
        return Math.abs(at(Math.min(1, done + step)) - at(done)) <= step * steepest * 1.01;
      }),
    );
  });

  it('may spend the whole training, or none of it, on the rise', () => {
    const whole = scheduleOf(name, { [top]: 1 }).share;
    const none = scheduleOf(name, { [top]: 0 }).share;
    expect([whole(0.5), whole(1), none(0), none(1)]).toEqual([0.5, 1, 1, 0]);
  });
});

it('cosine is half-way down in the middle of its fall, linear too, but cosine stays higher before', () => {
  const cosine = scheduleOf('cosine', { warmUp: 0 }).share;
  const linear = scheduleOf('linear', { warmUp: 0 }).share;
  expect(cosine(0.5)).toBeCloseTo(0.5, 12);
  expect(linear(0.5)).toBe(0.5);
  expect(cosine(0.25)).toBeGreaterThan(linear(0.25));
});

it('step multiplies by its factor at each milestone, from that point on', () => {
  const { share: at } = scheduleOf('step', { milestones: '0.5, 0.75', factor: 0.1 });
  expect(at(0)).toBe(1);
  expect(at(0.4999)).toBe(1);
  expect(at(0.5)).toBeCloseTo(0.1, 12);
  expect(at(0.75)).toBeCloseTo(0.01, 12);
  expect(at(1)).toBeCloseTo(0.01, 12);
});

it('constant is 1 all along', () => {
  const { share: at } = scheduleOf('constant');
  fc.assert(fc.property(progress, (done) => at(done) === 1));
});

describe('a schedule asked for wrongly', () => {
  it('is answered with the known names when its own is unknown', () => {
    expect(() => scheduleOf('cosin')).toThrow(/unknown schedule "cosin".*"cosine".*constant, linear/);
  });

  it('is answered with what a parameter accepts', () => {
    expect(() => scheduleOf('linear', { warmUp: 2 })).toThrow(/--linear.warmUp is 2; it must be a number, 0 to 1/);
    expect(() => scheduleOf('step', { milestones: '0.5,x' })).toThrow(/milestones is "0.5,x"/);
    for (const milestones of ['', '0.5,', ',0.5', '0.5,,0.75', '0x1', ' ']) {
      expect(() => scheduleOf('step', { milestones }), milestones).toThrow(/--step.milestones is/);
    }
    expect(scheduleOf('step', { milestones: '1/2', factor: 0.5 }).share(0.5)).toBe(0.5);
  });
});
