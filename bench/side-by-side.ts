/**
 * Ours and PyTorch's side of every workload, call by call in turn, so that a slow moment of the machine falls on both.
 *
 *     npx tsx bench/side-by-side.ts [WORKLOAD ...] [--calls N]
 *
 * PyTorch is found through the PYTHON environment variable (default `python3`); without it our figures stand alone.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Runner, WORKLOADS, type Workload } from './workloads.ts';

interface Rival {
  readonly version: string;
  /** Seconds of one call. */
  call(): Promise<number>;
  end(): void;
}

const SCRIPT = fileURLToPath(new URL('./rivals/pytorch.py', import.meta.url));

/** PyTorch, waiting for calls; undefined where it is not installed. */
async function startRival(workload: string): Promise<Rival | undefined> {
  const child = spawn(process.env.PYTHON ?? 'python3', [SCRIPT, workload], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await lines.next();
    return done ? undefined : (value as string);
  };
  const ready = await next();
  if (ready === undefined) return undefined;
  return {
    version: ready.split(' ')[1] ?? '',
    call: async () => {
      child.stdin.write('\n');
      return Number(await next());
    },
    end: () => child.stdin.end(),
  };
}

async function secondsOf(runner: Runner): Promise<number> {
  const started = performance.now();
  await runner.run();
  return (performance.now() - started) / 1000;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
};

const WARM_UP = 3;

async function compare({ name, what, images, prepare }: Workload, calls: number): Promise<void> {
  const runner = await prepare();
  const rival = await startRival(name);
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
  process.stdout.write(`${name}: ${what}, ${calls} calls\n  gibbon ${rate(ours)} images/s\n`);
  if (rival === undefined) {
    process.stdout.write('  PyTorch is not installed (set PYTHON to an interpreter that has it)\n');
    return;
  }
  const ratio = median(ours.map((seconds, i) => (theirs[i] as number) / seconds));
  process.stdout.write(`  PyTorch ${rival.version} ${rate(theirs)} images/s, ratio ${ratio.toFixed(2)}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { calls: { type: 'string', default: '9' } },
});
const calls = Number(values.calls);
if (!Number.isSafeInteger(calls) || calls < 1) throw new Error('--calls must be a whole number, at least 1');
const unknown = positionals.find((name) => !WORKLOADS.some((workload) => workload.name === name));
if (unknown !== undefined) {
  throw new Error(`no workload "${unknown}"; there are ${WORKLOADS.map(({ name }) => name).join(', ')}`);
}
for (const workload of WORKLOADS) {
  if (positionals.length === 0 || positionals.includes(workload.name)) await compare(workload, calls);
}
