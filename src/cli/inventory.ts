/** What the program knows, from its registries: as data, as text, as the README's tables. */

import { shortPath } from '../core/files.ts';
import type { Params } from '../core/params.ts';
import { datasetNames } from '../data/registry.ts';
import { loadAttacks, loadDefenses } from '../discover/modules.ts';
import { architectures } from '../models/registry.ts';
import { type FoundCheckpoint, listCheckpoints } from './checkpoints.ts';

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

export interface Inventory {
  readonly attacks: readonly (KnownModule & { readonly norms: readonly string[]; readonly access: string })[];
  readonly defenses: readonly KnownModule[];
  readonly architectures: readonly { name: string; title: string; paper: string; year: number; idea: string }[];
  readonly datasets: readonly string[];
  readonly checkpoints: readonly FoundCheckpoint[];
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
    architectures: architectures.map(({ name, title, paper, year, idea }) => ({ name, title, paper, year, idea })),
    datasets: datasetNames,
    checkpoints: await listCheckpoints(architectures.map(({ name }) => name)),
  };
}

const valueInWords = (value: unknown): string => (value === null ? 'auto' : String(value));

/** For the terminal. */
export function toText({ attacks, defenses, architectures, datasets, checkpoints }: Inventory): string {
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
    ...architectures.map(({ name, title, year, paper }) => `  ${name}  ${title}, ${year}  ${paper}`),
    'Datasets',
    ...datasets.map((name) => `  ${name}`),
    'Checkpoints',
    ...checkpoints.map(
      ({ dataset, architecture, training, path }) => `  ${dataset} ${architecture} ${training}  ${shortPath(path)}`,
    ),
  ].join('\n');
}

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
      ['architecture', 'paper', 'idea'],
      architectures.map(({ name, title, paper, year, idea }) => [`\`${name}\``, `[${title}](${paper}), ${year}`, idea]),
    ),
  ].join('\n\n');
}

/** Columns padded to one width, as the formatter leaves them. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...escaped.map((cells) => (cells[column] ?? '').length)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const [first = [], ...others] = escaped;
  return [line(first), line(Array(head.length).fill(''), '-'), ...others.map((cells) => line(cells))].join('\n');
}
