/** Takes the outcomes of a pool in as they come: tally, journal, clock and progress. */
import { type Course, endOf } from './course.ts';
import type { Journal } from './journal/journal.ts';
import { packFloats } from './journal/pack.ts';
import type { JournalRecord, OutcomeRow, TraceRow } from './journal/record.ts';
import type { Harness } from './plan.ts';
import type { Outcome } from './pool/pool.ts';
import type { Stopwatch } from './stopwatch.ts';
import { rowOf, type Tally } from './tally.ts';

export interface RecorderSpec {
  /** Whose outcomes they are. */
  readonly names: { readonly contender: string; readonly attack: string; readonly stage: string | undefined };
  /** Which images are attacked, by index. */
  readonly attacked: readonly number[];
  readonly radii: number;
  /** Pairs of image and radius that will have been settled in the end. */
  readonly pairs: number;
  readonly tally: Tally;
  /** What is kept of the attack's course, and of which radii; nothing by default. */
  readonly watched?: { readonly course: Course; readonly radii: ReadonlySet<number> };
  readonly journal: Journal;
  readonly stopwatch: Stopwatch;
  readonly onProgress: Harness['onProgress'];
}

/** The clock runs from the making of the recorder to each record in turn. */
export function recorder(spec: RecorderSpec): (outcomes: readonly Outcome[]) => Promise<void> {
  const { names, pairs, tally, journal, stopwatch, onProgress } = spec;
  let { done, robust } = progressOf(spec);
  let began = performance.now();
  return async (outcomes) => {
    // What is settled already was attacked again for its picture alone.
    const fresh = outcomes.filter(({ image, radius }) => !tally.isSettled(image, radius));
    const rows = fresh.map(rowOf);
    const isNew = new Set(rows.map(([image]) => image));
    for (const row of rows) tally.add(row);
    const distances = distancesOf(outcomes.filter(({ image }) => isNew.has(image)));
    for (const [image, distance] of distances) tally.distances.set(image, distance);
    const now = performance.now();
    const seconds = (now - began) / 1000;
    began = now;
    tally.seconds += seconds;
    stopwatch.add('attack', seconds);
    if (rows.length === 0) return;
    await journal.append({
      ...{ kind: 'outcomes', ...names, rows, seconds },
      ...(distances.length === 0 ? {} : { distances }),
      ...courseOf(fresh, spec.watched),
    });
    done += rows.length;
    robust += countRobust(rows);
    onProgress?.({
      ...{ phase: 'attack', ...names, done, total: pairs },
      ...{ accuracy: robust / done, gradients: tally.gradients },
    });
  };
}

/** Keeps the course of what has ended, and gives what the journal says of it. */
function courseOf(
  outcomes: readonly Outcome[],
  watched: RecorderSpec['watched'],
): Pick<Extract<JournalRecord, { kind: 'outcomes' }>, 'ends' | 'traces'> {
  const seen = outcomes.filter(({ radius }) => watched?.radii.has(radius) === true);
  const ends = seen.map(endOf);
  for (const end of ends) watched?.course.add(end);
  const traces = seen.flatMap(({ image, radius, margins }): TraceRow[] => {
    if (margins === undefined) return [];
    watched?.course.addTrace(image, radius, margins);
    return [[image, radius, packFloats(margins)]];
  });
  return { ...(ends.length === 0 ? {} : { ends }), ...(traces.length === 0 ? {} : { traces }) };
}

/** Of attacks of minimum norm, the distance of every image once. */
const distancesOf = (outcomes: readonly Outcome[]): [number, number | null][] => [
  ...new Map(outcomes.flatMap(({ image, distance }) => (distance === undefined ? [] : [[image, distance] as const]))),
];

const countRobust = (rows: readonly OutcomeRow[]): number => rows.filter(([, , robust]) => robust === 1).length;

/** What earlier attempts of the run have settled. Counted once, then kept up: there may be millions. */
function progressOf({ attacked, radii, tally }: RecorderSpec): { done: number; robust: number } {
  let [done, robust] = [0, 0];
  for (let radius = 0; radius < radii; radius++) {
    const withstood = tally.robust(radius);
    for (const image of attacked) {
      if (!tally.isSettled(image, radius)) continue;
      done += 1;
      robust += withstood[image] ?? 0;
    }
  }
  return { done, robust };
}
