import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tryAll } from '../../src/backends/auto.ts';
import { choiceInWords, choose } from '../../src/backends/choose.ts';
import type { BackendName } from '../../src/backends/names.ts';
import { type Candidate, candidateOf, probe, verdictOf } from '../../src/backends/probe.ts';
import { type Verdict, verdictInWords } from '../../src/backends/verdict.ts';
import { programBeside } from '../../src/core/child-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-probe-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A backend whose process does this and nothing else. */
function double(name: string, source: string) {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, source);
  return { backend: 'onnx-cuda' as const, program: { script, execArgv: [] } };
}

const says = (...lines: string[]): string => lines.map((line) => `console.log(${JSON.stringify(line)});`).join('\n');
const isEnded = (signal: string): string => `process.kill(process.pid, '${signal}'); setTimeout(() => {}, 60_000);`;

const RIGHT = '{"difference":1e-7,"stepSeconds":0.25}';

/** What each double does, and what is said of it. */
const DOUBLES: readonly (readonly [name: string, source: string, words: RegExp])[] = [
  [
    'aborts, its last words before',
    "console.error('the driver is lost\\n\\u001b[m'); process.kill(process.pid, 'SIGABRT'); setTimeout(() => {}, 60_000);",
    /^crashes \(SIGABRT: the driver is lost\)$/,
  ],
  ['answers, and is ended by the system', says(RIGHT) + isEnded('SIGSEGV'), /^crashes \(SIGSEGV\)$/],
  ['fails with a code', 'process.exit(7);', /^crashes \(its process ended with 7\)$/],
  ['ends without a word', '', /^crashes \(its process ended and gave no answer\)$/],
  ['prints garbage', says('{"difference":', '[]', 'true'), /^crashes \(its process ended and gave no answer\)$/],
];

describe('a backend that is tried', () => {
  it.each(DOUBLES)('is not taken if it %s', async (name, source, words) => {
    const found = await probe(double(name.replaceAll(/\W+/g, '-'), source), 100);
    expect(found).toMatchObject({ backend: 'onnx-cuda', state: 'crashed' });
    expect(found.state === 'works' || verdictInWords(found)).toMatch(words);
  });

  it('is ended if it hangs, though it talks all the while', async () => {
    const found = await probe(double('hangs', `for (;;) ${says('x'.repeat(1000))}`), 0.5);
    expect(found).toEqual({ backend: 'onnx-cuda', state: 'hung', seconds: 0.5 });
  });

  it('is heard although the driver writes to its stdout, too', async () => {
    const chatty = says('INFO: card 0', RIGHT, 'INFO: {"good":"bye"}');
    expect(await probe(double('chatty', chatty), 100)).toEqual({
      ...{ backend: 'onnx-cuda', state: 'works', difference: 1e-7, stepSeconds: 0.25 },
    });
  });

  it('does not keep auto from the choice among the others, which says what became of it', async () => {
    const doubles: Partial<Record<BackendName, Candidate>> = {
      'onnx-cpu': double('honest', says(RIGHT)),
      'onnx-webgpu': double('stuck', 'for (;;);'),
      'onnx-cuda': double('struck', isEnded('SIGSEGV')),
    };
    const verdicts = await tryAll(
      {
        home: join(folder, 'home'),
        versions: () => ({ gibbon: '1', commit: null, packages: {} }),
        tryOne: async (name) => ({
          ...(await probe(doubles[name] as Candidate, name === 'onnx-webgpu' ? 0.5 : 100)),
          backend: name,
        }),
      },
      ['onnx-cpu', 'onnx-webgpu', 'onnx-cuda'],
    );
    expect(choose(verdicts)).toBe('onnx-cpu');
    expect(choiceInWords(verdicts)).toBe(
      'auto: onnx-cpu; onnx-webgpu gives no answer within 0.5 s; onnx-cuda crashes (SIGSEGV)',
    );
  });

  it('is caught lying by the real check, and the figure is told', async () => {
    const program = programBeside(import.meta.url, 'doubles/liar');
    const found = await probe({ backend: 'onnx-webgpu', program }, 100);
    expect(found).toMatchObject({ state: 'wrong', difference: expect.closeTo(1e-3, 5) });
  });

  it('works if it is the compiler on the processor', async () => {
    const found = await probe(candidateOf('onnx-cpu'), 100);
    expect(found).toMatchObject({ state: 'works', backend: 'onnx-cpu' });
    if (found.state !== 'works') return;
    expect(found.difference).toBeLessThan(1e-5);
    expect(found.stepSeconds).toBeGreaterThan(0);
  });
});

describe('what a process said', () => {
  const said = (stdout: string, isLate = false): Verdict =>
    verdictOf(
      'onnx-cuda',
      { code: isLate ? null : 0, signal: isLate ? 'SIGKILL' : null, isLate, stdout, stderr: '' },
      30,
    );

  it('is judged by the figure, whatever else it says', () => {
    expect(said('{"difference":1e-4,"stepSeconds":0.25}')).toMatchObject({ state: 'works' });
    const wrong = said('{"difference":0.00011,"stepSeconds":0.25}');
    expect(wrong).toEqual({ backend: 'onnx-cuda', state: 'wrong', difference: 0.00011 });
    expect(said('{"difference":null,"stepSeconds":0.25}')).toMatchObject({ state: 'wrong', difference: null });
    expect(said('{"difference":-1,"stepSeconds":0.25}')).toMatchObject({ state: 'crashed' });
    expect(said('{"difference":"0","stepSeconds":0.25}')).toMatchObject({ state: 'crashed' });
  });

  it('tells what cannot work from what does not tell how fast it is', () => {
    expect(said('{"unavailable":"no such card"}')).toEqual({
      ...{ backend: 'onnx-cuda', state: 'unavailable', why: 'no such card' },
    });
    expect(said('{"difference":0}')).toMatchObject({ state: 'crashed', why: 'it did not say how long a step takes' });
  });

  it('is slow, and not broken, if its time was over when it had been found right and was not yet timed', () => {
    expect(said('{"difference":1e-7}', true)).toEqual({
      ...{ backend: 'onnx-cuda', state: 'slow', difference: 1e-7, seconds: 30 },
    });
    for (const text of ['', '{"difference":1}', RIGHT]) expect(said(text, true)).toMatchObject({ state: 'hung' });
  });
});
