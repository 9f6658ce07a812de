import { beforeAll, describe, expect, test } from 'vitest';
import type { Run, Training } from '../../src/core/run.ts';
import type { TrainingRecord } from '../../src/core/training-record.ts';
import { renderReport } from '../../src/report/page.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;
beforeAll(async () => {
  run = await sampleRun({ architectures: ['vgg16'], galleryRows: 0 });
});

const GAUGE = { images: 500, attack: 'pgd', params: { steps: 10 } };
const SMOOTHING = { name: 'randomized-smoothing', params: { sigma: 0.25 }, adversarial: false };

/** The section of a report on networks whose trainings left these records. */
async function sectionOf(records: Readonly<Record<string, Partial<TrainingRecord>>>): Promise<string> {
  const trainings = Object.entries(records).map(([training, changes]): Training => {
    return { arch: 'vgg16', training, record: trainingRecordOf(changes) };
  });
  const page = await renderReport({ ...run, trainings });
  return /<section id="training"[\s\S]*?(?=<section id=|<\/main>)/u.exec(page)?.[0] ?? '';
}

/** The rows of the summary, each as the words of its boxes. */
const rowsOf = (section: string): string[][] =>
  [...(section.split('</table>')[0] ?? '').matchAll(/<tr>[\s\S]*?<\/tr>/gu)].map(([row]) =>
    [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , words = '']) => textOf(words)),
  );

describe('the training curves', () => {
  test('name the ball that was trained against, and none where there was no adversary', async () => {
    const section = await sectionOf({
      standard: { defense: { name: 'standard', params: {} } },
      adversarial: {},
      'randomized-smoothing': { defense: SMOOTHING },
    });
    const against = rowsOf(section).map((row) => [row[1], row[2]]);
    expect(against).toEqual([
      ['Training', 'Against'],
      ['standard', '–'],
      [expect.stringContaining('adversarial'), 'L∞ ε = 0.3'],
      [expect.stringContaining('sigma 0.25'), '–'],
    ]);
  });

  test('say by what held-out images were attacked, if all checkpoints tell the same', async () => {
    expect(textOf(await sectionOf({ adversarial: { validation: GAUGE } }))).toContain(
      'clean and as pgd (steps 10) leaves them: a gauge',
    );
    const mixed = await sectionOf({ adversarial: { validation: GAUGE }, trades: {} });
    expect(textOf(mixed)).toContain('clean and under a small attack: a gauge');
  });

  test('say what is of the average of the weights, where there is one', async () => {
    const words = 'held-out images were shown to the average';
    expect(textOf(await sectionOf({ adversarial: {} }))).not.toContain(words);
    expect(textOf(await sectionOf({ adversarial: { ema: 0.99 } }))).toContain(words);
  });

  test('leave names as their owners wrote them', async () => {
    expect(textOf(await sectionOf({ MyWay: {} }))).toContain('VGG-16 training: MyWay');
    const own = await sampleRun({ architectures: ['vgg16'], trainings: ['MyWay'], course: true });
    expect(await renderReport(own)).not.toContain('training: myway');
  });

  test('say what TRADES counts in training, where it is one of them', async () => {
    const trades = { defense: { name: 'trades', params: {} } };
    expect(textOf(await sectionOf({ trades }))).toContain('In training TRADES counts on the clean images');
    expect(textOf(await sectionOf({ adversarial: {} }))).not.toContain('TRADES');
  });

  test('have a chart each, and every epoch as numbers', async () => {
    const section = await sectionOf({ standard: { defense: { name: 'standard', params: {} } }, adversarial: {} });
    expect(section.match(/<svg[^>]*role="img"/gu)).toHaveLength(2);
    expect(textOf(section)).toContain('The numbers (4 epochs)');
    const one = trainingRecordOf();
    const single = await sectionOf({
      adversarial: { history: one.history.slice(0, 1), kept: { why: 'last', epoch: 1, batch: 400 } },
    });
    expect(textOf(single)).toContain('The numbers (1 epoch)');
  });
});
