/** What was found, in one sentence: the first line of the page, the terminal and the index. */
import type { Run } from '../core/run.ts';
import { trainingWords } from '../core/training.ts';
import { certifiedFinding } from './certified.ts';
import { className, enumerate, interval, normSymbol, percent, radius } from './format.ts';
import { headlineEpsilon } from './headline-epsilon.ts';
import { architectureTitle, goesWithoutSaying, trained } from './names.ts';
import { type Measured, type Slice, slicesOf } from './slice.ts';
import { isBelow, type Standing, standingOf } from './worst-case.ts';

/** A piece of the sentence: words, words that no line may part, or a measured share without or under attack. */
export type Segment =
  | string
  | { readonly kind: 'together'; readonly text: string }
  | { readonly kind: 'clean'; readonly measured: Measured }
  /** `fell`: by more than chance, from the accuracy without attack. */
  | { readonly kind: 'attacked'; readonly measured: Measured; readonly fell: boolean };

/** All networks trained one way, at one radius; at least one. */
type Group = readonly [Standing, ...Standing[]];

/** So many defended networks have a clause each; of more, none would be found among them. */
const MOST_DEFENDED = 2;

/**
 * The sentence for one slice of the run: per way of training, how far its networks fall. Of two it speaks of the better one,
 * of more it gives the range; of many defenses it names the one that is worth most.
 */
export function finding(run: Run, slice: Slice): readonly Segment[] {
  const { epsilon } = headlineEpsilon(slice);
  const defended = slice.trainings.filter((training) => trainingWords(training).defense !== undefined);
  const summed = defended.length > MOST_DEFENDED ? defended : [];
  const groupOf = (...trainings: readonly string[]): Group[] => {
    const standings = slice.contenders
      .filter((contender) => trainings.includes(contender.training))
      .flatMap((contender) => standingOf(run, slice, contender, epsilon) ?? [])
      .toSorted((a, b) => b.worst.share - a.worst.share);
    const [best, ...others] = standings;
    return best === undefined ? [] : [[best, ...others]];
  };
  const groups = slice.trainings.filter((training) => !summed.includes(training)).flatMap((one) => groupOf(one));
  const clauses = groups.map((group, i): readonly Segment[] => {
    const before = groups[i - 1];
    return group.length > 2 ? range(run, group, before) : leader(run, group, before);
  });
  const all = [...clauses, ...groupOf(...summed).map((group) => bestDefended(run, group))];
  const joined = all.flatMap((clause, i): readonly Segment[] => [i === 0 ? ', ' : '; ', ...clause]);
  return [...opening(run, slice, epsilon), ...joined, '.'];
}

/** Of all networks behind defenses: `behind the best of 5 defenses, median, VGG-16 falls from 98.5 % to 0.0 %`. */
function bestDefended(run: Run, group: Group): readonly Segment[] {
  const [best] = group;
  const words = group.map(({ contender }) => trainingWords(contender.training));
  const count = new Set(words.map(({ defense }) => defense)).size;
  const { training, defense = '' } = trainingWords(best.contender.training);
  const how = goesWithoutSaying(training) ? '' : `${trained(training)} `;
  if (best.worst.share === 0) {
    const isOne = group.every(({ contender }) => contender.arch === best.contender.arch);
    const who = isOne ? [how, nameOf(run, best)] : ['a network'];
    return [`behind none of ${count} defenses does `, ...who, ' keep more than ', attacked(best)];
  }
  return [
    `behind the best of ${count} defenses, `,
    { kind: 'together', text: defense },
    `, ${how}`,
    nameOf(run, best),
    ...fall(best),
  ];
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

/**
 * One network, or the better of two: `VGG-16 falls from 99.5 % to 0.0 %`.
 *
 * @param before - what the clause before speaks of
 */
function leader(run: Run, group: Group, before: Group | undefined): readonly Segment[] {
  const [best] = group;
  const { arch, training } = best.contender;
  const name = nameOf(run, best);
  const how = trained(training);
  if (group.length > 1) return [`the best of ${group.length} ${how} networks, `, name, ',', ...fall(best)];
  if (before !== undefined) {
    const isSame = before[0].contender.arch === arch;
    return [...(isSame ? [`${how}, it`] : [`${how} `, name]), ...fall(best)];
  }
  return [...(goesWithoutSaying(training) ? [name] : [`${how} `, name]), ...fall(best)];
}

function fall(standing: Standing): readonly Segment[] {
  const { clean, worst } = standing;
  if (worst.share >= clean.share) return [' stays at ', attacked(standing)];
  return [' falls from ', { kind: 'clean', measured: clean }, ' to ', attacked(standing)];
}

/** Many networks: `6 networks fall from 99.1 % or more to between 0.0 % (AlexNet) and 1.2 % (VGG-16)`. */
function range(run: Run, group: Group, before: Group | undefined): readonly Segment[] {
  const [best] = group;
  const worst = group.at(-1) ?? best;
  const isFall = group.every((standing) => standing.worst.share < standing.clean.share);
  const least = group.reduce((low, { clean }) => (clean.share < low.share ? clean : low), best.clean);
  const isOne = percent(best.worst.share) === percent(worst.worst.share);
  const ends = isOne
    ? [attacked(worst)]
    : ['between ', ...named(run, worst, group), ' and ', ...named(run, best, group)];
  return [
    ...many(group, before),
    isOne ? ' all' : '',
    ...(isFall ? [' fall from ', { kind: 'clean', measured: least } as const, ' or more to '] : [' keep ']),
    ...ends,
  ];
}

function many(group: Group, before: Group | undefined): readonly Segment[] {
  const { training } = group[0].contender;
  const archs = (of: Group): string => JSON.stringify(of.map(({ contender }) => contender.arch).toSorted());
  if (before !== undefined && archs(before) === archs(group)) return [`${trained(training)}, they`];
  const isPlain = before === undefined && goesWithoutSaying(training);
  const words = isPlain ? 'networks' : `${trained(training)} networks`;
  return [{ kind: 'together', text: `${group.length} ${words}` }];
}

/** A share under attack with its network's name, unless others share that place. */
function named(run: Run, standing: Standing, group: Group): readonly Segment[] {
  const shown = percent(standing.worst.share);
  const isAlone = group.filter(({ worst }) => percent(worst.share) === shown).length === 1;
  return isAlone ? [attacked(standing), ' (', nameOf(run, standing), ')'] : [attacked(standing)];
}

const attacked = ({ clean, worst }: Standing): Segment => ({
  kind: 'attacked',
  measured: worst,
  fell: isBelow(worst, clean),
});

const nameOf = (run: Run, { contender }: Standing): Segment => ({
  kind: 'together',
  text: architectureTitle(run, contender.arch),
});

/** The run's first sentence: of its first slice or, where nothing was attacked, of its certificates. */
export function firstFinding(run: Run): readonly Segment[] {
  const [first] = slicesOf(run);
  return first === undefined ? certifiedFinding(run) : finding(run, first);
}

/** The sentence as plain text, intervals in brackets. */
export const findingText = (run: Run): string => firstFinding(run).map(segmentText).join('');

function segmentText(segment: Segment): string {
  if (typeof segment === 'string') return segment;
  if (segment.kind === 'together') return segment.text;
  const { share, interval: ends } = segment.measured;
  return segment.kind === 'clean' ? percent(share) : `${percent(share)} [${interval(ends)}]`;
}
