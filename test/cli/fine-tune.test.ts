/** Networks for one's own photographs, from the command line: trained from nothing, then taken on to other classes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { Rng } from '../../src/core/rng.ts';
import { parseRun } from '../../src/core/run.ts';
import { loadCheckpoint } from '../../src/models/checkpoint.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { put } from '../data/pictures.ts';
import { listen } from './workplace.ts';

const before = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-fine-'));
  process.chdir(folder);
  await draw('lines', { rows: stripes('row'), columns: stripes('column') });
  await draw('shapes', { checks: checks, plain: () => 0.5, slants: slants });
}, 30_000);
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

const SIDE = 24;
type Pattern = (row: number, column: number, phase: number) => number;

const wave = (at: number): number => (Math.floor(at) % 4 < 2 ? 0.2 : 0.8);
const stripes =
  (along: 'row' | 'column'): Pattern =>
  (row, column, phase) =>
    wave((along === 'row' ? row : column) + phase);
const slants: Pattern = (row, column, phase) => wave(row + column + phase);
const checks: Pattern = (row, column, phase) => (wave(row + phase) === wave(column + phase) ? 0.2 : 0.8);

/** A folder of folders of noisy pictures: 24 to learn from and 8 to be tested on, of each class. */
async function draw(name: string, classes: Readonly<Record<string, Pattern>>): Promise<void> {
  for (const [kind, pattern] of Object.entries(classes)) {
    for (let i = 0; i < 32; i++) {
      const rng = new Rng(i, `${name} ${kind}`);
      const phase = rng.below(4);
      const values = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
        const pixel = Math.floor(at / 3);
        return 255 * (0.8 * pattern(Math.floor(pixel / SIDE), pixel % SIDE, phase) + 0.2 * (rng.below(256) / 255));
      });
      const picture = sharp(values, { raw: { width: SIDE, height: SIDE, channels: 3 } });
      await put(join(name, i < 24 ? 'train' : 'test', kind, `${i}.png`), picture);
    }
  }
}

async function run(...words: string[]) {
  const heard = listen();
  return { code: await main(words, heard.terminal), ...heard };
}

const SMALL = ['--arch', 'vgg11', '--size', '16', '--batch', '8', '--validation', '0', '--quiet'];
const LINES = join('checkpoints', 'lines', 'vgg11-standard.safetensors');
const SHAPES = join('checkpoints', 'shapes', 'vgg11-standard.safetensors');

describe('a network for photographs of one’s own', () => {
  it('is trained on class folders, normalised by their mean and augmented as asked', async () => {
    const words = ['--width', '1/16', '--normalise', 'mean', '--augment', 'translation', '--translation.pixels', '1'];
    const { code, err } = await run('train', '--dataset', 'lines', ...SMALL, ...words, '--epochs', '6');
    expect([code, err]).toEqual([0, [expect.stringContaining(`wrote ${LINES}`)]]);
    const { spec, metadata, dispose } = await loadCheckpoint(LINES);
    expect(metadata).toMatchObject({ dataset: 'lines', classes: ['columns', 'rows'] });
    expect(metadata.command).toContain('--augment translation');
    expect(spec.normalisation.mean[0]).toBeCloseTo(0.5, 1);
    dispose();
    const history = (await readFile(LINES.replace('safetensors', 'jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(history.at(-1) ?? '').accuracy).toBeGreaterThan(0.9);
  });

  it('is taken on to other classes, whose names its checkpoint holds, and measured on them', async () => {
    const { code } = await run(
      'train',
      '--from',
      LINES,
      '--dataset',
      'shapes',
      ...SMALL,
      '--epochs',
      '6',
      '--rate',
      '0.05',
    );
    expect(code).toBe(0);
    const { metadata, spec, dispose } = await loadCheckpoint(SHAPES);
    expect(metadata.classes).toEqual(['checks', 'plain', 'slants']);
    expect([spec.classes, spec.width]).toEqual([3, 1 / 16]);
    dispose();
    const measuring = ['--weights', SHAPES, '--dataset', 'shapes', '--attack', 'noise', '--epsilon', '0.01'];
    const { code: measured, out } = await run('experiment', ...measuring, '--json', '--quiet', '--out', 'run');
    expect(measured).toBe(0);
    const [cell] = parseRun(JSON.parse(out.join('\n')), 'stdout').cells;
    expect(cell?.images).toBe(24);
    expect(cell?.cleanAccuracy).toBeGreaterThan(0.9);
  });

  it('learns in its last layer alone where it is frozen', async () => {
    const frozen = ['--from', LINES, '--freeze', '--out', 'frozen.safetensors', '--epochs', '1'];
    expect((await run('train', '--dataset', 'shapes', ...SMALL, ...frozen)).code).toBe(0);
    const [old, now] = [await readSafetensors(LINES), await readSafetensors('frozen.safetensors')];
    const moved = [...now.tensors].filter(([name, { data }]) => String(data) !== String(old.tensors.get(name)?.data));
    expect(moved.map(([name]) => name).sort()).toEqual(['classifier.bias', 'classifier.weight']);
  });

  it('is not taken for one of another architecture, form or kind of image', async () => {
    const said = async (...words: string[]) =>
      (await run('train', '--dataset', 'shapes', '--from', LINES, ...words)).err;
    expect(await said('--arch', 'resnet18')).toEqual([
      `gibbon: --from ${LINES} is a vgg11, not a resnet18: give --arch vgg11`,
    ]);
    expect(await said('--arch', 'vgg11', '--form', 'imagenet', '--batch', '8', '--out', 'x.safetensors')).toEqual([
      `gibbon: --from ${LINES} is of the small form, and --form is imagenet: leave --form out`,
    ]);
    const onDigits = await run(
      'train',
      '--dataset',
      'mnist',
      '--from',
      LINES,
      '--arch',
      'vgg11',
      '--out',
      'x.safetensors',
    );
    expect(onDigits.err).toEqual([`gibbon: --from ${LINES} takes images of 3 channels; mnist has grey images`]);
  });

  it('in a series is passed over where it is there', async () => {
    const both = ['--arch', 'vgg11,vgg13', '--width', '1/16', '--epochs', '1'];
    const { code, err } = await run('train', '--dataset', 'shapes', ...SMALL.slice(2), ...both);
    expect(code).toBe(0);
    expect(err).toEqual([
      `${SHAPES} is there already and stays as it is`,
      expect.stringContaining(`wrote ${SHAPES.replace('vgg11', 'vgg13')}`),
    ]);
    const { metadata, dispose } = await loadCheckpoint(SHAPES.replace('vgg11', 'vgg13'));
    expect(metadata.command).toBe(
      'gibbon train --arch vgg13 --training standard --dataset shapes --size 16 --width 0.0625 --epochs 1 --batch 8 --validation 0',
    );
    dispose();
  });
});
