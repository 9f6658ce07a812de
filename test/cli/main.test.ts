import { readFileSync, truncateSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BACKENDS } from '../../src/backends/names.ts';
import { checkpointPath } from '../../src/cli/checkpoints.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { LAWS } from '../../src/laws/verdict.ts';
import { picture, put } from '../data/pictures.ts';
import { ARCH, listen, makeWorkplace, NETWORK, SMALL, saveNetwork, type Workplace } from './workplace.ts';

let work: Workplace;
const before = process.cwd();
beforeAll(async () => {
  work = await makeWorkplace();
  process.chdir(work.folder);
});
afterAll(async () => {
  process.chdir(before);
  await work.remove();
});

async function run(...words: string[]) {
  const heard = listen();
  return { code: await main(words, heard.terminal), ...heard };
}

const experiment = (...words: string[]) => run('experiment', ...NETWORK, ...SMALL, ...words);
const runFile = (folder: string) => parseRun(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), folder);

describe('an experiment', () => {
  it('writes run.json, report.html, CSV tables and the journal, and prints the table alone', async () => {
    const { code, out, err } = await experiment('--out', 'first', '--seed', '3', '--pgd.steps', '2', '--quiet');
    expect(err).toEqual([`wrote ${join('first', 'report.html')}`]);
    expect(code).toBe(0);
    expect((await readdir('first')).sort()).toEqual([
      'confusions.csv',
      'journal.ndjson',
      'perturbations.csv',
      'report.html',
      'run.json',
      'table.csv',
      'traces.csv',
    ]);
    expect(out.join('\n')).toContain('clean');
    const { cells, provenance, command, config } = runFile('first');
    expect(new Set(cells.map(({ attack }) => attack))).toEqual(new Set(['fgsm', 'pgd', 'noise']));
    expect(new Set(cells.map(({ epsilon }) => epsilon))).toEqual(new Set([0, 8 / 255, 0.3]));
    expect(cells.find(({ attack }) => attack === 'pgd')?.params).toMatchObject({ steps: 2 });
    expect(provenance.seed).toBe(3);
    expect(command).toContain('--pgd.steps 2');
    expect(config).toMatchObject({ images: 12, 'pgd.steps': 2 });
  });

  it('says of its networks what they cost, and what is published of their full-size form', () => {
    const { architectures, performance } = runFile('first');
    const [known] = architectures;
    expect(known?.published).toEqual({ top1: 0.6902, top5: 0.88628, source: 'torchvision, IMAGENET1K_V1' });
    // A 3x3 kernel from c to d channels, once at each place of a map that halves after each of the five stages.
    const work = [1, 2, 4, 4, 8, 8, 8, 8].map((d, i, all) => 9 * (all[i - 1] ?? 1) * d);
    const sides = [32, 16, 8, 8, 4, 4, 2, 2];
    const convolutions = work.reduce((sum, weights, i) => sum + weights * (sides[i] ?? 0) ** 2, 0);
    expect(known?.multiplyAdds).toBe(convolutions + 8 * 10);
    expect(known?.form).toEqual({ variant: 'small', width: 1 / 64 });
    expect(performance).toEqual([
      {
        ...{ contender: 'vgg11/standard', forwardPerSecond: expect.any(Number) },
        ...{ gradientsPerSecond: expect.any(Number), peakMemory: expect.any(Number) },
      },
    ]);
  });

  it('gives the same numbers from the config that its run.json states, whatever the batch', async () => {
    const first = runFile('first');
    await writeFile('again.json', JSON.stringify(first.config));
    const { code, out } = await run('experiment', '--config', 'again.json', '--batch', '5', '--out', 'again', '--json');
    expect(code).toBe(0);
    const withoutTime = (cells: typeof first.cells) => cells.map(({ seconds: _, ...cell }) => cell);
    expect(withoutTime(parseRun(JSON.parse(out.join('\n')), 'stdout').cells)).toEqual(withoutTime(first.cells));
  });

  it('under reports/ is listed in the index', async () => {
    const { code } = await experiment('--attack', 'fgsm', '--quiet');
    expect(code).toBe(0);
    const [index, ...runs] = (await readdir('reports')).sort().reverse();
    expect(index).toBe('index.html');
    expect(runs).toHaveLength(1);
    expect(readFileSync(join('reports', 'index.html'), 'utf8')).toContain(runs[0]);
  });

  it('exits 1 when less than what --fail-under asks is left, after all is written', async () => {
    const { code, err } = await experiment('--attack', 'noise', '--out', 'gate', '--fail-under', 'noise@0.3=1');
    expect(err.at(-1)).toMatch(/^--fail-under: vgg11 \(standard\) keeps .* under noise at 0\.3; 1 is required$/);
    expect(code).toBe(1);
    expect(await readdir('gate')).toContain('report.html');
  });

  it('compares checkpoints of one recipe, told apart by their files', async () => {
    const [one, two] = [join('nets', 'one.safetensors'), join('nets', 'two.safetensors')];
    await saveNetwork(one);
    await saveNetwork(two, { seed: 1 });
    const weights = ['--weights', `${one},${two},${join(work.folder, one)}`];
    const { code } = await run('experiment', ...weights, ...SMALL, '--attack', 'noise', '--out', 'both');
    expect(code).toBe(0);
    const { provenance, config } = runFile('both');
    const [first, second, ...none] = Object.entries(provenance.weights);
    expect([first?.[0], second?.[0], none]).toEqual(['vgg11/standard/one', 'vgg11/standard/two', []]);
    expect(first?.[1]).not.toBe(second?.[1]);
    // What chose nothing is no part of what would give the run again.
    expect(Object.keys(config)).toContain('weights');
    expect(Object.keys(config)).not.toContain('arch');
  });

  it('whose networks cannot be told apart is refused before anything is written', async () => {
    const [one, two, odd] = ['one', 'two', 'odd'].map((name) => join('nets', `${name}.safetensors`));
    await saveNetwork(odd as string, { training: 'standard/one' });
    const { code, err } = await run('experiment', '--weights', `${one},${two},${odd}`, ...SMALL, '--out', 'twins');
    expect([code, err]).toEqual([2, [expect.stringContaining('network vgg11/standard/one is given twice')]]);
    expect(await readdir('.')).not.toContain('twins');
  });

  it('run dry says how much there is to do, and does nothing', async () => {
    const { code, out } = await experiment('--attack', 'pgd', '--restarts', '2', '--dry-run', '--out', 'dry');
    expect(code).toBe(0);
    // 12 images, one try at radius 0 and two at each of the others; one step at radius 0, forty elsewhere.
    expect(out.join('\n')).toMatch(/pgd\s+60\s+1,932\s+60\n/);
    expect(await readdir('.')).not.toContain('dry');
  });

  it('of photographs by a network of digits says what that network sees', async () => {
    await put('photo.png', picture(40, 30));
    const own = join('checkpoints', 'mnist', 'vgg11-standard.safetensors');
    const { code, err } = await run('experiment', '--images', 'photo.png', '--weights', own, '--dry-run');
    expect(code).toBe(0);
    expect(err).toEqual([`${own}: was trained on mnist, and sees photographs as 28x28 grey images`]);
    expect((await experiment('--dry-run')).err).toEqual([]);
  });

  it('in another norm makes the usual attacks that know it, and states them', async () => {
    const { code } = await run(
      'experiment',
      ...NETWORK,
      '--images',
      '2',
      '--epsilon',
      '1',
      '--norm',
      'l1',
      '--out',
      'l1',
    );
    expect(code).toBe(0);
    expect(runFile('l1').config.attack).toEqual(['fgsm', 'pgd']);
  });

  it('without a word on what to measure reads the six architectures, however they are to be measured', async () => {
    const { code, out, err } = await run('experiment', '--seed', '3', '--dry-run', '--json');
    expect([code, err]).toEqual([0, [expect.stringMatching(/^measuring what .*six-architectures\.json says/)]]);
    const { images, attacks } = JSON.parse(out.join('\n'));
    expect(images).toBe(200);
    expect(attacks.map(({ attack }: { attack: string }) => attack)).toEqual(['fgsm', 'pgd', 'noise']);
    expect((await experiment('--dry-run')).err).toEqual([]);
  });

  it('refuses an impossible number of threads before any work', async () => {
    vi.stubEnv('GIBBON_THREADS', 'many');
    const { code, err } = await experiment('--dry-run');
    vi.unstubAllEnvs();
    expect([code, err]).toEqual([2, ['gibbon: GIBBON_THREADS=many: a whole number of threads, at least 1']]);
  });

  it('run dry says the same as JSON', async () => {
    const { code, out } = await experiment('--attack', 'pgd', '--restarts', '2', '--dry-run', '--json');
    expect(code).toBe(0);
    const { attacks, images } = JSON.parse(out.join('\n'));
    expect([images, attacks[0]]).toEqual([
      12,
      { attack: 'pgd', forwards: 60, items: 60, gradients: 1932, seconds: expect.any(Number) },
    ]);
  });

  it('takes the number of a class from a config file', async () => {
    await writeFile('three.json', '{ "target": 3 }');
    const { code, err } = await experiment('--config', 'three.json', '--dry-run');
    expect([code, err]).toEqual([0, []]);
  });

  it('has its report rebuilt by the report command, byte for byte', async () => {
    const page = join('first', 'report.html');
    const written = readFileSync(page, 'utf8');
    await writeFile(page, '');
    const { code, err } = await run('report', join('first', 'run.json'));
    expect([code, err]).toEqual([0, [`wrote ${page}`]]);
    expect(readFileSync(page, 'utf8')).toBe(written);
  });
});

