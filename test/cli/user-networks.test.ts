import { spawnSync } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isUserNetwork, openUserContender, userNetworkFiles } from '../../src/cli/experiment/user-contenders.ts';
import { main } from '../../src/cli/main.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { parseRun } from '../../src/core/run.ts';
import { tf } from '../../src/tf.ts';
import { FLOAT, placeholder, saveGraph, saveLayers, wave } from '../weights/tfjs-folder.ts';
import { ARCH, listen, makeWorkplace, NETWORK, SMALL, type Workplace } from './workplace.ts';

const EXAMPLE = join(PACKAGE_ROOT, 'examples', 'bring-your-own');

let work: Workplace;
const before = process.cwd();
beforeAll(async () => {
  void tf.setBackend('cpu');
  work = await makeWorkplace();
  process.chdir(work.folder);
  await cp(EXAMPLE, join(work.folder, 'mine'), { recursive: true });
  const layers = [
    tf.layers.conv2d({ filters: 4, kernelSize: 5, strides: 3, activation: 'relu', inputShape: [28, 28, 1] }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ];
  await saveLayers(join(work.folder, 'keras'), tf.sequential({ layers }));
  const linear = (first: object) => ({
    image: placeholder([-1, 28, 28, 1]),
    row: { op: 'Reshape', input: ['image', 'shape'], attr: FLOAT },
    ...first,
    logits: { op: 'MatMul', input: ['changed', 'w'], attr: FLOAT },
  });
  const constants = {
    shape: { shape: [2], data: Int32Array.of(-1, 784) },
    size: { shape: [2], data: Int32Array.of(2, 784) },
    w: { shape: [784, 10], data: wave(7840) },
  };
  const { size, ...others } = constants;
  await saveGraph(join(work.folder, 'graph'), linear({ changed: { op: 'FFT', input: ['row'], attr: FLOAT } }), others);
  const random = {
    drawn: { op: 'RandomUniform', input: ['size'], attr: { dtype: { type: 'DT_FLOAT' } } },
    changed: { op: 'AddV2', input: ['row', 'drawn'], attr: FLOAT },
  };
  await saveGraph(join(work.folder, 'random'), linear(random), { ...others, size });
  await writeFile(join(work.folder, 'random', 'gibbon.json'), '{"classes":10}');
  await writeFile(join(work.folder, 'graph', 'gibbon.json'), '{"classes":10}');
  await writeFile(join(work.folder, 'broken.mjs'), 'export default { build: 1 };\n');
});
afterAll(async () => {
  process.chdir(before);
  await work.remove();
});

const WORDS = ['experiment', '--attack', 'fgsm', ...SMALL];

describe('networks of the user', () => {
  it('are measured beside ours: a module with weights from PyTorch, a folder with nothing but its path', () => {
    const program = join(PACKAGE_ROOT, 'bin', 'gibbon.js');
    const words = ['--arch', 'mine/lenet.ts,keras', '--weights', 'mine/lenet.pth', ...NETWORK, '--json'];
    // As a program of its own: within a test, files are not loaded as Node.js loads them.
    const ended = spawnSync(process.execPath, [program, ...WORDS, ...words], { cwd: work.folder, encoding: 'utf8' });
    expect(ended.stderr).toMatch(/^keras: the softmax at its end is taken off.*\nwrote /);
    expect(ended.status).toBe(0);
    const { cells, architectures, provenance } = parseRun(JSON.parse(ended.stdout), 'stdout');
    expect(architectures).toEqual([
      expect.objectContaining({ name: 'lenet', title: 'LeNet-5', year: 1998, parameters: 61_706 }),
      { name: 'keras', title: 'keras', idea: 'Given as keras', parameters: 2674 },
      expect.objectContaining({ name: ARCH, title: 'VGG-11', year: 2014 }),
    ]);
    expect(Object.keys(provenance.weights)).toEqual(['lenet/standard', 'keras/given', `${ARCH}/standard`]);
    const lenet = cells.filter(({ arch, attack }) => arch === 'lenet' && attack === 'fgsm');
    expect(lenet.map(({ epsilon, cleanAccuracy }) => [epsilon, cleanAccuracy])).toEqual([
      [0, 1],
      [8 / 255, 1],
      [0.3, 1],
    ]);
    expect(lenet.at(-1)?.robustAccuracy).toBeLessThan(0.5);
  });

  it.each([
    [['--arch', 'nowhere.ts'], 2, /^gibbon: --arch nowhere\.ts: no such file or folder$/],
    [
      ['--arch', 'mine'],
      2,
      /^gibbon: --arch mine: neither a TypeScript or JavaScript module nor a folder with a model\.json$/,
    ],
    [
      ['--arch', 'mine/lenet.ts', '--weights', 'nowhere.pth'],
      2,
      /^gibbon: --weights nowhere\.pth: no such file here or in .*$/,
    ],
    [['--arch', 'mine/lenet.ts', '--weights', 'imagenet'], 2, /^gibbon: --weights imagenet are .* a file or a URL$/],
    [['--arch', 'mine/lenet.ts', '--weights', 'mine/lenet.ts'], 1, /^gibbon: mine\/lenet\.ts .*$/],
    [['--arch', 'broken.mjs'], 1, /^gibbon: broken\.mjs does not describe a network: \S+: .*$/],
    [['--arch', 'graph'], 1, /^gibbon: graph cannot run: .*$/],
    [['--arch', 'random'], 1, /^gibbon: random cannot be attacked: random numbers were drawn while compiling/],
    [['--arch', 'keras,./keras'], 2, /^gibbon: keras: two networks are called keras; give one of them another name$/],
  ])('given by %j end with %i and one line', async (words, code, says) => {
    const { terminal, out, err } = listen();
    expect(await main([...WORDS, ...words], terminal)).toBe(code);
    expect([out, err]).toEqual([[], [expect.stringMatching(says)]]);
  });
});

it('a module takes its weights from a URL too', async () => {
  vi.stubEnv('GIBBON_HOME', join(work.folder, 'home'));
  const bytes = await readFile(join(work.folder, 'mine', 'lenet.pth'));
  const open = (weights: string, fetch = async (): Promise<Response> => new Response(bytes)) =>
    openUserContender({ kind: 'module', path: join('mine', 'lenet.ts'), weights }, { fetch });
  const [fetched, local] = [await open('https://example.org/net.pth'), await open(join('mine', 'lenet.pth'))];
  expect(fetched.contender.sha256).toBe(local.contender.sha256);
  vi.unstubAllEnvs();
});

describe('the words of --arch', () => {
  it('mean files where they look like files, and architectures where they are known by that name', () => {
    const isOwn = (word: string): boolean => isUserNetwork(word, ['vgg16', 'src']);
    expect(['net.ts', 'a/b', 'model.json', 'keras'].map(isOwn)).toEqual([true, true, true, true]);
    expect(['vgg16', 'src', 'all', 'vgg17'].map(isOwn)).toEqual([false, false, false, false]);
  });

  it('get one file of weights for each module, in their order, and folders none', () => {
    const [module, folder] = [join(work.folder, 'mine', 'lenet.ts'), join(work.folder, 'keras')];
    const [first, second] = [join(work.folder, 'mine', 'lenet.pth'), join(work.folder, 'broken.mjs')];
    expect(userNetworkFiles([folder, second, module], [first, second])).toEqual([
      { kind: 'folder', path: folder },
      { kind: 'module', path: second, weights: first },
      { kind: 'module', path: module, weights: second },
    ]);
    expect(userNetworkFiles([join(folder, 'model.json')], null)).toEqual([{ kind: 'folder', path: folder }]);
    expect(() => userNetworkFiles([module], [first, second])).toThrow(/names 2 files for 1 modules/);
    expect(() => userNetworkFiles([folder], [first])).toThrow(/has its weights in its folder; leave --weights out/);
  });
});
