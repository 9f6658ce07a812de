import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { csvFiles } from '../../src/report/csv.ts';
import { printable } from '../../src/report/html.ts';
import { arbitraryRun } from './arbitrary-run.ts';
import { sampleRun } from './sample-run.ts';

/** RFC 4180, read by its grammar. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (found === null) throw new Error(`not CSV: ${text.slice(field.lastIndex)}`);
    rows.at(-1)?.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

const cellsOf = (run: Run): string => csvFiles(run)['table.csv'] ?? '';
const allOf = (run: Run): string => Object.values(csvFiles(run)).join('');

/** A table as records of its columns. */
function recordsOf(text: string | undefined): readonly Readonly<Record<string, string>>[] {
  const [head = [], ...rows] = parseCsv(text ?? '');
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ''])));
}

const withoutGuard = (text: string | undefined): string => (text ?? '').replace(/^'(?=[=+\-@\t\r])/, '');

describe('the CSV', () => {
  test('gives every cell back, a row each, whatever its names', () => {
    fc.assert(
      fc.property(arbitraryRun(), (run) => {
        const [head = [], ...rows] = parseCsv(cellsOf(run));
        expect(rows).toHaveLength(run.cells.length);
        for (const [i, cell] of run.cells.entries()) {
          const value = (column: string): string | undefined => rows[i]?.[head.indexOf(column)];
          expect(rows[i]).toHaveLength(head.length);
          expect(withoutGuard(value('arch'))).toBe(withoutGuard(printable(cell.arch)));
          expect(withoutGuard(value('attack'))).toBe(withoutGuard(printable(cell.attack)));
          expect(JSON.parse(value('params') ?? '')).toEqual(cell.params);
          expect(Number(value('epsilon'))).toBe(cell.epsilon);
          expect(Number(value('robustAccuracy'))).toBe(cell.robustAccuracy);
          expect([Number(value('robustWilsonLow')), Number(value('robustWilsonHigh'))]).toEqual(cell.wilson95);
        }
      }),
    );
  });

  test('holds no character that a terminal would obey, and keeps the rest', () => {
    fc.assert(
      fc.property(arbitraryRun(), (run) => {
        expect(allOf(run)).not.toMatch(/(?![\t\n\r])\p{Cc}|[\u202a-\u202e]/u);
      }),
    );
    fc.assert(
      fc.property(arbitraryRun(fc.constant('\u001b[31mred')), (run) => {
        expect(allOf(run)).toContain('\ufffd[31mred');
      }),
      { numRuns: 5 },
    );
  });

  test('holds no field that a spreadsheet would run', () => {
    fc.assert(
      fc.property(
        arbitraryRun(fc.constantFrom('=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=cmd|"/c calc"!A1')),
        (run) => {
          for (const record of Object.values(csvFiles(run)).flatMap(recordsOf))
            for (const [name, field] of Object.entries(record)) {
              // Losses are numbers, and may be negative.
              if (name.startsWith('loss')) expect(field).toMatch(/^(?:-?[\d.e+-]+)?$/);
              else expect(field).not.toMatch(/^[=+\-@\t\r]/);
            }
        },
      ),
    );
  });

  test('of the transfer has a row for every pair, attack and radius, whatever their names', () => {
    fc.assert(
      fc.property(arbitraryRun(), (run) => {
        const { transfer = [] } = run;
        const rows = recordsOf(csvFiles(run)['transfer.csv']);
        expect(rows).toHaveLength(transfer.length);
        for (const [i, entry] of transfer.entries()) {
          const row = rows[i] ?? {};
          expect(withoutGuard(row.sourceArch)).toBe(withoutGuard(printable(entry.source.arch)));
          expect(withoutGuard(row.targetTraining)).toBe(withoutGuard(printable(entry.target.training)));
          for (const name of ['epsilon', 'images', 'fooled', 'whiteBoxFooled', 'accuracy'] as const)
            expect(Number(row[name])).toBe(entry[name]);
          expect([Number(row.wilsonLow), Number(row.wilsonHigh)]).toEqual(entry.wilson95);
        }
      }),
    );
  });

  test('of the distances has a row for every network and attack of minimum norm, nothing where none was found', async () => {
    const sample = await sampleRun({ galleryRows: 0, epsilons: [0.3], distances: true });
    const unfound = { arch: 'x', training: 'y', attack: 'z', norm: 'L2' as const, median: null, values: [null, null] };
    const rows = recordsOf(csvFiles({ ...sample, distances: [...(sample.distances ?? []), unfound] })['distances.csv']);
    expect(rows.map(({ arch, training, attack }) => `${arch} ${training} ${attack}`)).toEqual([
      'vgg16 standard deepfool',
      'vgg16 standard fab-t',
      'vgg16 adversarial deepfool',
      'vgg16 adversarial fab-t',
      'x y z',
    ]);
    expect(Number(rows[0]?.median)).toBe(sample.distances?.[0]?.median);
    expect(rows[0]).toMatchObject({ norm: 'L2', images: '1000', found: '900' });
    expect(rows[4]).toMatchObject({ images: '2', found: '0', lowerQuartile: '', median: '', upperQuartile: '' });
  });

  test('is the table of cells alone where a run has nothing else', async () => {
    const sample = await sampleRun({ galleryRows: 0, epsilons: [0.3] });
    expect(Object.keys(csvFiles(sample))).toEqual(['table.csv']);
    expect(Object.keys(csvFiles({ ...sample, transfer: [], distances: [] }))).toEqual(['table.csv']);
  });
});