/** A wrong command line, the exit code, and what is said about it. */
const WRONG: readonly (readonly [words: string, code: number, said: RegExp])[] = [
  ['--attack fsgm', 2, /unknown attack "fsgm"\. Did you mean "fgsm"\?/],
  ['--attack nowhere/mine.ts', 2, /nowhere\/mine\.ts: no such file/],
  ['--arch vgg61', 2, /unknown architecture "vgg61"\. Did you mean/],
  ['--arch mine.ts', 2, /--arch mine\.ts: no such file or folder/],
  ['--dataset minst', 2, /unknown dataset "minst"\. Did you mean "mnist"\?/],
  ['--atack fgsm', 2, /unknown flag --atack\. Did you mean --attack\?/],
  ['--pgd.stpes 4', 2, /Did you mean --pgd\.steps\?/],
  ['--pgd.steps many', 2, /--pgd\.steps is "many"; it must be a whole number/],
  ['--epsilon 8', 2, /did you mean 8\/255\?/],
  ['--epsilon 0.1,x', 2, /each a number/],
  ['--images 0', 2, /--images is "0"; it must be a whole number, at least 1/],
  ['--images 10001', 2, /the test split of mnist has 10000/],
  ['--seed -1', 2, /--seed is "-1"/],
  ['--norm l1 --attack bim', 2, /bim does not attack in L1/],
  ['--target 10', 2, /numbered from 0 to 9/],
  [
    '--training adversarial',
    1,
    /no checkpoint .*vgg11-adversarial\.safetensors: gibbon train --arch vgg11 --training adv/,
  ],
  ['--training standrd', 2, /unknown training "standrd"\. Did you mean "standard"\?/],
  ['--weights nets', 2, /--weights nets is a folder/],
  ['--norm l2 --epsilon 8000', 2, /--epsilon 8000: no two images/],
  ['--weights nowhere.safetensors', 2, /no such file/],
  ['--weights other.safetensors --training adversarial', 2, /--training adversarial is given, and other\.safetensors/],
  ['--weights other.safetensors --arch vgg11,vgg16', 2, /--arch vgg16 is given, and no file of --weights holds one/],
  ['--weights other.safetensors --arch vgg13', 2, /--arch vgg13 is given, and other\.safetensors holds a vgg11/],
  ['--images a.jpg --dataset mnist', 2, /--images names photographs, so --dataset has no say/],
  ['--images 2O --weights imagenet', 2, /--images 2O: no such photograph, and no whole number either/],
  ['--weights nowhere.pth', 2, /--weights nowhere\.pth: no such file here or in /],
  ['--training renamed', 1, /vgg11-renamed\.safetensors was trained as standard, not renamed as its name promises/],
  ['--weights foreign.safetensors', 1, /foreign\.safetensors was trained on letters, and --dataset is mnist/],
  ['--weights imagenet', 2, /see photographs, and --dataset is mnist/],
  ['--weights short.safetensors', 1, /short\.safetensors is not a whole safetensors file/],
  ['--weights corrupt.safetensors', 1, /corrupt\.safetensors is damaged/],
  ['--out full', 2, /is not empty/],
  ['--out full/file', 2, /not a folder/],
  ['--out /proc/gibbon/run', 1, /^gibbon: cannot write \/proc\/gibbon\/run/],
  ['--resume', 2, /--resume needs --out/],
  ['--resume --out new', 2, /no journal\.ndjson to resume/],
  ['--fail-under pgd@0.3=50', 2, /ATTACK@EPSILON=ACCURACY/],
  ['--fail-under pgd@0.7=0.5', 2, /epsilon 0\.7, which is not measured/],
  ['--config nowhere.json', 2, /cannot read --config nowhere\.json/],
  ['--config typo.json', 2, /unknown key "atack" in typo\.json\. Did you mean "attack"\?/],
  ['--json=7', 2, /--json is "7"; it must be true or false/],
  ['stray', 2, /unexpected word "stray": photographs follow --images, commas separate/],
];

