/** What was found, in one sentence: the first line of the page, the terminal and the index. */
import type { Run } from '../core/run.ts';
import { className, enumerate, interval, normSymbol, percent, radius } from './format.ts';
import { headlineEpsilon } from './headline-epsilon.ts';
import { architectureTitle, goesWithoutSaying, trained } from './names.ts';
import { type Measured, type Slice, slicesOf } from './slice.ts';
import { type Standing, standingOf } from './worst-case.ts';

/** A piece of the sentence: words, words that no line may part, or a measured share without or under attack. */
export type Segment =
  | string
  | { readonly kind: 'together'; readonly text: string }
  | { readonly kind: 'clean'; readonly measured: Measured }
  | { readonly kind: 'attacked'; readonly measured: Measured };

/** The sentence for one slice of the run: per way of training, how far its most robust network falls. */
export function finding(run: Run, slice: Slice): readonly Segment[] {
  const { epsilon } = headlineEpsilon(slice);
  const best = slice.trainings.flatMap((training) => {
    const standings = slice.contenders
      .filter((contender) => contender.training === training)
      .flatMap((contender) => standingOf(run, slice, contender, epsilon) ?? []);
    const leader = standings.toSorted((a, b) => b.worst.share - a.worst.share)[0];
    return leader === undefined ? [] : [{ leader, among: standings.length }];
  });
  const architectures = new Set(best.map(({ leader }) => leader.contender.arch));
  const clauses = best.map(({ leader, among }, i): readonly Segment[] => [
    i === 0 ? ', ' : '; ',
    ...subject(run, leader, among, { first: i === 0, several: best.length > 1, oneName: architectures.size === 1 }),
    ...fall(leader),
  ]);
  return [...opening(run, slice, epsilon), ...clauses.flat(), '.'];
}

function opening(run: Run, slice: Slice, epsilon: number): readonly Segment[] {
  const labels = slice.variants.map((variant) => variant.label);
  const attack =
    labels.length === 1 ? labels.join('') : `the worst of ${labels.length < 4 ? enumerate(labels) : labels.length}`;
  const plural = labels.length < 4 ? '' : ' attacks';
  return [
    `Under ${attack}${plural} `,
    ...(slice.goal.kind === 'targeted'
      ? ['towards ', { kind: 'together', text: className(slice.goal.target, run.classes) } as const, ' ']
      : []),
    'at ',
    { kind: 'together', text: `${normSymbol(slice.norm)} ε = ${radius(epsilon)}` },
  ];
}

interface Place {
  readonly first: boolean;
  readonly several: boolean;
  /** Whether the sentence is about one architecture throughout. */
  readonly oneName: boolean;
}

function subject(
  run: Run,
  { contender }: Standing,
  among: number,
  { first, several, oneName }: Place,
): readonly Segment[] {
  const name: Segment = { kind: 'together', text: architectureTitle(run, contender.arch) };
  const how = trained(contender.training);
  if (among > 1) return [`the best of ${among} ${how} networks, `, name, ','];
  if (!first) return oneName ? [`${how}, it`] : [`${how} `, name];
  return several || goesWithoutSaying(contender.training) ? [name] : [`${how} `, name];
}

function fall({ clean, worst }: Standing): readonly Segment[] {
  const from: Segment = { kind: 'clean', measured: clean };
  const to: Segment = { kind: 'attacked', measured: worst };
  return worst.share < clean.share ? [' falls from ', from, ' to ', to] : [' stays at ', to];
}

/** The sentence as plain text, intervals in brackets. */
export const findingText = (run: Run): string =>
  slicesOf(run)
    .slice(0, 1)
    .flatMap((slice) => finding(run, slice))
    .map(segmentText)
    .join('');

function segmentText(segment: Segment): string {
  if (typeof segment === 'string') return segment;
  if (segment.kind === 'together') return segment.text;
  const { share, interval: ends } = segment.measured;
  return segment.kind === 'clean' ? percent(share) : `${percent(share)} [${interval(ends)}]`;
}
