import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { defenses } from '../../src/report/sections/defenses.ts';
import { HOSTILE } from './arbitrary-run.ts';
import { tagsOf, textOf } from './markup.ts';
import { defendedRun } from './sample-defenses.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;
beforeAll(async () => {
  run = await defendedRun(['jpeg', 'random-resize-pad'], { attacks: ['noise', 'pgd'], epsilons: [0, 0.1, 0.3] });
});

const sectionOf = (any: Run): string => String(defenses.render(any) ?? '');

/** The rows of a table, each as the words of its boxes. */
const rowsOf = (table: string): string[][] =>
  (table.match(/<tr>[\s\S]*?<\/tr>/gu) ?? []).map((row) =>
    [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , words = '']) => textOf(words)),
  );

describe('the section of defenses', () => {
  test('has a panel for every defended network and attack that looks, and says in words what it shows', () => {
    const section = sectionOf(run);
    const titles = [...section.matchAll(/<title[^>]*>(.*?)<\/title>/gu)].map(([, words]) => words);
    expect(titles).toEqual([
      'Accuracy of VGG-16, standard training + jpeg, under naive and adaptive pgd',
      'Accuracy of VGG-16, standard training + random-resize-pad, under naive and adaptive pgd',
    ]);
    const descriptions = [...section.matchAll(/<desc[^>]*>(.*?)<\/desc>/gu)].map(([, words]) => words);
    expect(descriptions[0]).toMatchInlineSnapshot(
      `"Accuracy is 99.3 % without attack, 0.1 % of the undefended network at ε = 0.3, 38.8 % under the naive attack at ε = 0.3, 8.5 % under the adaptive one at ε = 0.3; radii in L∞."`,
    );
  });

  test('holds the undefended network beside it', () => {
    const undefended = (robust: number): Run => ({
      ...run,
      cells: run.cells.map((cell) =>
        cell.training === 'standard' && cell.epsilon === 0.3 ? { ...cell, robustAccuracy: robust } : cell,
      ),
    });
    expect(sectionOf(undefended(0.5))).toMatch(/50\.0 % of the undefended network at ε = 0\.3/);
    expect(sectionOf(undefended(0.25))).toMatch(/25\.0 % of the undefended network at ε = 0\.3/);
  });

  test('has all numbers in a table', () => {
    expect(rowsOf(sectionOf(run)).slice(0, 4)).toMatchInlineSnapshot(`
      [
        [
          "Architecture",
          "Training",
          "Attack",
          "ε",
          "Clean",
          "Naive",
          "95 % interval",
          "Adaptive",
          "95 % interval",
          "Images",
        ],
        [
          "VGG-16",
          "standard+jpeg",
          "pgd",
          "0",
          "99.3 %",
          "99.3 %",
          "98.6–99.7",
          "99.3 %",
          "98.6–99.7",
          "1,000",
        ],
        [
          "VGG-16",
          "standard+jpeg",
          "pgd",
          "0.1",
          "99.3 %",
          "96.5 %",
          "95.2–97.5",
          "95.1 %",
          "93.6–96.3",
          "1,000",
        ],
        [
          "VGG-16",
          "standard+jpeg",
          "pgd",
          "0.3",
          "99.3 %",
          "38.8 %",
          "35.8–41.9",
          "8.5 %",
          "6.9–10.4",
          "1,000",
        ],
      ]
    `);
    expect(rowsOf(sectionOf(run))).toHaveLength(1 + 2 * 3);
  });

  test('says what each defense is, how it was set, what its adversary follows, and the rule', () => {
    expect(textOf(sectionOf(run))).toMatch(
      /jpeg JPEG compression, quality 75, subsampling 4:2:0; the adaptive adversary follows the gradient as if .*\. ?random-resize-pad Random.*Naive: made against the network without the defense\. ?$/,
    );
  });

  test('is left out where nothing stands behind a defense, and drawn without numbers that are none where little does', async () => {
    expect(sectionOf(await sampleRun({ galleryRows: 0 }))).toBe('');
    // One radius, of which the undefended network was not measured.
    const cells = run.cells.filter(({ training, epsilon }) => training !== 'standard' && epsilon === 0.3);
    const little = { ...run, cells, worstCases: [], defended: run.defended?.filter(({ epsilon }) => epsilon === 0.3) };
    const section = sectionOf(little);
    expect(section.match(/role="img"/g)).toHaveLength(2);
    expect(section).not.toMatch(/NaN|Infinity|undefined at/);
  });

  test('escapes names from outside, wherever they stand', () => {
    for (const name of HOSTILE.slice(0, 7)) {
      const hostile: Run = {
        ...run,
        defenses: run.defenses?.map((one) => ({
          ...one,
          name,
          title: name,
          adversary: name,
          params: { [name]: name },
        })),
        defended: run.defended?.map((cell) => ({ ...cell, defense: name })),
      };
      const section = sectionOf(hostile);
      const plain = sectionOf(run);
      const names = (of: string): string[] => tagsOf(of).map((tag) => tag.name);
      expect(names(section)).toEqual(names(plain));
      expect(textOf(section)).toContain(name.replace(/\s+/g, ' ').slice(0, 12));
    }
  });
});