describe('a wrong command line', () => {
  beforeAll(async () => {
    const whole = checkpointPath('mnist', ARCH, 'standard');
    await copyFile(whole, 'other.safetensors');
    await copyFile(whole, checkpointPath('mnist', ARCH, 'renamed'));
    await saveNetwork('foreign.safetensors', { dataset: 'letters' });
    await copyFile(whole, 'short.safetensors');
    truncateSync('short.safetensors', 500);
    const bytes = readFileSync(whole);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
    await writeFile('corrupt.safetensors', bytes);
    await writeFile('typo.json', '{ "atack": "fgsm" }');
    await mkdir('full');
    await writeFile(join('full', 'file'), '');
  });

  it.each(WRONG)('%s: one clear line, exit code %i, nothing written', async (words, code, said) => {
    const tree = () => readdir('.', { recursive: true });
    const there = await tree();
    const own = NETWORK.filter((_, i) => !words.includes(NETWORK[i - (i % 2)] as string));
    const heard = await run('experiment', ...own, ...words.split(' '));
    expect(heard.err).toHaveLength(1);
    expect(heard.err[0]).toMatch(said);
    expect(heard.err[0]).not.toContain('\n');
    expect(heard.code).toBe(code);
    expect(heard.out).toEqual([]);
    expect(await tree()).toEqual(there);
  });
});

