/** Progress on stderr: a live line on a terminal, a plain line every ten seconds elsewhere. */
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
}

export interface ProgressLine {
  show(progress: Progress): void;
  /** Ends the line; what was finished stays readable. */
  end(): void;
}

const LIVE_EVERY_MS = 100;
const PLAIN_EVERY_MS = 10_000;
const BAR_WIDTH = 20;

/** @param now - milliseconds that only ever grow */
export function progressLine(terminal: Terminal, now: () => number = () => performance.now()): ProgressLine {
  const every = terminal.isLive ? LIVE_EVERY_MS : PLAIN_EVERY_MS;
  let current: { readonly last: Progress; readonly started: number } | undefined;
  // A pipe stays silent for the first ten seconds; a terminal never.
  let shown = terminal.isLive ? Number.NEGATIVE_INFINITY : now();

  const finish = (): void => {
    if (current !== undefined && terminal.isLive) {
      terminal.note(describe(current.last, now() - current.started, terminal.liveWidth));
    }
    current = undefined;
  };
  return {
    show: (progress) => {
      if (current?.last.label !== progress.label) finish();
      current = { last: progress, started: current?.started ?? now() };
      if (now() - shown < every) return;
      shown = now();
      const line = describe(progress, shown - current.started, terminal.liveWidth);
      if (terminal.isLive) terminal.live(line);
      else terminal.note(line);
    },
    end: () => {
      finish();
      terminal.live('');
    },
  };
}

/** `vgg16/standard pgd  ████░░░░  480/1200 images  41.3 %  230 images/s  3 s left`, at most `width` columns. */
export function describe({ label, done, total, unit, accuracy }: Progress, elapsedMs: number, width: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.round((BAR_WIDTH * done) / total);
  const rate = elapsedMs > 0 ? (1000 * done) / elapsedMs : 0;
  const parts = [
    label,
    '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled),
    `${done}/${total} ${unit}`,
    accuracy === undefined ? [] : `${(100 * accuracy).toFixed(1)} %`,
    rate === 0 ? [] : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} ${unit}/s`,
    rate === 0 ? [] : done < total ? `${duration((total - done) / rate)} left` : duration(elapsedMs / 1000),
  ].flat();
  return parts.join('  ').slice(0, Math.max(0, width - 1));
}

/** Seconds in words: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
