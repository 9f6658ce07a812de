import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { interval, percent } from '../../src/report/format.ts';
import { renderReport } from '../../src/report/page.ts';
import { textOf } from './markup.ts';
import { SIX_NETWORKS, sampleRun } from './sample-run.ts';

/** Every number of a run, wherever it stands. */
function numbersOf(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

/** Every pair of numbers that could be an interval. */
function pairsOf(value: unknown): readonly (readonly [number, number])[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value) && value.length === 2) {
    const [low, high]: readonly unknown[] = value;
    if (typeof low === 'number' && typeof high === 'number') return [[low, high]];
  }
  return Object.values(value).flatMap(pairsOf);
}

/** Said of the method, not found: the confidence of intervals, and the ticks of axes. */
const STATED = ['95 %', '0 %', '100 %'];

const PERCENTAGE = /[<>]?\d+(?:\.\d+)? %/g;

describe('of the numbers in the page', () => {
  let run: Run;
  let text: string;

  beforeAll(async () => {
    const whole = { galleryRows: 1, checks: true, transfer: true, distances: true, histories: true };
    run = await sampleRun({ architectures: ['vgg16', 'alexnet'], ...whole });
    text = textOf((await renderReport(run)).replaceAll('<', ' <')).replaceAll('\u00a0', ' ');
  });

  /** Shares as they stand in run.json, and the errors to which published accuracies belong; chance is that of the classes. */
  const shares = (of: Run): Set<string> =>
    new Set([1 / of.classes.length, ...numbersOf(of).flatMap((value) => [value, 1 - value])].map(percent));

  test('every percentage is a share that stands in run.json', () => {
    const found = new Set([...text.matchAll(PERCENTAGE)].map(([percentage]) => percentage));
    const known = shares(run);
    expect([...found].filter((percentage) => !known.has(percentage) && !STATED.includes(percentage))).toEqual([]);
    expect(found.size).toBeGreaterThan(50);
  });

  test('every interval is one that stands in run.json', () => {
    const known = new Set(pairsOf(run).map(interval));
    const found = [...text.matchAll(/\d+\.\d–\d+\.\d/g)].map(([ends]) => ends);
    expect(found.filter((ends) => !known.has(ends))).toEqual([]);
    expect(found.length).toBeGreaterThan(50);
  });
});

test('a run of 500 cells has a page of less than 5 MB', async () => {
  const large = await sampleRun({
    architectures: SIX_NETWORKS.slice(0, 5),
    attacks: ['fgsm', 'pgd', 'bim', 'mi-fgsm', 'apgd'],
    epsilons: Array.from({ length: 10 }, (_, i) => (i + 1) / 20),
  });
  expect(large.cells).toHaveLength(500);
  expect((await renderReport(large)).length).toBeLessThan(5_000_000);
});