describe('an interrupted experiment', () => {
  it('without a word on its command line says how to go on: npm hands on what stands after --', async () => {
    const event = process.env.npm_lifecycle_event;
    process.env.npm_lifecycle_event = 'experiment';
    try {
      let isOver = false;
      const interrupted = run('experiment').finally(() => {
        isOver = true;
      });
      while (process.listenerCount('SIGINT') === 0 && !isOver) await setTimeout(5);
      process.emit('SIGINT');
      const { code, err } = await interrupted;
      expect(code).toBe(130);
      expect(err.at(-1)).toMatch(/Go on with: npm run experiment -- --out reports\S+ --resume$/);
    } finally {
      if (event === undefined) delete process.env.npm_lifecycle_event;
      else process.env.npm_lifecycle_event = event;
    }
  });
});

describe('the other commands', () => {
  it('are proposed to those who mistype them', async () => {
    const { code, err } = await run('trian');
    expect([code, err[0]]).toEqual([2, expect.stringContaining('Did you mean "train"?')]);
  });

  it('answer --help with every flag, those of attacks included', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const flag of ['--epsilon', '--fail-under', '--dry-run', '--pgd.steps', 'gibbon doctor']) {
      expect(out.join('\n')).toContain(flag);
    }
  });

  it('list what the registries hold, as JSON too', async () => {
    const { out } = await run('list', '--json');
    const known = JSON.parse(out.join('\n'));
    expect(known.attacks.map(({ name }: { name: string }) => name)).toContain('pgd');
    expect(known.checkpoints).toContainEqual(expect.objectContaining({ architecture: ARCH, training: 'standard' }));
  });

  it('check-attack names the law that a user’s attack breaks, and the smallest case', async () => {
    await writeFile(
      'leaky.ts',
      `import { defineAttack } from 'gibbon';
       export default defineAttack({
         name: 'leaky', title: 'Leaky', paper: 'https://example.org/leaky', norms: ['Linf'], access: 'gradient', params: {},
         steps: () => 3,
         init: (x) => ({ x }),
         step: ({ x }, { ball, epsilon, gradient }) => ({
           x: x.add(ball.steepest(gradient(x)).mul(epsilon)).clipByValue(0, 1),
         }),
       });`,
    );
    const { code, out } = await run('check-attack', 'leaky.ts');
    expect(code).toBe(1);
    const lines = out.join('\n').split('\n');
    expect(lines.filter((line) => line.includes('BROKEN'))).toEqual([
      expect.stringMatching(/stays in the ball \(Linf\): after step 2 the distance .*; use ball\.project$/),
    ]);
    expect(out.join('\n')).toContain(
      'smallest case found: image 0 alone, a classifier that is smooth, radius 0.003 in Linf',
    );
    expect(lines.at(-1)).toBe(`1 of ${LAWS} laws is broken`);
  }, 60_000);

  it('check-attack says once that an attack sees more than it declares, not once for every law', async () => {
    await writeFile(
      'peeker.ts',
      `import { defineAttack } from 'gibbon';
       export default defineAttack({
         name: 'peeker', title: 'Peeker', paper: 'https://example.org/peeker', norms: ['Linf'], access: 'score', params: {},
         steps: () => 1,
         init: (x) => ({ x }),
         step: ({ x }, { ball, gradient }) => ({ x: ball.project(x.add(gradient(x))) }),
       });`,
    );
    const { code, out } = await run('check-attack', 'peeker.ts');
    expect(code).toBe(1);
    const lines = out.join('\n').split('\n');
    expect(lines.filter((line) => line.includes('BROKEN'))).toEqual([
      expect.stringMatching(/asks for a gradient and declares access: 'score'; declare access: 'gradient'$/),
    ]);
    expect(lines.at(-1)).toBe(`1 of ${LAWS} laws is broken; mend it first: the laws after it cannot be tried`);
  }, 60_000);

  it('check-attack wants one file of one attack', async () => {
    expect(await run('check-attack')).toMatchObject({ code: 2, err: [expect.stringContaining('give one file')] });
    expect(await run('check-attack', 'not-there.ts')).toMatchObject({
      code: 2,
      err: [expect.stringContaining('not-there.ts')],
    });
  });

  it('doctor tries every backend, and finds that compiled code agrees with the reference', async () => {
    vi.stubEnv('GIBBON_HOME', join(work.folder, 'home'));
    try {
      const { out } = await run('doctor', '--json');
      const findings: Finding[] = JSON.parse(out.join('\n'));
      const found = (backend: string) => findings.find(({ name }) => name === `backend ${backend}`);
      expect(found('onnx-cpu')).toMatchObject({ well: true, verdict: { difference: expect.any(Number) } });
      for (const name of BACKENDS) expect(found(name), name).toBeDefined();
      expect(await readdir(join(work.folder, 'home'))).toEqual(['backends.json']);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('report refuses what is no run', async () => {
    await writeFile('run.json', '{"schema":"other"}');
    expect(await run('report', '.')).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/run\.json is not a gibbon/)],
    });
    expect(await run('report')).toMatchObject({ code: 2, err: [expect.stringContaining('name the folders')] });
  });

  it('train refuses a training that nobody knows and parameters that take no part', async () => {
    expect((await run('train', '--training', 'magic')).err[0]).toMatch(/unknown training "magic"/);
    expect((await run('train', '--pgd-training.steps', '3')).err[0]).toMatch(/pgd-training takes no part/);
  });
});
