/** The run's tables as CSV (RFC 4180: CRLF, doubled quotes), each under a row of names. */

import { QUANTILES } from '../core/run/perturbations.ts';
import type {
  Cell,
  Certificates,
  Confusion,
  DefendedCell,
  Distances,
  Perturbations,
  Run,
  Trace,
  Transfer,
} from '../core/run.ts';
import { spreadOf } from './distance-spread.ts';
import { printable } from './html.ts';

/** What a row says; nothing is an empty field. */
type Columns<T> = readonly (readonly [name: string, value: (row: T) => string | number | null])[];

const CELLS: Columns<Cell> = [
  ['arch', (cell) => cell.arch],
  ['training', (cell) => cell.training],
  ['dataset', (cell) => cell.dataset],
  ['attack', (cell) => cell.attack],
  ['params', (cell) => JSON.stringify(cell.params)],
  ['norm', (cell) => cell.norm],
  ['epsilon', (cell) => cell.epsilon],
  ['goal', (cell) => cell.goal.kind],
  ['target', (cell) => (cell.goal.kind === 'targeted' ? cell.goal.target : '')],
  ['restarts', (cell) => cell.restarts],
  ['images', (cell) => cell.images],
  ['cleanCorrect', (cell) => cell.cleanCorrect],
  ['robustCorrect', (cell) => cell.robustCorrect],
  ['robustCorrect8bit', (cell) => cell.robustCorrect8bit],
  ['cleanAccuracy', (cell) => cell.cleanAccuracy],
  ['cleanWilsonLow', (cell) => cell.cleanWilson95[0]],
  ['cleanWilsonHigh', (cell) => cell.cleanWilson95[1]],
  ['robustAccuracy', (cell) => cell.robustAccuracy],
  ['robustWilsonLow', (cell) => cell.wilson95[0]],
  ['robustWilsonHigh', (cell) => cell.wilson95[1]],
  ['robustAccuracy8bit', (cell) => cell.robustAccuracy8bit],
  ['gradients', (cell) => cell.gradients],
  ['forwards', (cell) => cell.forwards],
  ['unverified', (cell) => cell.unverified],
  ['seconds', (cell) => cell.seconds],
];

/** Names as in run.json, whose pairs of networks are spread over four columns. */
const TRANSFER: Columns<Transfer> = [
  ['sourceArch', ({ source }) => source.arch],
  ['sourceTraining', ({ source }) => source.training],
  ['targetArch', ({ target }) => target.arch],
  ['targetTraining', ({ target }) => target.training],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['epsilon', ({ epsilon }) => epsilon],
  ['images', ({ images }) => images],
  ['fooled', ({ fooled }) => fooled],
  ['whiteBoxFooled', ({ whiteBoxFooled }) => whiteBoxFooled],
  ['accuracy', ({ accuracy }) => accuracy],
  ['wilsonLow', ({ wilson95 }) => wilson95[0]],
  ['wilsonHigh', ({ wilson95 }) => wilson95[1]],
];

const DEFENDED: Columns<DefendedCell> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['defense', ({ defense }) => defense],
  ['undefended', ({ undefended }) => undefended],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['epsilon', ({ epsilon }) => epsilon],
  ['images', ({ images }) => images],
  ['cleanCorrect', ({ cleanCorrect }) => cleanCorrect],
  ['naiveCorrect', ({ naiveCorrect }) => naiveCorrect],
  ['adaptiveCorrect', ({ adaptiveCorrect }) => adaptiveCorrect],
  ['naiveAccuracy', ({ naiveAccuracy }) => naiveAccuracy],
  ['naiveWilsonLow', ({ naiveWilson95 }) => naiveWilson95[0]],
  ['naiveWilsonHigh', ({ naiveWilson95 }) => naiveWilson95[1]],
  ['adaptiveAccuracy', ({ adaptiveAccuracy }) => adaptiveAccuracy],
  ['adaptiveWilsonLow', ({ adaptiveWilson95 }) => adaptiveWilson95[0]],
  ['adaptiveWilsonHigh', ({ adaptiveWilson95 }) => adaptiveWilson95[1]],
];

/** The distances of single images stand in run.json. */
const DISTANCES: Columns<Distances> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['images', (row) => spreadOf(row).images],
  ['found', (row) => spreadOf(row).found],
  ['lowerQuartile', (row) => spreadOf(row).lower],
  ['median', (row) => spreadOf(row).median],
  ['upperQuartile', (row) => spreadOf(row).upper],
];

type At<T> = T & { readonly at: number };

