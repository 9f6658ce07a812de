import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../src/cli/bench/child.ts';
import { type BenchRequest, median } from '../../src/cli/bench/figures.ts';
import { measureApart, measureEach } from '../../src/cli/bench/measure-apart.ts';
import { withFigures } from '../../src/cli/bench/with-figures.ts';
import { architecturesOf } from '../../src/cli/commands/bench.ts';
import { inventory, toText } from '../../src/cli/inventory.ts';
import { main } from '../../src/cli/main.ts';
import { SIX } from '../../src/models/registry.ts';
import { listen } from './workplace.ts';

const REQUEST = { arch: 'vgg11', variant: 'small', size: 8, batch: 2, seconds: 0, backend: 'onnx-cpu' } as const;
const FIGURES = { forward: 1234, attackStep: 56.7, compileSeconds: 0.25, peakMemory: 345e6 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('an architecture in a process of its own', () => {
  it('has its own peak memory, however much its parent holds', async () => {
    const ballast = Buffer.alloc(700e6, 1);
    const answer = await measureApart(REQUEST);
    expect(ballast.length).toBeLessThan(process.memoryUsage.rss());
    const figures = 'figures' in answer ? answer.figures : undefined;
    expect(answer).toEqual({ figures });
    for (const [name, value] of Object.entries(figures ?? {})) expect(value, name).toBeGreaterThan(0);
    expect(figures?.peakMemory).toBeGreaterThan(50e6);
    expect(figures?.peakMemory).toBeLessThan(600e6);
  });

  it('that cannot be is refused with the reason', async () => {
    expect(await measureApart({ ...REQUEST, arch: 'mobilenet_v2', size: 4 })).toEqual({
      failure: 'the small form of MobileNet V2 needs images of 8x8 or more, not 4x4',
      kind: 'usage',
    });
  });

  it.each([
    ['process.kill(process.pid, "SIGKILL")', 'its process was ended by SIGKILL'],
    ['console.error("first\\nlast words"); process.exit(7)', 'its process ended with 7: last words'],
    ['', 'its process ended with 0'],
  ])('that crashes (%s) is told', async (source, failure) => {
    const script = join(folder, 'crash.mjs');
    await writeFile(script, source);
    expect(await measureApart(REQUEST, script)).toEqual({ failure, kind: undefined });
  });
});

async function listenTo(...words: string[]) {
  const { terminal, out, err } = listen();
  return { code: await main(words, terminal), out: out.join('\n'), err };
}

const answerOf = async ({ arch }: BenchRequest): Promise<Answer> =>
  arch === 'vgg16' ? { failure: 'it fell over', kind: undefined } : { figures: FIGURES };

it('a rate is that of the middle call, which other work on the machine does not move', () => {
  expect(median([0.1, 9, 0.2])).toBe(0.2);
  expect(median([4])).toBe(4);
  expect(median([2, 1])).toBe(2);
});

describe('several architectures', () => {
  it('are measured one by one, and the failure of one does not end the rest', async () => {
    const { terminal, err } = listen();
    const requests = ['alexnet', 'vgg16', 'resnet18'].map((arch) => ({ ...REQUEST, arch }));
    const answers = await measureEach(requests, terminal, answerOf);
    expect(answers.map((answer) => 'figures' in answer)).toEqual([true, false, true]);
    expect(err).toEqual([
      ...[
        'measuring alexnet (1 of 3)',
        'alexnet: 1,230 forward/s, 56.7 attack steps/s, compiled in 0.3 s, 345 MB',
        'measuring vgg16 (2 of 3)',
        'vgg16: it fell over',
        'measuring resnet18 (3 of 3)',
        'resnet18: 1,230 forward/s, 56.7 attack steps/s, compiled in 0.3 s, 345 MB',
      ],
    ]);
  });

  it('called all are one of each family that has the form', () => {
    expect(architecturesOf(['all'], 'small')).toEqual(SIX.small);
    expect(architecturesOf(['vgg16', 'all'], 'imagenet')).toEqual([
      'vgg16',
      ...SIX.imagenet.filter((a) => a !== 'vgg16'),
    ]);
    expect(() => architecturesOf(['all'], 'paper')).toThrow(/Known: imagenet, small/);
    expect(() => architecturesOf(['vgg61'], 'small')).toThrow(/unknown architecture "vgg61"/);
    expect(() => architecturesOf(['vgg16'], 'paper')).toThrow(/unknown variant "paper"/);
  });
});

describe('the bench command', () => {
  const flags = ['--variant', 'small', '--size', '4', '--batch', '1', '--seconds', '0'];
  const bench = async (...words: string[]) => {
    const { terminal, out, err } = listen();
    return { code: await main(['bench', ...flags, ...words], terminal), out: out.join('\n'), err };
  };

  it('measures the small form on images of its own size', async () => {
    const { out } = await listenTo('bench', '--arch', 'vgg11', '--variant', 'small', '--seconds', '0', '--json');
    expect(JSON.parse(out)).toMatchObject({ size: 28, failures: [] });
  });

  it('prints the figures of those that can be measured, and exits with what became of the others', async () => {
    const { code, out, err } = await bench('--arch', 'mobilenet_v2,vgg11', '--json');
    const { rows, failures } = JSON.parse(out);
    expect(rows).toEqual([{ ...rows[0], arch: 'vgg11' }]);
    expect(Object.keys(rows[0]).sort()).toEqual(['arch', ...Object.keys(FIGURES)].sort());
    expect(failures).toEqual([{ arch: 'mobilenet_v2', failure: expect.stringContaining('8x8 or more') }]);
    expect(err).toContain(`mobilenet_v2: ${failures[0].failure}`);
    expect(code).toBe(2);
  });

  it('prints a table in which the columns stand below one another', async () => {
    const { code, out } = await bench('--arch', 'vgg11');
    const [about, head = '', row = ''] = out.split('\n');
    expect([code, about]).toEqual([0, expect.stringMatching(/^small form, 4x4, batch 1, onnx-cpu, /)]);
    expect(row.indexOf(' MB')).toBe(head.length - 3);
  });
});

describe('list', () => {
  it('knows the size, the work and the accuracy of every architecture, and whose figures they are', async () => {
    const { terminal, out } = listen();
    expect(await main(['list'], terminal)).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(/^ {2}vgg16 +VGG-16 +2014 +138 M +15\.5 G +71\.6 % +90\.4 % {2}mnist /m);
    expect(text).toMatch(/^ {2}mobilenet_v1 +MobileNet V1 +2017 +4\.23 M +569 M +70\.6 % +–$/m);
    expect(text).toMatch(/torchvision, IMAGENET1K_V1; of MobileNet V1: Howard et al\. 2017, table 8\./);
    expect(text).not.toContain('peak memory');
  });

  it('measured, says how fast and with what; what failed has a dash', async () => {
    const { terminal, err } = listen();
    const known = await withFigures(await inventory(), terminal, answerOf);
    const text = toText(known);
    expect(text).toMatch(/^ {2}vgg11 .* 88\.6 % +1,230 +56\.7 +0\.3 s +345 MB$/m);
    expect(text).toMatch(/^ {2}vgg16 .* 90\.4 % +– +– +– +– +mnist /m);
    expect(text).toMatch(/^ {2}Measured here in batches of 8: onnx-cpu, /m);
    expect(err).toContain('vgg16: it fell over');
    expect(known.architectures.find(({ name }) => name === 'alexnet')?.measured).toEqual(FIGURES);
  });

  it('keeps the figures of one machine out of the README', async () => {
    const { terminal, err } = listen();
    expect(await main(['list', '--measure', '--markdown'], terminal)).toBe(2);
    expect(err).toEqual([expect.stringContaining('--markdown')]);
  });
});
