import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressOf } from '../../src/cli/experiment/carry-out.ts';
import { describe as describeProgress, type Progress, progressLine } from '../../src/cli/progress.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** A terminal that remembers, and a clock that moves when told. */
function stage(isLive: boolean) {
  const notes: string[] = [];
  const lives: string[] = [];
  const clock = { ms: 0 };
  const calls = new Set<() => void>();
  const terminal: Terminal = {
    print: () => undefined,
    note: (text) => notes.push(text),
    live: (text) => lives.push(text),
    ...{ isLive, colour: false, width: 80, liveWidth: 80 },
  };
  const every = (_: number, call: () => void): (() => void) => {
    calls.add(call);
    return () => calls.delete(call);
  };
  const tick = (): void => {
    for (const call of calls) call();
  };
  return { notes, lives, clock, tick, line: progressLine(terminal, { now: () => clock.ms, every }) };
}

const at = (done: number, label = 'vgg16/standard pgd'): Progress => ({ label, done, total: 100, unit: 'images' });

describe('progress on a pipe', () => {
  it('is a plain line every ten seconds and nothing else', () => {
    const { notes, lives, clock, line } = stage(false);
    for (clock.ms = 0; clock.ms <= 25_000; clock.ms += 500) line.show(at(clock.ms / 500));
    line.end();
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('20/100 images');
    expect(lives.filter((text) => text !== '')).toEqual([]);
  });
});

describe('a job of which nothing is heard', () => {
  it('is shown all the same, as long as it lasts', () => {
    const { notes, clock, tick, line } = stage(false);
    line.show(at(3));
    for (; clock.ms <= 25_000; clock.ms += 1000) tick();
    expect(notes).toHaveLength(2);
    expect(notes[1]).toMatch(/ 3\/100 images$/);
    line.end();
    clock.ms += 60_000;
    tick();
    expect(notes).toHaveLength(2);
  });
});

describe('progress on a terminal', () => {
  it('rewrites one line, ten times a second at most', () => {
    const { lives, clock, line } = stage(true);
    for (clock.ms = 0; clock.ms < 1000; clock.ms += 10) line.show(at(clock.ms / 10));
    expect(lives).toHaveLength(10);
  });

  it('leaves a line for every job that is done, in its last state', () => {
    const { notes, line } = stage(true);
    line.show(at(1, 'first'));
    line.show(at(100, 'first'));
    line.show(at(7, 'second'));
    line.end();
    expect(notes.map((note) => note.split('  ')[0])).toEqual(['first', 'second']);
    expect(notes[0]).toContain('100/100');
  });

  it('leaves none for what is only passing', () => {
    const { notes, line } = stage(true);
    line.show({ ...at(0, 'compiling'), passing: true });
    line.end();
    expect(notes).toEqual([]);
  });
});

describe('a line of progress', () => {
  it('has all its words in 40 columns, where the bar makes room for them', () => {
    const epoch = { label: 'epoch 3/4', done: 120, total: 468, unit: 'batches', accuracy: 0.917 };
    const line = describeProgress(epoch, { ms: 0, done: 120 }, 40);
    expect(line).toBe('epoch 3/4  120/468 batches  91.7 %');
    expect(describeProgress(epoch, { ms: 0, done: 120 }, 80)).toContain('█'.repeat(5));
  });

  it('counts the rate from what was done when the job was first heard of', () => {
    expect(describeProgress(at(60), { ms: 2000, done: 40 }, 120)).toContain('10 images/s  4 s left');
  });

  it('claims no rate that was not measured', () => {
    expect(describeProgress(at(60), { ms: 1, done: 0 }, 120)).not.toContain('images/s');
  });

  it('tells how long a job took, but not of one that was over when it was first heard of', () => {
    expect(describeProgress(at(100), { ms: 2000, done: 0 }, 120)).toMatch(/ {2}2 s$/);
    expect(describeProgress(at(100), { ms: 0.021, done: 100 }, 120)).toMatch(/100\/100 images$/);
  });

  it('leaves out whole words where there is no room, never half a number', () => {
    const progress = { label: 'vgg16/standard noise', done: 30, total: 30, unit: 'pairs', accuracy: 1 };
    const inFull = describeProgress(progress, { ms: 5000, done: 0 }, 1000).split('  ');
    for (let width = 22; width < 100; width++) {
      const words = describeProgress(progress, { ms: 5000, done: 0 }, width).split('  ');
      expect([...inFull], String(width)).toEqual(expect.arrayContaining(words.filter((word) => !word.includes('█'))));
    }
    expect(describeProgress(progress, { ms: 5000, done: 0 }, 40)).toBe('vgg16/standard noise  30/30 pairs');
  });

  it('never wraps, whatever the width', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(100), fc.nat(1e6), (width, done, ms) => {
        expect(describeProgress(at(done), { ms, done: 0 }, width).length).toBeLessThanOrEqual(Math.max(0, width - 1));
      }),
    );
  });
});

describe('the progress of an experiment', () => {
  it('counts an attack in pairs of an image and a radius, and the clean pass in images', () => {
    const event = { contender: 'vgg16/standard', done: 480, total: 9000 };
    const said = (phase: 'attack' | 'clean') =>
      describeProgress(progressOf({ ...event, phase, attack: 'pgd' }), { ms: 0, done: 0 }, 100);
    expect(said('attack')).toMatch(/^vgg16\/standard pgd .*480\/9000 pairs$/);
    expect(said('clean')).toMatch(/^vgg16\/standard clean .*480\/9000 images$/);
  });
});
