/**
 * What a run is worth that is killed at any moment: SIGKILL after a random time, `--resume`, again and again, until so many
 * kills have hit; every run that ends must have the cells, the worst cases and the gallery of one that nobody disturbed.
 *
 *     npx tsx bench/kills.ts [--kills N] [--seed S]
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { Rng } from '../src/core/rng.ts';
import { JOURNAL, parseRun, type Run } from '../src/core/run.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '0' } },
});
const wanted = Number(values.kills);
const rng = new Rng(Number(values.seed), 'kills');

/** A grid of both trainings, with restarts and an attack of minimum norm; no part of it takes as long as the latest kill. */
const GRID = [
  ...['experiment', '--arch', 'vgg16', '--images', '40', '--epsilon', '0,0.05,0.1,0.3', '--restarts', '2'],
  ...['--attack', 'fgsm,pgd,deepfool', '--deepfool.steps', '10', '--deepfool.classes', '4', '--sanity', '5', '--quiet'],
];

/** Seconds from the start to the kill: from before the first line of the journal to well into the attacks. */
const EARLIEST = 1;
const LATEST = 9;
/** Longer than any run, and not too long for a timer. */
const NEVER = 2_000_000;

/** Runs the program; kills it after that many seconds unless it has ended. Tells whether it was killed. */
async function attempt(folder: string, seconds: number): Promise<boolean> {
  // A run that was killed before it had a journal begins anew.
  const resume = existsSync(join(folder, JOURNAL)) ? ['--resume'] : [];
  if (resume.length === 0) await rm(folder, { recursive: true, force: true });
  const child = spawn('node', ['bin/gibbon.js', ...GRID, '--out', folder, ...resume], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the run ended with ${code}: ${complaint}`));
    });
  });
}

/** All of a run that must not depend on when it was killed. */
function essence({ cells, worstCases, distances, checks, gallery }: Run): unknown {
  return { worstCases, distances, checks, gallery, cells: cells.map(({ seconds: _, ...cell }) => cell) };
}

const readEssence = async (folder: string): Promise<unknown> =>
  essence(parseRun(JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')), folder));

const folder = await mkdtemp(join(tmpdir(), 'gibbon-kills-'));
try {
  const calm = join(folder, 'calm');
  await attempt(calm, NEVER);
  const expected = await readEssence(calm);
  let [kills, runs] = [0, 0];
  while (kills < wanted) {
    const disturbed = join(folder, `run-${runs}`);
    while (await attempt(disturbed, EARLIEST + (LATEST - EARLIEST) * (rng.below(1000) / 1000))) kills += 1;
    runs += 1;
    if (!isDeepStrictEqual(await readEssence(disturbed), expected)) {
      throw new Error(`run ${runs} differs from the undisturbed one after ${kills} kills in all`);
    }
    process.stdout.write(`${kills} kills, ${runs} runs ended: all as the undisturbed one\n`);
  }
} finally {
  await rm(folder, { recursive: true });
}
