import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointPath } from '../../src/cli/checkpoints.ts';
import { main } from '../../src/cli/main.ts';
import { parseRun, type Run } from '../../src/core/run.ts';
import { ARCH, listen, makeWorkplace, NETWORK, saveNetwork, type Workplace } from './workplace.ts';

let work: Workplace;
const before = process.cwd();
beforeAll(async () => {
  work = await makeWorkplace();
  process.chdir(work.folder);
  const small = ['--images', '12', '--epsilon', '0,0.3', '--attack', 'fgsm', '--seed', '1'];
  made = await run('experiment', ...NETWORK, ...small, '--out', 'saved', '--save-images', 'all');
});
afterAll(async () => {
  process.chdir(before);
  await work.remove();
});

let made: Awaited<ReturnType<typeof run>>;

async function run(...words: string[]) {
  const heard = listen();
  return { code: await main(words, heard.terminal), ...heard };
}

const runOf = (folder: string): Run => parseRun(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), folder);

/** A copy of the saved run in which something is different. */
async function copy(folder: string, change: (run: Run) => unknown): Promise<string> {
  await cp('saved', folder, { recursive: true });
  const changed = change(runOf('saved'));
  await writeFile(join(folder, 'run.json'), JSON.stringify(changed));
  return folder;
}

/** The box with other counts, and the accuracies that belong to them. */
const counting = (cell: Run['cells'][number], clean: number, robust: number): Run['cells'][number] => ({
  ...cell,
  ...{ cleanCorrect: clean, robustCorrect: robust, robustCorrect8bit: robust },
  ...{
    cleanAccuracy: clean / cell.images,
    robustAccuracy: robust / cell.images,
    robustAccuracy8bit: robust / cell.images,
  },
});

