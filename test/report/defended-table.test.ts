import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { defendedTable } from '../../src/report/defended-table.ts';
import { toTable } from '../../src/report/table.ts';
import { HOSTILE } from './arbitrary-run.ts';
import { defendedRun } from './sample-defenses.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;
beforeAll(async () => {
  run = await defendedRun(['jpeg', 'random-resize-pad'], { architectures: ['vgg16', 'alexnet'], epsilons: [0.1, 0.3] });
});

const shown = (any: Run, width: number, colour = false): string => defendedTable(any, { colour, width }).join('\n');

describe('the table of defenses', () => {
  test('reads like this', () => {
    expect(shown(run, 100)).toMatchInlineSnapshot(`
      "Defenses, naive and adaptive attacks, L∞ ε = 0.3
                                           attack   clean   naive  adaptive  95 % interval
      VGG-16   standard+jpeg                 fgsm  99.1 %  38.7 %     8.5 %       6.9–10.4
               standard+jpeg                  pgd  99.1 %  38.7 %     8.5 %       6.9–10.4
               standard+random-resize-pad    fgsm  99.1 %  38.7 %     8.5 %       6.9–10.4
               standard+random-resize-pad     pgd  99.1 %  38.7 %     8.5 %       6.9–10.4
      AlexNet  standard+jpeg                 fgsm  99.0 %  41.1 %    12.2 %      10.3–14.4
               standard+jpeg                  pgd  99.0 %  41.1 %    12.2 %      10.3–14.4
               standard+random-resize-pad    fgsm  99.5 %  41.4 %    12.3 %      10.4–14.5
               standard+random-resize-pad     pgd  99.5 %  41.4 %    12.3 %      10.4–14.5"
    `);
  });

  test('turns adversaries into rows where the terminal is narrow', () => {
    const one = { ...run, defended: run.defended?.filter(({ arch, attack }) => arch === 'vgg16' && attack === 'pgd') };
    expect(shown(one, 40)).toMatchInlineSnapshot(`
      "Defenses, naive and adaptive attacks, L∞ ε = 0.3
      VGG-16 standard+jpeg, pgd
        clean     99.1 %
        naive     38.7 %  35.7–41.8
        adaptive   8.5 %   6.9–10.4
      VGG-16 standard+random-resize-pad, pgd
        clean     99.1 %
        naive     38.7 %  35.7–41.8
        adaptive   8.5 %   6.9–10.4"
    `);
    for (const width of [40, 50, 60, 80]) {
      const longest = Math.max(
        ...shown(run, width)
          .split('\n')
          .slice(1)
          .map((line) => line.length),
      );
      expect(longest).toBeLessThanOrEqual(width);
    }
  });

  test('is coloured only if asked, and marks where the adaptive adversary does better than the naive one', () => {
    const marked = (any: Run): number => shown(any, 100, true).split('\u001b[31m').length - 1;
    expect(stripVTControlCharacters(shown(run, 100, true))).toBe(shown(run, 100));
    expect(marked(run)).toBe(8);
    const equal = { ...run, defended: run.defended?.map((cell) => ({ ...cell, naiveCorrect: cell.adaptiveCorrect })) };
    expect(marked(equal)).toBe(0);
  });

  test('stands in the terminal’s table behind the networks, and says the radius of the headline', () => {
    const blocks = toTable(run, { colour: false, width: 100 }).split('\n\n');
    expect(blocks.at(-1)).toBe(shown(run, 100));
    expect(blocks.length).toBe(3);
  });

  test('is left out of runs that have no defense, or none at that radius', async () => {
    expect(defendedTable(await sampleRun({ galleryRows: 0 }), { colour: false, width: 100 })).toEqual([]);
    const elsewhere = { ...run, defended: run.defended?.filter(({ epsilon }) => epsilon < 0.3) };
    expect(defendedTable(elsewhere, { colour: false, width: 100 })).toEqual([]);
  });

  test.each([30, 200])('never passes on what a terminal would obey, nor breaks its lines, %i columns wide', (width) => {
    const named = (at: number): string => HOSTILE[at % HOSTILE.length] ?? '';
    const renamed = {
      ...run,
      defended: run.defended?.map((cell, i) => ({ ...cell, training: named(i), attack: named(i + 7) })),
    };
    const lines = defendedTable(renamed, { colour: false, width });
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u);
  });
});
