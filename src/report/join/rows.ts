/** What makes two rows of different runs the same, and what they must then agree on. */
import type { Cell, Certificates, DefendedCell, Distances, Run, Transfer } from '../../core/run.ts';
import { counted, normSymbol, radius } from '../format.ts';
import type { Rows } from './union.ts';

interface Network {
  readonly arch: string;
  readonly training: string;
}

const network = ({ arch, training }: Network): string => `${arch} (${training})`;

/** Radii are computed, so two that differ by rounding alone are one. */
const rounded = (epsilon: number): number => Math.round(epsilon * 1e9);

const sorted = (params: Readonly<Record<string, unknown>>): unknown =>
  Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));

const at = ({ norm, epsilon }: Pick<Cell, 'norm' | 'epsilon'>): string => `${normSymbol(norm)} ε = ${radius(epsilon)}`;

/** The code that a user brought, as an error tells one from another. */
const fileOf = (sha256: string | undefined): string[] =>
  sha256 === undefined ? [] : [`from a file of SHA-256 ${sha256}`];

const ONE_NAME = 'In a joined run one name can stand for one thing only: join runs that mean the same by it';

export const CELLS: Rows<Cell> = {
  of: ({ cells }) => cells,
  key: ({ arch, training, dataset, attack, params, restarts, norm, epsilon, goal, images }) => [
    ...[arch, training, dataset, attack, sorted(params), restarts, norm, rounded(epsilon), goal, images],
  ],
  says: ({ cleanCorrect, robustCorrect, robustCorrect8bit }) => [cleanCorrect, robustCorrect, robustCorrect8bit],
  name: (cell) => `${cell.attack} on ${network(cell)}, ${cell.dataset}, ${at(cell)}`,
  words: ({ cleanCorrect, robustCorrect, robustCorrect8bit, images }) =>
    `${cleanCorrect} of ${counted(images, 'image')} right without attack, ${robustCorrect} under it, ${robustCorrect8bit} as 8-bit PNGs`,
};

export const DISTANCES: Rows<Distances> = {
  of: ({ distances }) => distances,
  key: ({ arch, training, attack, norm }) => [arch, training, attack, norm],
  says: ({ values }) => values,
  name: (row) => `the ${normSymbol(row.norm)} distances of ${row.attack} on ${network(row)}`,
  words: ({ median, values }) =>
    `a median of ${median ?? 'more than was found'} over ${counted(values.length, 'image')}`,
};

export const CERTIFICATES: Rows<Certificates> = {
  of: ({ certificates }) => certificates,
  key: ({ arch, training, sigma, selectionSamples, samples, alpha }) => [
    ...[arch, training, sigma, selectionSamples, samples, alpha],
  ],
  says: ({ values }) => values,
  name: (row) => `the certificates of ${network(row)} at σ = ${row.sigma}`,
  words: ({ averageRadius, images }) => `an average radius of ${averageRadius} over ${counted(images, 'image')}`,
};

export const TRANSFER: Rows<Transfer> = {
  of: ({ transfer }) => transfer,
  key: ({ source, target, attack, norm, epsilon }) => [
    ...[source.arch, source.training, target.arch, target.training, attack, norm, rounded(epsilon)],
  ],
  says: ({ images, fooled, whiteBoxFooled }) => [images, fooled, whiteBoxFooled],
  name: (row) => `${row.attack} carried from ${network(row.source)} to ${network(row.target)}, ${at(row)}`,
  words: ({ fooled, images }) => `${fooled} of ${counted(images, 'image')} fooled`,
};

export const DEFENDED: Rows<DefendedCell> = {
  of: ({ defended }) => defended,
  key: ({ arch, training, attack, norm, epsilon }) => [arch, training, attack, norm, rounded(epsilon)],
  says: ({ images, naiveCorrect, adaptiveCorrect }) => [images, naiveCorrect, adaptiveCorrect],
  name: (row) => `naive and adaptive ${row.attack} on ${network(row)}, ${at(row)}`,
  words: ({ naiveCorrect, adaptiveCorrect, images }) =>
    `${naiveCorrect} and ${adaptiveCorrect} of ${counted(images, 'image')} right`,
};

/** A defense is known by its name alone, so that one name can stand for one setting only. */
export const DEFENSES: Rows<NonNullable<Run['defenses']>[number]> = {
  of: ({ defenses }) => defenses,
  key: ({ name }) => name,
  says: ({ params, adversary, sha256 }) => [sorted(params), adversary, sha256],
  name: ({ name }) => `the defense ${name}`,
  words: ({ params, sha256 }) => [JSON.stringify(params), ...fileOf(sha256)].join(', '),
  remedy: ONE_NAME,
};

/** So is an attack that is made of others, or brought by a user. */
export const ATTACKS: Rows<Run['attacks'][number]> = {
  of: ({ attacks }) => attacks,
  key: ({ name }) => name,
  says: ({ title, access, sha256 }) => [title, access, sha256],
  name: ({ name }) => `the attack ${name}`,
  words: ({ title, access, sha256 }) => [title, `access: ${access}`, ...fileOf(sha256)].join(', '),
  remedy: ONE_NAME,
};

/** Of older runs less is known, so that only what all have is compared. */
export const ARCHITECTURES: Rows<Run['architectures'][number]> = {
  of: ({ architectures }) => architectures,
  key: ({ name }) => name,
  says: ({ title, parameters }) => [title, parameters],
  name: ({ name }) => `the network ${name}`,
  words: ({ title, parameters }) => `${title}, ${counted(parameters, 'parameter')}`,
  remedy: ONE_NAME,
};
