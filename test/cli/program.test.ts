import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { parseRun } from '../../src/core/run.ts';
import { makeWorkplace, NETWORK, SMALL, type Workplace } from './workplace.ts';

const PROGRAM = join(PACKAGE_ROOT, 'bin', 'gibbon.js');

let work: Workplace;
beforeAll(async () => {
  work = await makeWorkplace();
});
afterAll(() => work.remove());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(words: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...words], { cwd: work.folder });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { child, ended };
}

/** Runs bin/gibbon.js in the workplace. */
const gibbon = (words: readonly string[]): Promise<Ended> => start(words).ended;

const experiment = (...words: string[]) => gibbon(['experiment', ...NETWORK, ...SMALL, ...words]);

const ATTACK = `import { defineAttack, p } from 'gibbon';
import { half } from './half';

const name: string = 'dim';
export default defineAttack({
  name,
  title: 'Turn the lights down',
  paper: 'https://example.org/dim',
  norms: ['Linf'],
  access: 'none',
  params: { share: p.number(half(2), 'share of the radius', { min: 0, max: 1 }) },
  steps: () => 1,
  init: (x) => ({ x }),
  step: ({ x }, { ball, epsilon, params }) => ({ x: ball.project(x.sub(epsilon.mul(params.share))) }),
});
`;

describe('an attack in a file of the user, in a folder that is no package', () => {
  beforeAll(async () => {
    await mkdir(join(work.folder, 'mine'));
    await writeFile(join(work.folder, 'mine', 'half.ts'), 'export const half = (x: number): number => x / 2;\n');
    await writeFile(join(work.folder, 'mine', 'dim.ts'), ATTACK);
    await writeFile(join(work.folder, 'mine', 'broken.ts'), ATTACK.replace('name,', 'name:,'));
    await writeFile(join(work.folder, 'mine', 'pgd.ts'), ATTACK.replace("'dim'", "'pgd'"));
  });

  it('runs by its path, with its flags, and shares the program it is made for', async () => {
    const { code, out, err } = await experiment('--attack', 'mine/dim.ts', '--dim.share', '1/2', '--json');
    // On a slow machine progress is told before.
    expect(err).toMatch(/^wrote reports\/\S+-dim-vgg11\/report\.html\nnext: gibbon experiment .* --attack pgd\n$/m);
    expect(code).toBe(0);
    const cells = parseRun(JSON.parse(out), 'stdout').cells.filter(({ attack }) => attack === 'dim');
    expect(cells.map(({ params }) => params)).toEqual([{ share: 0.5 }, { share: 0.5 }, { share: 0.5 }]);
  });

  it('with a mistake in it is one line that says where', async () => {
    const { code, err } = await experiment('--attack', 'mine/broken.ts');
    expect(err).toMatch(/^gibbon: mine\/broken\.ts cannot be loaded: line 6, column \d+: .*\n$/);
    expect(code).toBe(1);
  });

  it('may not take the name of another', async () => {
    const { code, err } = await experiment('--attack', 'mine/pgd.ts');
    expect([code, err]).toEqual([2, expect.stringContaining('there is an attack named pgd already')]);
  });
});

describe('Ctrl-C', () => {
  const words = [
    'experiment',
    ...NETWORK,
    '--images',
    '200',
    '--attack',
    'pgd',
    '--pgd.steps',
    '100',
    '--out',
    'stopped',
  ];
  const journal = () => join(work.folder, 'stopped', 'journal.ndjson');
  const lines = () => (existsSync(journal()) ? readFileSync(journal(), 'utf8').split('\n').length - 1 : 0);

  it('finishes the batch, says how to go on, and ends with 130', async () => {
    const { child, ended } = start(words);
    // The journal's second line is the clean pass: the attacks are still to come.
    while (lines() < 2 && child.exitCode === null) await setTimeout(20);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect(err).toMatch(/Ctrl-C again ends at once\n/);
    expect(err).toMatch(/interrupted\. Go on with: gibbon experiment .* --out stopped --resume\n$/);
    expect([code, out]).toEqual([130, '']);
    expect(await readdir(join(work.folder, 'stopped'))).toEqual(['journal.ndjson']);
  });

  it.skipIf(process.platform === 'win32')('before there is anything to leave says that it was heard', async () => {
    const pipe = join(work.folder, 'config.json');
    spawnSync('mkfifo', [pipe]);
    const { child, ended } = start(['train', '--config', pipe]);
    // Can be opened once the program reads it, and keeps it waiting.
    const writer = await open(pipe, 'w');
    const heard = once(child.stderr, 'data');
    child.kill('SIGINT');
    await heard;
    await writer.close();
    const { code, err } = await ended;
    expect([code, err]).toEqual([130, 'gibbon: interrupted\n']);
  });

  it('leaves a run that can be gone on with to the end', async () => {
    const { code } = await gibbon([...words, '--resume', '--quiet']);
    expect(code).toBe(0);
    const run = parseRun(JSON.parse(readFileSync(join(work.folder, 'stopped', 'run.json'), 'utf8')), 'run.json');
    expect(run.command).toBe(`gibbon ${words.join(' ')}`);
    expect((await readdir(join(work.folder, 'stopped'))).sort()).toEqual([
      'confusions.csv',
      'journal.ndjson',
      'perturbations.csv',
      'report.html',
      'run.json',
      'table.csv',
      'traces.csv',
    ]);
  });
});

describe('a stream that takes no more', () => {
  const shell = (command: string) =>
    spawnSync('bash', ['-c', command], {
      cwd: work.folder,
      encoding: 'utf8',
      env: { ...process.env, GIBBON: PROGRAM },
    });

  it.skipIf(!existsSync('/dev/full'))('is one line and exit code 1 where data is lost', () => {
    const { status, stderr } = shell('node "$GIBBON" --version > /dev/full');
    expect([status, stderr]).toEqual([1, 'gibbon: cannot write to stdout: no space left on device\n']);
  });

  it('is quiet where the reader has enough, and the exit code is the command’s own', () => {
    const { stdout, stderr } = shell('{ node "$GIBBON" --atack 2>&1 >/dev/null; echo $? >&2; } | true');
    expect([stdout, stderr]).toEqual(['', '2\n']);
  });
});

it('a script of the package means paths as its caller does', async () => {
  const env = { ...process.env, INIT_CWD: work.folder, npm_package_json: join(PACKAGE_ROOT, 'package.json') };
  const words = ['experiment', ...NETWORK, ...SMALL, '--attack', 'noise', '--quiet', '--out', 'from-npm'];
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    cwd: PACKAGE_ROOT,
    encoding: 'utf8',
    env,
  });
  expect(stderr).toMatch(/^wrote from-npm\/report\.html\n/);
  expect(status).toBe(0);
  expect(existsSync(join(work.folder, 'from-npm', 'run.json'))).toBe(true);
});
