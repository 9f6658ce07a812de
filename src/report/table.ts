/** The headline table for a terminal. */
import type { Certificates, Run } from '../core/run.ts';
import { abstention, certifiedAt, confidence, shownSigma, statedRadii } from './certified.ts';
import { defendedTable } from './defended-table.ts';
import { findingText } from './finding.ts';
import { counted, goalInWords, interval, normSymbol, percent, radius, shorten, significant, whole } from './format.ts';
import { headlineEpsilon } from './headline-epsilon.ts';
import { clean, type Line, layOut, MOST_TRAINING, paint, type TableOptions, totalWidth, wrap } from './lines.ts';
import { architectureTitle, datasetTitle } from './names.ts';
import { type Slice, slicesOf } from './slice.ts';
import { isBelow, type Standing, standingOf } from './worst-case.ts';

/** The finding, the headline table of every slice and the failed checks, as lines without a final newline. */
export function toTable(run: Run, options: TableOptions): string {
  const blocks = slicesOf(run).map((slice) => sliceBlock(run, slice, options));
  const defended = defendedTable(run, options);
  const warnings = run.checks
    .filter((check) => check.verdict === 'fail' || check.verdict === 'warn')
    .flatMap((check) => wrap(clean(`${check.verdict}: ${check.name}: ${check.why}`), options.width))
    .map((line) => paint(line, 'yellow', options));
  return [
    wrap(clean(findingText(run)), options.width).join('\n'),
    ...blocks,
    ...(run.certificates === undefined ? [] : [certifiedBlock(run, run.certificates, options)]),
    ...(defended.length === 0 ? [] : [defended.join('\n')]),
    ...(warnings.length > 0 ? [warnings.join('\n')] : []),
  ].join('\n\n');
}

function sliceBlock(run: Run, slice: Slice, options: TableOptions): string {
  const { epsilon } = headlineEpsilon(slice);
  const images = Math.max(...slice.cells.map((cell) => cell.images));
  const title = `${datasetTitle(slice.dataset)}, ${counted(images, 'image')}, ${normSymbol(slice.norm)} ε = ${radius(epsilon)}, ${goalInWords(slice.goal, run.classes)}`;
  const standings = slice.contenders.flatMap((contender) => standingOf(run, slice, contender, epsilon) ?? []);
  const wide = wideLines(run, slice, standings);
  const fits = totalWidth(wide) <= options.width;
  return [
    paint(clean(title), 'bold', options),
    ...(fits ? layOut(wide, options) : tallLines(run, slice, standings, options)),
  ].join('\n');
}

/** A line per network and level of noise, a column per radius. */
function certifiedBlock(run: Run, entries: readonly Certificates[], options: TableOptions): string {
  const [first] = entries;
  const dataset = datasetTitle(run.provenance.dataset.name);
  const how = first && `${whole(first.samples)} samples, ${confidence(first)} confidence`;
  const title = `${dataset}, ${counted(first?.images ?? 0, 'image')}, certified accuracy by L2 radius, ${how}`;
  const radii = statedRadii(entries);
  const head = ['', '', 'σ', ...radii.map((one) => significant(one, 4)), 'abstains'];
  const lines = entries.map((entry) => [
    ...[nameOf(run, entry.arch), shorten(clean(entry.training), 24), shownSigma(entry.sigma)],
    ...radii.map((one) => certifiedAt(entry, one)).map((found) => (found === undefined ? '–' : percent(found.share))),
    abstention(entry),
  ]);
  const rows = [head, ...lines].map((cells): Line => ({ cells, worst: undefined }));
  return [paint(clean(title), 'bold', options), ...layOut(rows, options)].join('\n');
}

/** A line per network, a column per attack. */
function wideLines(run: Run, slice: Slice, standings: readonly Standing[]): readonly Line[] {
  const several = slice.variants.length > 1;
  const head = [
    '',
    '',
    'clean',
    ...slice.variants.map(({ label }) => label),
    ...(several ? ['worst'] : []),
    '95 % interval',
  ];
  return [
    { cells: head.map(clean), worst: undefined },
    ...standings.map(({ contender, clean: unharmed, attacked, worst }, i) => ({
      cells: [
        standings[i - 1]?.contender.arch === contender.arch ? '' : nameOf(run, contender.arch),
        shorten(clean(contender.training), MOST_TRAINING),
        percent(unharmed.share),
        ...attacked.map((measured) => (measured === undefined ? '–' : percent(measured.share))),
        ...(several ? [percent(worst.share)] : []),
        interval(worst.interval),
      ],
      worst: isBelow(worst, unharmed) ? 2 + attacked.length + (several ? 1 : 0) : undefined,
    })),
  ];
}

/** The same for narrow terminals: the network, and below it a line per attack. */
function tallLines(run: Run, slice: Slice, standings: readonly Standing[], options: TableOptions): readonly string[] {
  const bodies = standings.map((standing) => attackLines(slice, standing));
  const laid = layOut(bodies.flat(), options);
  let from = 0;
  return standings.flatMap(({ contender }, i) => {
    const body = laid.slice(from, from + (bodies[i]?.length ?? 0));
    from += body.length;
    return [shorten(`${nameOf(run, contender.arch)} ${clean(contender.training)}`, options.width), ...body];
  });
}

function attackLines({ variants }: Slice, { clean: unharmed, attacked, worst }: Standing): readonly Line[] {
  return [
    { cells: ['  clean', percent(unharmed.share), interval(unharmed.interval)], worst: undefined },
    ...attacked.map((measured, i) => ({
      cells: [
        `  ${shorten(clean(variants[i]?.label ?? ''), 20)}`,
        measured === undefined ? '–' : percent(measured.share),
        measured === undefined ? '' : interval(measured.interval),
      ],
      worst: undefined,
    })),
    ...(attacked.length > 1
      ? [
          {
            cells: ['  worst', percent(worst.share), interval(worst.interval)],
            worst: isBelow(worst, unharmed) ? 1 : undefined,
          },
        ]
      : []),
  ];
}

const nameOf = (run: Run, arch: string): string => shorten(clean(architectureTitle(run, arch)), 24);
