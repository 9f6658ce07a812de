/** What all rounds of a sweep say, as lines for the terminal. */
import { median } from '../../src/cli/bench/figures.ts';
import { inColumns, numbers, words } from '../../src/cli/columns.ts';
import type { LoopSwept } from './loop.ts';
import { signTest } from './sign-test.ts';
import type { SweepSpec, Swept } from './sweep.ts';
import type { OurSwept } from './ways.ts';

/** Every round of every way; of the loop none if there is no PyTorch. */
export interface Rounds {
  readonly bracketed: readonly OurSwept[];
  readonly apart: readonly OurSwept[];
  readonly fixed: readonly OurSwept[];
  readonly loop: readonly LoopSwept[];
}

type Grid = Pick<SweepSpec, 'images' | 'epsilons'>;

const NAMES = {
  bracketed: 'bracketed: slots, each radius on what still stands',
  apart: 'apart: slots, every radius on all images',
  fixed: 'fixed: the same in fixed batches, all steps',
  loop: 'PyTorch: a plain loop, all steps',
} as const;
const WAYS = ['bracketed', 'apart', 'fixed', 'loop'] as const;

/** Below this, chance does not explain why more images withstand our attack than the loop's. */
const BEYOND_SAMPLING = 0.001;

export function sweepTable(grid: Grid, rounds: Rounds): string[] {
  const ways = WAYS.filter((way) => rounds[way].length > 0);
  return [
    ...costs(grid, rounds, ways),
    ...withoutZero(rounds),
    whereTimeGoes(rounds.bracketed),
    '',
    ...accuracies(grid, rounds, ways),
    ...verdict(grid, rounds),
  ];
}

type Ways = readonly (keyof Rounds)[];

function costs({ images }: Grid, rounds: Rounds, ways: Ways): string[] {
  const columns = ['gradients/image', 'computed', 'forwards/image', 'seconds', 'times PyTorch'].map(numbers);
  const perImage = (count: number | undefined): string => ((count ?? 0) / images).toFixed(1);
  const rows = ways.map((way) => {
    const [first] = rounds[way];
    const counts = [first?.gradients, first?.computed, first?.forwards].map(perImage);
    return [NAMES[way], ...counts, secondsOf(rounds[way]).toFixed(2), ratio(secondsOf(rounds.loop), rounds[way])];
  });
  return inColumns([words(''), ...columns], rows);
}

const secondsOf = (swept: readonly Swept[]): number => median(swept.map(({ seconds }) => seconds));

const ratio = (seconds: number, way: readonly Swept[]): string =>
  Number.isFinite(seconds) ? (seconds / secondsOf(way)).toFixed(2) : '';

/** A careful loop would know that at radius 0 there is nothing to attack. */
function withoutZero({ loop, bracketed }: Rounds): string[] {
  if (loop.length === 0) return [];
  const seconds = median(loop.map((one) => one.seconds - one.secondsAtZero));
  return [
    `without radius 0, at which it need not attack, PyTorch takes ${seconds.toFixed(2)} s: ratio ${ratio(seconds, bracketed)}`,
  ];
}

function whereTimeGoes(ours: readonly OurSwept[]): string {
  const parts = Object.keys(ours[0]?.parts ?? {}).map((part) => {
    const seconds = median(ours.map(({ parts }) => parts[part] ?? 0));
    return `${part} ${((100 * seconds) / secondsOf(ours)).toFixed(0)} %`;
  });
  return `where the time of bracketed goes: ${parts.join(', ')}`;
}

/** Of the loop, whose random starts are others in every round, the lowest and the highest. */
function accuracies({ images, epsilons }: Grid, rounds: Rounds, ways: Ways): string[] {
  const rows = epsilons.map((epsilon, radius) => [
    String(epsilon),
    ...ways.map((way) => {
      const counts = rounds[way].map(({ standing }) => countOf(standing[radius]));
      const [low, high] = [Math.min(...counts), Math.max(...counts)].map((n) => ((100 * n) / images).toFixed(1));
      return low === high ? `${low} %` : `${low}-${high} %`;
    }),
  ]);
  return inColumns([numbers('radius'), ...ways.map((way) => numbers(NAMES[way].replace(/:.*/, '')))], rows);
}

const countOf = (standing: Uint8Array = new Uint8Array()): number => standing.reduce((sum, byte) => sum + byte, 0);

/** Whether our robust accuracy is above the loop's anywhere, by a sign test on the images of the first round. */
function verdict({ epsilons }: Grid, { bracketed: [ours], loop: [theirs] }: Rounds): string[] {
  if (ours === undefined || theirs === undefined) return [];
  const above = epsilons.filter((_, radius) => isAbove(ours.standing[radius], theirs.standing[radius]));
  if (above.length === 0) return ['our robust accuracy is nowhere above that of PyTorch beyond sampling'];
  return [`our robust accuracy is ABOVE that of PyTorch beyond sampling at ${above.join(', ')}`];
}

export function isAbove(ours: Uint8Array = new Uint8Array(), theirs: Uint8Array = new Uint8Array()): boolean {
  const oursAlone = countOf(ours.map((byte, image) => (byte === 1 && theirs[image] === 0 ? 1 : 0)));
  const theirsAlone = countOf(theirs.map((byte, image) => (byte === 1 && ours[image] === 0 ? 1 : 0)));
  return signTest(oursAlone, oursAlone + theirsAlone) < BEYOND_SAMPLING;
}
