import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCsv } from '../../src/report/csv.ts';
import { printable } from '../../src/report/html.ts';
import { arbitraryRun } from './arbitrary-run.ts';

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

const withoutGuard = (text: string | undefined): string => (text ?? '').replace(/^'(?=[=+\-@\t\r])/, '');

describe('the CSV', () => {
  test('gives every cell back, a row each, whatever its names', () => {
    fc.assert(
      fc.property(arbitraryRun(), (run) => {
        const [head = [], ...rows] = parseCsv(toCsv(run));
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
        expect(toCsv(run)).not.toMatch(/(?![\t\n\r])\p{Cc}|[\u202a-\u202e]/u);
      }),
    );
    fc.assert(
      fc.property(arbitraryRun(fc.constant('\u001b[31mred')), (run) => {
        expect(toCsv(run)).toContain('\ufffd[31mred');
      }),
      { numRuns: 5 },
    );
  });

  test('holds no field that a spreadsheet would run', () => {
    fc.assert(
      fc.property(
        arbitraryRun(fc.constantFrom('=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=cmd|"/c calc"!A1')),
        (run) => {
          for (const field of parseCsv(toCsv(run)).flat()) expect(field).not.toMatch(/^[=+\-@\t\r]/);
        },
      ),
    );
  });
});
