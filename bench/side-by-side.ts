/**
 * Ours and PyTorch's side of every workload, call by call in turn, so that a slow moment of the machine falls on both.
 *
 *     npx tsx bench/side-by-side.ts [WORKLOAD ...] [--calls N] [--batch N] [--backend NAME] [--device cpu|cuda|mps]
 *
 * PyTorch is found through the PYTHON environment variable (default `python3`), with torchvision for networks of full size;
 * without it our figures stand alone. `--backend` is what we compute on, `--device` what PyTorch does.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BACKEND_NAMES } from '../src/backends/names.ts';
import { type Backend, openBackend } from '../src/backends/open.ts';
import { median } from '../src/cli/bench/figures.ts';
import { startRival } from './rival.ts';
import type { Runner, Workload } from './workload.ts';
import { WORKLOADS } from './workloads.ts';

const SCRIPT = fileURLToPath(new URL('./rivals/pytorch.py', import.meta.url));

async function secondsOf(runner: Runner): Promise<number> {
  const started = performance.now();
  await runner.run();
  return (performance.now() - started) / 1000;
}

const WARM_UP = 3;

interface Setting {
  readonly backend: Backend;
  readonly device: string;
  readonly calls: number;
}

async function compare(workload: Workload, images: number, { backend, device, calls }: Setting): Promise<void> {
  const { name, what } = workload;
  const runner = await workload.prepare(backend.prepare, images);
  const started = await startRival(process.env.PYTHON ?? 'python3', [SCRIPT, name, String(images), device]);
  const rival = 'missing' in started ? undefined : started;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let call = -WARM_UP; call < calls; call++) {
    const [a, b] = [await secondsOf(runner), await rival?.call()];
    if (call < 0) continue;
    ours.push(a);
    if (b !== undefined) theirs.push(b);
  }
  rival?.end();
  await runner.release();
  const rate = (seconds: readonly number[]): string => (images / median(seconds)).toPrecision(3);
  process.stdout.write(`${name}: ${what}, batch ${images}, ${calls} calls\n`);
  process.stdout.write(`  gibbon on ${backend.name} ${rate(ours)} images/s\n`);
  if ('missing' in started) {
    process.stdout.write(`  no PyTorch (set PYTHON to an interpreter that has it): ${started.missing}\n`);
    return;
  }
  const ratio = median(ours.map((seconds, i) => (theirs[i] as number) / seconds));
  // Other work on the machine slows threads that wait for each other most: the fastest calls have seen least of it.
  const ofFastest = Math.min(...theirs) / Math.min(...ours);
  process.stdout.write(
    `  PyTorch ${started.version} on ${device} ${rate(theirs)} images/s, ratio ${ratio.toFixed(2)}, of the fastest calls ${ofFastest.toFixed(2)}\n`,
  );
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '9' },
    batch: { type: 'string' },
    backend: { type: 'string', default: 'onnx-cpu' },
    device: { type: 'string', default: 'cpu' },
  },
});
const count = (flag: string, word: string): number => {
  const number = Number(word);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${flag} must be a whole number, at least 1`);
  return number;
};
const calls = count('calls', values.calls);
const batch = values.batch === undefined ? undefined : count('batch', values.batch);
const chosen = BACKEND_NAMES.find((name) => name === values.backend);
if (chosen === undefined) throw new Error(`--backend must be one of ${BACKEND_NAMES.join(', ')}`);
const unknown = positionals.find((name) => !WORKLOADS.some((workload) => workload.name === name));
if (unknown !== undefined) {
  throw new Error(`no workload "${unknown}"; there are ${WORKLOADS.map(({ name }) => name).join(', ')}`);
}
const backend = await openBackend(chosen);
for (const workload of WORKLOADS) {
  if (positionals.length > 0 && !positionals.includes(workload.name)) continue;
  await compare(workload, batch ?? workload.batch, { backend, device: values.device, calls });
}