/** A row for every network, attack and number of steps. */
const TRACES: Columns<At<Trace>> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['epsilon', ({ epsilon }) => epsilon],
  ['images', ({ images }) => images],
  ['fooledBefore', ({ before }) => before],
  ['steps', ({ steps, at }) => steps[at] ?? null],
  ['fooled', ({ fooled, at }) => fooled[at] ?? null],
  ['lossImages', ({ loss }) => loss?.images ?? null],
  ['lossLow', ({ loss, at }) => loss?.low[at] ?? null],
  ['lossMedian', ({ loss, at }) => loss?.median[at] ?? null],
  ['lossHigh', ({ loss, at }) => loss?.high[at] ?? null],
];

/** A row for every network, attack and share of the images. */
const PERTURBATIONS: Columns<At<Perturbations>> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['epsilon', ({ epsilon }) => epsilon],
  ['images', ({ images }) => images],
  ['fooled', ({ fooled }) => fooled],
  ['quantile', ({ at }) => QUANTILES[at] ?? null],
  ['l2', ({ l2, at }) => l2[at] ?? null],
  ['atBound', ({ atBound, at }) => atBound?.[at] ?? null],
];

/** A row for every network, attack and pair of classes. */
const CONFUSIONS: Columns<Confusion & { readonly flip: Confusion['flips'][number] }> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['attack', ({ attack }) => attack],
  ['norm', ({ norm }) => norm],
  ['epsilon', ({ epsilon }) => epsilon],
  ['from', ({ flip }) => flip.from],
  ['to', ({ flip }) => flip.to],
  ['images', ({ flip }) => flip.images],
  ['of', ({ flip }) => flip.of],
];

/** A row for every network, level of noise and radius. The certificates of single images stand in run.json. */
const CERTIFICATES: Columns<Certificates & { readonly at: Certificates['accuracies'][number] }> = [
  ['arch', ({ arch }) => arch],
  ['training', ({ training }) => training],
  ['norm', () => 'L2'],
  ['sigma', ({ sigma }) => sigma],
  ['selectionSamples', ({ selectionSamples }) => selectionSamples],
  ['samples', ({ samples }) => samples],
  ['alpha', ({ alpha }) => alpha],
  ['images', ({ images }) => images],
  ['abstained', ({ abstained }) => abstained],
  ['averageRadius', ({ averageRadius }) => averageRadius],
  ['radius', ({ at }) => at.radius],
  ['correct', ({ at }) => at.correct],
  ['accuracy', ({ at }) => at.accuracy],
  ['wilsonLow', ({ at }) => at.wilson95[0]],
  ['wilsonHigh', ({ at }) => at.wilson95[1]],
];

const table = <T>(columns: Columns<T>, rows: readonly T[]): string =>
  [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, value]) => field(value(row) ?? '')))]
    .map((fields) => `${fields.join(',')}\r\n`)
    .join('');

/** The tables by their files' names: each where the run has any of its rows. */
export function csvFiles(run: Run): Readonly<Record<string, string>> {
  const { cells, transfer = [], distances = [], certificates = [], defended = [] } = run;
  const { traces = [], perturbations = [], confusions = [] } = run;
  const steps = traces.flatMap((entry) => entry.steps.map((_, at) => ({ ...entry, at })));
  const sizes = perturbations.flatMap((entry) => QUANTILES.map((_, at) => ({ ...entry, at })));
  const flips = confusions.flatMap((entry) => entry.flips.map((flip) => ({ ...entry, flip })));
  const certified = certificates.flatMap((entry) => entry.accuracies.map((at) => ({ ...entry, at })));
  return {
    ...(cells.length === 0 ? {} : { 'table.csv': table(CELLS, cells) }),
    ...(certified.length === 0 ? {} : { 'certificates.csv': table(CERTIFICATES, certified) }),
    ...(transfer.length === 0 ? {} : { 'transfer.csv': table(TRANSFER, transfer) }),
    ...(distances.length === 0 ? {} : { 'distances.csv': table(DISTANCES, distances) }),
    ...(steps.length === 0 ? {} : { 'traces.csv': table(TRACES, steps) }),
    ...(sizes.length === 0 ? {} : { 'perturbations.csv': table(PERTURBATIONS, sizes) }),
    ...(flips.length === 0 ? {} : { 'confusions.csv': table(CONFUSIONS, flips) }),
    ...(defended.length === 0 ? {} : { 'defenses.csv': table(DEFENDED, defended) }),
  };
}

/**
 * What a terminal would obey is made visible, for people look at such files there; text that a spreadsheet would run as a
 * formula is given a leading apostrophe, which makes it text.
 */
function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const shown = printable(value);
  const inert = /^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
