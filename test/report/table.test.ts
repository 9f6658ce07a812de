import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { toTable } from '../../src/report/table.ts';
import { arbitraryRun } from './arbitrary-run.ts';
import { defendedRun } from './sample-defenses.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;

beforeAll(async () => {
  run = await sampleRun({ galleryRows: 0, checks: true });
});

describe('the table of the terminal', () => {
  test('reads like this', () => {
    expect(toTable(run, { colour: false, width: 100 })).toMatchInlineSnapshot(`
      "Under the worst of noise, fgsm and pgd at L∞ ε = 0.3, VGG-16 falls from 99.5 % to 0.0 % [0.0–0.4];
      adversarially trained, it falls from 98.1 % to 63.8 % [60.8–66.7].

      MNIST, 1,000 images, L∞ ε = 0.3, untargeted
                            clean   noise    fgsm     pgd   worst  95 % interval
      VGG-16  standard     99.5 %  95.9 %   0.6 %   0.1 %   0.0 %        0.0–0.4
              adversarial  98.1 %  96.1 %  75.8 %  64.2 %  63.8 %      60.8–66.7

      warn: more steps do not help: pgd with 100 steps fools 2.1 points more than with 40: the attack had
      not converged."
    `);
  });

  test('says at what a targeted run aimed', async () => {
    const targeted = await sampleRun({ galleryRows: 0, goal: { kind: 'targeted', target: 3 } });
    const lines = toTable(targeted, { colour: false, width: 100 });
    expect(lines).toMatch(/^Under the worst of noise, fgsm and pgd towards class 3 at/);
    expect(lines).toContain('ε = 0.3, targeted at class 3\n');
  });

  test('turns attacks into rows where the terminal is narrow', () => {
    const narrow = toTable(run, { colour: false, width: 50 });
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50);
    expect(narrow).toMatch(/ {2}pgd +64\.2 % +61\.2–67\.1/);
  });

  test('has the whole name of a network behind a defense where the terminal is narrow', async () => {
    const defended = await defendedRun(['random-resize-pad', 'random-resize-crop']);
    const [headline = ''] = toTable(defended, { colour: false, width: 50 }).split(/\n\n(?=.*naive)/);
    expect(headline.match(/^VGG-16 standard.*$/gm)).toEqual([
      ...['VGG-16 standard', 'VGG-16 standard+random-resize-pad', 'VGG-16 standard+random-resize-crop'],
    ]);
  });

  test('is coloured only if asked, and then says the same', () => {
    const plain = toTable(run, { colour: false, width: 100 });
    const coloured = toTable(run, { colour: true, width: 100 });
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[31m');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  test('never passes on what a terminal would obey', () => {
    fc.assert(
      fc.property(arbitraryRun(), fc.integer({ min: 1, max: 200 }), (any, width) => {
        const lines = toTable(any, { colour: false, width }).split('\n');
        for (const line of lines) expect(line).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u);
      }),
    );
  });
});
