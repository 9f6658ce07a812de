/** What a run builds on, as BibTeX: for who writes about it. */
import type { Run } from '../core/run.ts';
import { PAPERS, type Paper, TRAINING_PAPERS } from './bibliography.ts';

/** Something that a run used: what it is called there, and the address of its paper where it names one. */
interface Used {
  readonly name: string;
  readonly title: string;
  readonly paper: string | undefined;
}

/**
 * An entry for the program and one for each paper that attacks, defenses, trainings and architectures of the run name, in
 * this order. Papers that are not known by their address stand as what they were called, with the address.
 */
export function bibtexOf(run: Run): string {
  const { attacks, defenses = [], trainings = [], certificates = [], architectures, provenance } = run;
  const trained = trainings.map(({ record }) => record.defense.name);
  const named = [...trained, ...(certificates.length > 0 ? ['randomized-smoothing'] : [])];
  const used: readonly Used[] = [
    ...attacks.map(({ name, title, paper }) => ({ name, title, paper })),
    ...defenses.map(({ name, title, paper }) => ({ name, title, paper })),
    ...named.map((name) => ({ name, title: name, paper: ownEntry(TRAINING_PAPERS, name) })),
    ...architectures.map(({ name, title, paper }) => ({ name, title, paper })),
  ];
  const entries = used.flatMap(({ name, title, paper }) => (paper === undefined ? [] : [entryOf(name, title, paper)]));
  return [programEntry(provenance.gibbon), ...new Set(entries)].join('\n');
}

const ownEntry = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const programEntry = (version: string): string =>
  entry('software', 'gibbon', [
    ['author', '{The Gibbon authors}'],
    ['title', '{Gibbon: adversarial robustness of image classifiers, measured and trained in TypeScript}'],
    ['version', plain(version)],
  ]);

function entryOf(name: string, title: string, url: string): string {
  const paper = PAPERS.get(url);
  if (paper !== undefined) return paperEntry(paper, url);
  const key = name.replace(/[^A-Za-z0-9-]/g, '') || 'paper';
  return entry('misc', key, [
    ['title', `{${plain(title)}}`],
    ['url', address(url)],
  ]);
}

const paperEntry = ({ key, authors, title, venue, year }: Paper, url: string): string =>
  entry(venue === undefined ? 'misc' : 'inproceedings', key, [
    ['author', authors],
    ['title', `{${title}}`],
    ...(venue === undefined ? [] : [['booktitle', venue] as const]),
    ['year', String(year)],
    ['url', url],
  ]);

const entry = (kind: string, key: string, fields: readonly (readonly [name: string, value: string])[]): string =>
  `@${kind}{${key},\n${fields.map(([name, value]) => `  ${name} = {${value}},\n`).join('')}}\n`;

/** Text in which nothing ends a field early, or is a command. */
const plain = (text: string): string => text.replace(/[\\{}%$#&_^~\r\n]/g, ' ').trim();

/** An address, whole, in which nothing ends the field. */
const address = (url: string): string => url.replace(/[\\{}\s]/g, encodeURIComponent);
