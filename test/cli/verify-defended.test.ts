import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun, type Run } from '../../src/core/run.ts';
import { withFile } from '../../src/weights/byte-source.ts';
import { readSafetensors, writeSafetensors } from '../../src/weights/safetensors.ts';
import { sha256Of } from '../../src/weights/sha256.ts';
import { inWorkplace, listen } from './workplace.ts';

async function run(...words: string[]) {
  const heard = listen();
  return { code: await main(words, heard.terminal), ...heard };
}

const runOf = (folder: string): Run => parseRun(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), folder);
const [RANDOM, DIM] = ['standard+random-resize-pad', 'standard+dim'];

/** A copy of the saved run in which something is different. */
async function copy(folder: string, change: (run: Run) => unknown): Promise<string> {
  await cp('kept', folder, { recursive: true });
  await writeFile(join(folder, 'run.json'), JSON.stringify(change(runOf('kept'))));
  return folder;
}

describe('saved images of defended networks', () => {
  inWorkplace();

  beforeAll(async () => {
    await writeFile(
      'dim.ts',
      `import { defineDefense, p, preprocess } from 'gibbon';
export default defineDefense({
  name: 'dim', title: 'Dimming', paper: 'https://example.org',
  params: { share: p.number(0.9, 'share of the light that is kept', { min: 0, max: 1 }) },
  wrap: (classifier, { share }) => ({ classifier: preprocess(classifier, (x) => x.mul(share)) }),
});`,
    );
    const network = ['--arch', 'alexnet', '--training', 'standard', '--images', '8', '--sanity', '0', '--seed', '1'];
    const attack = ['--attack', 'fgsm', '--epsilon', '0.15', '--save-images', 'all'];
    const defenses = [
      '--defense',
      'random-resize-pad,./dim.ts',
      '--dim.share',
      '0.8',
      '--random-resize-pad.draws',
      '2',
    ];
    const made = await run('experiment', ...network, ...attack, ...defenses, '--out', 'kept');
    expect(made.err.join('\n')).toContain('gibbon verify kept checks them');
  });

  it('pass their check, random defenses and files of the user’s own included', async () => {
    const { saved = [], defenses = [] } = runOf('kept');
    const sources = defenses.map(({ name, sha256 }) => [name, sha256]);
    expect(sources).toEqual([
      ['random-resize-pad', undefined],
      ['dim', createHash('sha256').update(readFileSync('dim.ts')).digest('hex')],
    ]);
    const fooled = saved
      .filter(({ attack }) => attack === 'fgsm')
      .map(({ training, fooled }) => [training, fooled > 0]);
    expect(fooled).toEqual(['standard', RANDOM, DIM].map((training) => [training, true]));
    const { code, err, out } = await run('verify', 'kept', '--defense', 'dim.ts');
    expect([err, out.join('\n').match(/ok$/gm)?.length]).toEqual([['6 files: all is as run.json says'], 6]);
    expect(code).toBe(0);
  });

  it('are not taken for those of another defense, however well they are disguised', async () => {
    const folder = await copy('disguised', (given) => given);
    const given = runOf(folder);
    const of = (training: string) => given.saved?.find((one) => one.training === training && one.attack === 'fgsm');
    const [open, defended] = [of(RANDOM), of(DIM)];
    if (open === undefined || defended === undefined) throw new Error('both are saved');
    const { tensors, metadata } = await readSafetensors(join(folder, open.file));
    const path = join(folder, defended.file);
    await writeSafetensors(path, tensors, { ...metadata, training: DIM });
    await cp(join(folder, open.pictures), join(folder, defended.pictures), { recursive: true, force: true });
    const forged = { ...open, training: DIM, file: defended.file, pictures: defended.pictures };
    const sha256 = await withFile(path, sha256Of);
    const cellOf = (training: string) => given.cells.find((one) => one.training === training && one.attack === 'fgsm');
    await writeFile(
      join(folder, 'run.json'),
      JSON.stringify({
        ...given,
        saved: given.saved?.map((one) => (one === defended ? { ...forged, sha256 } : one)),
        cells: given.cells.map((one) => (one === cellOf(DIM) ? { ...cellOf(RANDOM), training: DIM } : one)),
      }),
    );
    const { code, err, out } = await run('verify', folder, '--defense', 'dim.ts', '--quiet');
    expect(out.join('\n')).toMatch(/standard\+dim +fgsm .* (adversarial and said not to be|not the network’s)/);
    expect(err).toEqual(['1 of 6 files disagree with run.json']);
    expect(code).toBe(1);
  });

  it.each([
    [
      'drawn from another seed',
      /random-resize-pad.*when rounded|random-resize-pad.*not the network’s/,
      (given: Run) => ({
        ...given,
        provenance: { ...given.provenance, seed: 12 },
      }),
    ],
    [
      'set otherwise',
      /standard\+dim.*(not the network’s|what the network takes)/,
      (given: Run) => ({
        ...given,
        defenses: given.defenses?.map((one) => (one.name === 'dim' ? { ...one, params: { share: 0.1 } } : one)),
      }),
    ],
  ])('fail behind one that is %s', async (how, message, change) => {
    const { code, out } = await run('verify', await copy(how.replaceAll(' ', '-'), change), '--defense', 'dim.ts');
    expect(out.join('\n')).toMatch(message);
    expect(code).toBe(1);
  });

  it.each([
    ['whose code is not named', [], /dim is a defense of its owner's, and code: name its file by --defense dim\.ts/],
    ['named as if it were a file', ['--defense', 'jpeg'], /--defense jpeg: name a file/],
    [
      'that nothing stands behind',
      ['--defense', 'other.ts'],
      /--defense other\.ts: no saved image is of a network behind/,
    ],
  ] as const)('are refused with a defense %s', async (_, words, message) => {
    const { code, err, out } = await run('verify', 'kept', ...words);
    expect(err.join('\n')).toMatch(message);
    expect([code, out]).toEqual([2, []]);
  });

  it.each([
    ['nothing', undefined, /run\.json does not say how random-resize-pad was set, which standard\+random-resize-pad/],
    ['an impossible thing', { draws: 0 }, /sets the defense random-resize-pad as it cannot be set here: .*draws is 0/],
    ['a strange thing', { drawn: 1 }, /cannot be set here: .*Did you mean "draws"/],
  ] as const)('are refused where run.json says %s of their defense', async (what, params, message) => {
    const folder = await copy(what.replaceAll(' ', '-'), (given) => ({
      ...given,
      defenses: given.defenses?.flatMap((one) => {
        if (one.name === 'dim') return [one];
        return params === undefined ? [] : [{ ...one, params }];
      }),
    }));
    const { code, err, out } = await run('verify', folder, '--defense', 'dim.ts');
    expect(err.join('\n')).toMatch(message);
    expect([code, out]).toEqual([1, []]);
  });
});
