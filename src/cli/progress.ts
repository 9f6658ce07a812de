/** Progress on stderr: a live line on a terminal, a plain line every ten seconds elsewhere. */
import { duration } from '../report/format.ts';
import type { Terminal } from './terminal.ts';

/** One job of many steps: an attack on a network, an epoch. */
export interface Progress {
  /** What it is: `vgg16/standard pgd`. Another label begins another job. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** What is counted: `images`. */
  readonly unit: string;
  /** Share of what is done that is right. */
  readonly accuracy?: number;
  /** Not worth a line that stays. */
  readonly passing?: boolean;
}

export interface ProgressLine {
  show(progress: Progress): void;
  /** Ends the line; what was finished stays readable. */
  end(): void;
}

const LIVE_EVERY_MS = 100;
const PLAIN_EVERY_MS = 10_000;
/** Of the bar, the widest that leaves room for the words; on a narrow terminal there is none. */
const BAR_WIDTHS = [20, 10, 5, 0];

/** When a job was first heard of, and how much of it was done already. */
interface Beginning {
  readonly at: number;
  readonly done: number;
}

/** Milliseconds since then, and what was done already. */
interface Elapsed {
  readonly ms: number;
  readonly done: number;
}

/** A rate measured over less than this says nothing. */
const MEASURABLE_MS = 300;

/** What time is told by. */
export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Calls again and again; returns what ends that. */
  every(ms: number, call: () => void): () => void;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  every: (ms, call) => {
    const timer = setInterval(call, ms).unref();
    return () => clearInterval(timer);
  },
};

/** How often it is seen to that a job of which nothing is heard is shown all the same. */
const SILENCE_MS = 1000;

/** Shows a job whenever news of it come, and where none come for long, what is known of it. */
export function progressLine(terminal: Terminal, { now, every: repeat }: Clock = CLOCK): ProgressLine {
  const every = terminal.isLive ? LIVE_EVERY_MS : PLAIN_EVERY_MS;
  // A line of a file has room for all there is to say.
  const width = terminal.isLive ? terminal.liveWidth : Number.POSITIVE_INFINITY;
  let current: { readonly last: Progress; readonly began: Beginning } | undefined;
  // A pipe stays silent for the first ten seconds; a terminal never.
  let shown = terminal.isLive ? Number.NEGATIVE_INFINITY : now();

  const since = ({ at, done }: Beginning): Elapsed => ({ ms: now() - at, done });
  const finish = (): void => {
    if (current !== undefined && current.last.passing !== true && terminal.isLive) {
      terminal.note(describe(current.last, since(current.began), width));
    }
    current = undefined;
  };
  let stop: (() => void) | undefined;
  const refresh = (): void => {
    if (current === undefined || now() - shown < every) return;
    shown = now();
    const line = describe(current.last, since(current.began), width);
    if (terminal.isLive) terminal.live(line);
    else terminal.note(line);
  };
  return {
    show: (progress) => {
      if (current?.last.label !== progress.label) finish();
      current = { last: progress, began: current?.began ?? { at: now(), done: progress.done } };
      stop ??= repeat(SILENCE_MS, refresh);
      refresh();
    },
    end: () => {
      stop?.();
      stop = undefined;
      finish();
      terminal.live('');
    },
  };
}

/** `vgg16/standard pgd  ████░░░░  480/1200 images  41.3 %  230 images/s  3 s left`, at most `width` columns. */
export function describe({ label, done, total, unit, accuracy }: Progress, elapsed: Elapsed, width: number): string {
  const rate = elapsed.ms >= MEASURABLE_MS ? (1000 * (done - elapsed.done)) / elapsed.ms : 0;
  // Of a job that was over when it was first heard of, nobody knows how long it took.
  const isNews = done > elapsed.done;
  const parts = (barWidth: number): string[] =>
    [
      label,
      barWidth === 0 ? [] : bar(total === 0 ? 1 : done / total, barWidth),
      `${done}/${total} ${unit}`,
      accuracy === undefined ? [] : `${(100 * accuracy).toFixed(1)} %`,
      rate === 0 ? [] : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} ${unit}/s`,
      done === total
        ? isNews
          ? duration(elapsed.ms / 1000)
          : []
        : rate === 0
          ? []
          : `${duration((total - done) / rate)} left`,
    ].flat();
  // Where even that is too much, what stands last is left out whole: half a number would be another one.
  const bare = parts(0);
  const shorter = bare.map((_, left) => bare.slice(0, bare.length - left));
  const lines = [...BAR_WIDTHS.map(parts), ...shorter].map((words) => words.join('  '));
  return (lines.find((line) => line.length < width) ?? label).slice(0, Math.max(0, width - 1));
}

function bar(share: number, width: number): string {
  const filled = Math.round(width * share);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
