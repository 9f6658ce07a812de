/** What the program knows, from its registries: as data, as text, as the README's tables. */

import { shortPath } from '../core/files.ts';
import type { Params } from '../core/params.ts';
import { datasetNames } from '../data/registry.ts';
import { loadAttacks, loadDefenses } from '../discover/modules.ts';
import { type Facts, factsOf } from '../models/facts.ts';
import { architectures } from '../models/registry.ts';
import { compact, percent } from '../report/format.ts';
import { accuracySources } from '../report/sources.ts';
import type { Figures } from './bench/figures.ts';
import { FIGURE_COLUMNS, figuresInWords } from './bench/words.ts';
import { type FoundCheckpoint, listCheckpoints } from './checkpoints.ts';
import { inColumns, numbers, words } from './columns.ts';
import { markdownTable } from './markdown.ts';

interface KnownParam {
  readonly default: unknown;
  readonly label: string;
  readonly accepts: string;
}

interface KnownModule {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly params: Readonly<Record<string, KnownParam>>;
}

export interface KnownArchitecture extends Facts {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly year: number;
  readonly idea: string;
  /** What it was trained on and how: `mnist standard`. */
  readonly trained: readonly string[];
  /** Only where it was asked for, and could be measured. */
  readonly measured?: Figures;
}

export interface Inventory {
  readonly attacks: readonly (KnownModule & { readonly norms: readonly string[]; readonly access: string })[];
  readonly defenses: readonly KnownModule[];
  readonly architectures: readonly KnownArchitecture[];
  readonly datasets: readonly string[];
  readonly checkpoints: readonly FoundCheckpoint[];
  /** Where architectures were measured: with what. */
  readonly measuredWith?: { readonly cpu: string; readonly backend: string; readonly batch: number };
}

const describeParams = (params: Params): Record<string, KnownParam> =>
  Object.fromEntries(
    Object.entries(params).map(([name, { default: initial, label, accepts }]) => [
      name,
      { default: initial, label, accepts },
    ]),
  );

/** Everything that the registries hold. */
export async function inventory(): Promise<Inventory> {
  const [attacks, defenses] = await Promise.all([loadAttacks(), loadDefenses()]);
  const checkpoints = await listCheckpoints(architectures.map(({ name }) => name));
  return {
    attacks: [...attacks.values()].map(({ name, title, paper, params, norms, access }) => ({
      name,
      title,
      paper,
      norms,
      access,
      params: describeParams(params),
    })),
    defenses: [...defenses.values()].map(({ name, title, paper, params }) => ({
      name,
      title,
      paper,
      params: describeParams(params),
    })),
    architectures: architectures.map(({ name, title, paper, year, idea }) => ({
      ...{ name, title, paper, year, idea, ...factsOf({ name }) },
      trained: checkpoints
        .filter(({ architecture }) => architecture === name)
        .map(({ dataset, training }) => `${dataset} ${training}`),
    })),
    datasets: datasetNames,
    checkpoints,
  };
}

/** How a parameter's value is shown. */
export const valueInWords = (value: unknown): string => (value === null ? 'auto' : String(value));

/** For the terminal. */
export function toText(known: Inventory): string {
  const { attacks, defenses, datasets, checkpoints } = known;
  const params = ({ name, params }: KnownModule): string[] =>
    Object.entries(params).map(
      ([key, { default: initial, label }]) => `    --${name}.${key} ${valueInWords(initial)}  ${label}`,
    );
  const module = (known: KnownModule, detail: string): string[] => [
    `  ${known.name}  ${known.title}${detail}  ${known.paper}`,
    ...params(known),
  ];
  return [
    'Attacks',
    ...attacks.flatMap((known) => module(known, ` (${known.norms.join(', ')}; sees: ${known.access})`)),
    'Defenses',
    ...defenses.flatMap((known) => module(known, '')),
    'Architectures',
    ...architectureLines(known).map((line) => `  ${line}`),
    'Datasets',
    ...datasets.map((name) => `  ${name}`),
    'Checkpoints',
    ...checkpoints.map(
      ({ dataset, architecture, training, path }) => `  ${dataset} ${architecture} ${training}  ${shortPath(path)}`,
    ),
  ].join('\n');
}

function architectureLines({ architectures: known, measuredWith }: Inventory): string[] {
  const isMeasured = measuredWith !== undefined;
  const columns = [
    ...[words('name'), words('title'), words('year'), numbers('parameters'), numbers('multiply-adds')],
    ...[numbers('top-1'), numbers('top-5'), ...(isMeasured ? FIGURE_COLUMNS : []), words('trained')],
  ];
  const rows = known.map((one) => [
    ...[one.name, one.title, String(one.year), ...factsInWords(one)],
    ...(isMeasured ? (one.measured === undefined ? FIGURE_COLUMNS.map(() => '–') : figuresInWords(one.measured)) : []),
    one.trained.join(', '),
  ]);
  const measured = isMeasured
    ? [`Measured here in batches of ${measuredWith.batch}: ${measuredWith.backend}, ${measuredWith.cpu}.`]
    : [];
  return [...inColumns(columns, rows), sourceNote(known), ...measured];
}

/** Parameters, multiply-adds, top-1, top-5. */
const factsInWords = ({ parameters, multiplyAdds, published }: Facts): string[] => [
  compact(parameters),
  compact(multiplyAdds),
  ...[published?.top1, published?.top5].map((share) => (share === undefined ? '–' : percent(share))),
];

const sourceNote = (known: readonly KnownArchitecture[]): string =>
  `All of the form for ImageNet, images of 224x224. Top-1 and top-5 accuracy as published: ${accuracySources(known)}.`;

/** For the README. */
export function toMarkdown({ attacks, defenses, architectures }: Inventory): string {
  const params = ({ params }: KnownModule): string =>
    Object.entries(params)
      .map(([key, { default: initial }]) => `\`${key}\` ${valueInWords(initial)}`)
      .join(', ') || 'none';
  return [
    markdownTable(
      ['attack', 'what it is', 'norms', 'sees', 'parameters'],
      attacks.map((known) => [
        `\`${known.name}\``,
        `[${known.title}](${known.paper})`,
        known.norms.join(', '),
        known.access,
        params(known),
      ]),
    ),
    markdownTable(
      ['defense', 'what it is', 'parameters'],
      defenses.map((known) => [`\`${known.name}\``, `[${known.title}](${known.paper})`, params(known)]),
    ),
    markdownTable(
      ['architecture', 'paper', 'parameters', 'multiply-adds', 'top-1', 'top-5', 'idea'],
      architectures.map((known) => [
        `\`${known.name}\``,
        `[${known.title}](${known.paper}), ${known.year}`,
        ...factsInWords(known),
        known.idea,
      ]),
    ),
    sourceNote(architectures),
  ].join('\n\n');
}
