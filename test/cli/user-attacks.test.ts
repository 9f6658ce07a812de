/** Attacks of the user's own that go wrong: one line that names the file, and nothing left behind. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { listen, makeWorkplace, NETWORK, SMALL, type Workplace } from './workplace.ts';

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

const source = (name: string, init: string, step: string): string => `
import { tf } from 'gibbon';
export default {
  name: '${name}', title: 'Mine', paper: 'https://example.org/mine', norms: ['Linf'], access: 'none', params: {},
  steps: () => 1,
  init: (x, context) => ${init},
  step: (state, context) => ${step},
};
`;

async function attackBy(name: string, init: string, step = 'state', ...words: string[]) {
  await writeFile(`${name}.ts`, source(name, init, step));
  const heard = listen();
  const code = await main(['experiment', ...NETWORK, ...SMALL, '--attack', `${name}.ts`, ...words], heard.terminal);
  return { code, ...heard };
}

describe('an attack of the user that fails', () => {
  it('before any result leaves no folder, so that the same command can be tried again', async () => {
    const { code, err } = await attackBy('thrower', "{ throw new Error('no luck') }", 'state', '--out', 'tried');
    expect([code, err]).toEqual([1, [expect.stringContaining('no luck')]]);
    expect(existsSync('tried')).toBe(false);
    await attackBy('thrower', "{ throw new Error('no luck') }");
    expect(await readdir('.')).not.toContain('reports');
  });

  const faults: readonly [string, init: string, step: string, RegExp][] = [
    [
      'drawing',
      '({ x })',
      '({ x: state.x.add(tf.randomNormal(state.x.shape)) })',
      /cannot be compiled: random .*Take them from context\.noise$/,
    ],
    [
      'peeking',
      '({ x })',
      '{ state.x.dataSync(); return state; }',
      /cannot be compiled: a tensor's values were read .*tf\.where/,
    ],
    [
      'shrinking',
      '({ x, best: x.sum().reshape([1]) })',
      'state',
      /attack shrinking: init returns a state whose best has the shape \[1\]/,
    ],
  ];
  it.each(faults)('by %s is told of in one line that names the file', async (name, init, step, says) => {
    const { code, err } = await attackBy(name, init, step, '--backend', 'onnx-cpu', '--out', 'tried');
    expect([code, err]).toEqual([1, [expect.stringMatching(says)]]);
    expect(err[0]).toContain(`${name}.ts`);
    expect(err[0]).not.toContain('\n');
    expect(existsSync('tried')).toBe(false);
  });
});

it('an attack of the user is told from others of its name by the hash of its file', async () => {
  const { code } = await attackBy('known', '({ x })', 'state', '--out', 'kept', '--sanity', '0', '--backend', 'cpu');
  expect(code).toBe(0);
  const { attacks } = parseRun(JSON.parse(readFileSync('kept/run.json', 'utf8')), 'kept');
  const sha256 = createHash('sha256').update(readFileSync('known.ts')).digest('hex');
  expect(attacks.map((attack) => [attack.name, attack.sha256])).toEqual([
    ['known', sha256],
    ['noise', undefined],
  ]);
});

it('an attack of the user has its parameters in the help', async () => {
  const given = "params: { share: { default: 0.5, label: 'of the radius', accepts: 'a number', parse: Number } }";
  await writeFile('ok.ts', source('ok', '({ x })', 'state').replace('params: {}', given));
  const heard = listen();
  expect(await main(['--attack', 'ok.ts', '--help'], heard.terminal)).toBe(0);
  expect(heard.out.join('\n')).toContain('--ok.share');
});