describe('images that a run saved', () => {
  it('are told of, and pass their check', async () => {
    expect(made.code).toBe(0);
    expect(made.err.join('\n')).toMatch(/saved \d+ images in saved.images; gibbon verify saved checks them/);
    const { code, out, err } = await run('verify', 'saved', '--quiet');
    expect(err).toEqual([`${runOf('saved').saved?.length} files: all is as run.json says`]);
    expect(out.join('\n')).toMatch(
      /^network +attack +epsilon +images +adversarial +as PNG +PNG outside +verdict\n(vgg11.*ok\n?)+$/,
    );
    expect(code).toBe(0);
  });

  it.each(['nearest', 'inward'])(
    'have their PNGs named that left the ball when rounded %s, which is no fault',
    async (how) => {
      const trained = ['--arch', 'alexnet', '--training', 'standard', '--images', '6', '--sanity', '0'];
      // 0.3 is halfway between two levels.
      const attack = ['--attack', 'fgsm', '--epsilon', '0.3', '--save-images', 'fooled', '--save-rounding', how];
      await run('experiment', ...trained, ...attack, '--out', how);
      const saved = runOf(how).saved ?? [];
      const [fooled, outside] = [saved.map((one) => one.fooled), saved.map((one) => one.outsideRounded)];
      expect(Math.max(...fooled)).toBeGreaterThan(0);
      expect(outside).toEqual(how === 'nearest' ? fooled : fooled.map(() => 0));

      const { code, err, out } = await run('verify', how, '--json');
      const found: readonly { readonly counts: { readonly outsideRounded: number } }[] = JSON.parse(out.join('\n'));
      expect(found.map(({ counts }) => counts.outsideRounded)).toEqual(outside);
      const pictures = outside.reduce((sum, one) => sum + one, 0);
      expect(err.slice(1).join('\n')).toMatch(
        how === 'inward' ? /^$/ : new RegExp(`^${pictures} PNGs lie outside the ball, .*--save-rounding inward`),
      );
      expect(code).toBe(0);
    },
  );

  it('are saved whatever the network, the attack and the radius, misclassified images left out', () => {
    const { saved = [], cells } = runOf('saved');
    expect(saved.map(({ attack, epsilon }) => [attack, epsilon])).toEqual([
      ...cells.filter(({ cleanCorrect }) => cleanCorrect > 0).map(({ attack, epsilon }) => [attack, epsilon]),
    ]);
    expect(saved.length).toBe(4);
  });

  it('fail their check, with 1, once a bit of them is another', async () => {
    const folder = await copy('tampered', (given) => given);
    const [first] = runOf(folder).saved ?? [];
    const path = join(folder, first?.file ?? '');
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { code, out, err } = await run('verify', folder, '--quiet');
    expect(err).toEqual(['1 of 4 files disagree with run.json']);
    expect(out.join('\n')).toMatch(/its SHA-256 is not the one in run\.json/);
    expect(code).toBe(1);
  });

  it('that disagree on another backend than made them may owe it to that, and it is said', async () => {
    const change = (backend: string) => (given: Run) => ({
      ...given,
      provenance: { ...given.provenance, backend },
      cells: given.cells.map((cell) => counting(cell, cell.cleanCorrect, 0)),
    });
    const [other, same] = [
      await copy('other-backend', change('onnx-cuda')),
      await copy('same-backend', change('onnx-cpu')),
    ];
    const noted = /onnx-cuda computed the run, and onnx-cpu this check: .* --backend onnx-cuda tells/;
    expect((await run('verify', other, '--backend', 'onnx-cpu')).err.join()).toMatch(noted);
    expect((await run('verify', same, '--backend', 'onnx-cpu')).err.join()).not.toMatch(/computed the run/);
  });

  it('fail where the run counts others than there are, or names none where it counts some', async () => {
    const counted = await copy('counted', (given) => ({
      ...given,
      cells: given.cells.map((cell) => counting(cell, cell.cleanCorrect, 0)),
    }));
    expect(await run('verify', counted, '--json')).toMatchObject({ code: 1 });
    const dropped = await copy('dropped', (given) => ({
      ...given,
      cells: given.cells.map((cell) => counting(cell, 9, 4)),
      saved: [],
    }));
    const { code, out } = await run('verify', dropped);
    expect([code, out.join().match(/counts 5 adversarial images, and none of them is saved/g)?.length]).toEqual([1, 4]);
  });

  it('are not taken for those of other weights', async () => {
    await saveNetwork('other.safetensors', { seed: 4 });
    const { code, out } = await run('verify', 'saved', '--weights', 'other.safetensors');
    expect(out.join('\n')).toMatch(/run\.json attacked weights [0-9a-f]{12}…; other\.safetensors has [0-9a-f]{12}…/);
    expect(code).toBe(1);
    expect(await run('verify', 'saved', '--weights', checkpointPath('mnist', ARCH, 'standard'))).toMatchObject({
      code: 0,
    });
  });

  it.each([
    ['verify', 2, /name one folder/],
    ['verify nowhere', 1, /cannot read nowhere.run\.json/],
    ['verify saved more', 2, /name one folder/],
    ['verify saved --batch 0', 2, /--batch/],
    ['experiment --save-rounding inward', 2, /add --save-images fooled or all/],
    ['experiment --save-images some', 2, /one of none, fooled, all/],
  ])('%s: exit code %i', async (words, expected, message) => {
    const { code, err } = await run(...words.split(' '));
    expect(err.join('\n')).toMatch(message);
    expect(code).toBe(expected);
  });

  it('of a run that saved none are not looked for', async () => {
    const folder = await copy('none', ({ saved: _, ...rest }) => rest);
    expect((await run('verify', folder)).err.join()).toMatch(/holds no saved images: .*--save-images/);
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'images/a/../b/c', 'images/a/b/c/.hidden'])(
    'are never looked for at %s, outside of the run',
    async (file) => {
      const folder = await copy(`outside-${file.length}`, (given) => ({
        ...given,
        saved: given.saved?.map((one) => ({ ...one, file })),
      }));
      const { code, err } = await run('verify', folder);
      expect(err.join()).toMatch(/saved\.0\.file: a path such as/);
      expect(code).toBe(1);
    },
  );

  it('of a network in a file are checked only with the file that the user names: it is code', async () => {
    const rename = (name: string) => (given: Run) => ({
      ...given,
      config: { ...given.config, arch: [name] },
      saved: given.saved?.map((one) => ({ ...one, arch: name })),
    });
    const folder = await copy('owned', rename('evil.ts'));
    await writeFile('evil.ts', "throw new Error('executed');\n");
    const { code, err } = await run('verify', folder);
    expect(err.join()).toMatch(/evil\.ts is a network of its owner's: name its module or folder by --arch/);
    expect(code).toBe(2);
  });
});
