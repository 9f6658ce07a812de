/** What certificates say, for whatever shows them. */
import type { Certificates, Run } from '../core/run.ts';
import type { Segment } from './finding.ts';
import { enumerate, percent, significant, whole } from './format.ts';
import { architectureTitle } from './names.ts';
import { groupBy, type Measured, sameRadius } from './slice.ts';

/** The radius at which the literature compares certificates, in pixel units. */
const CUSTOMARY_RADIUS = 0.5;

/** `0.25` */
export const shownSigma = (sigma: number): string => significant(sigma, 4);

/** With what confidence a radius holds: `99.9 %`. */
export const confidence = ({ alpha }: Pick<Certificates, 'alpha'>): string => `${significant(100 * (1 - alpha), 6)} %`;

/** Share of the images certified at a radius; undefined beyond what so many samples can show. */
export function certifiedAt({ accuracies, images }: Certificates, radius: number): Measured | undefined {
  const found = accuracies.find((entry) => sameRadius(entry.radius, radius));
  return found && { images, share: found.accuracy, interval: found.wilson95 };
}

/** All radii of some certificates at which accuracy is stated, ascending. */
export const statedRadii = (entries: readonly Certificates[]): readonly number[] =>
  [...new Set(entries.flatMap(({ accuracies }) => accuracies.map(({ radius }) => radius)))].sort((a, b) => a - b);

/** Certified radii as distances that an adversary must go: 0 where the class is wrong, or nothing is said. */
export const certifiedDistances = ({ values }: Certificates): readonly number[] =>
  values.map(({ label, selected, radius }) => (label === selected && radius !== null ? radius : 0));

/**
 * The best network at the customary radius, or at the largest stated below it at which there is anything to say. What could
 * not show that radius, however good, for want of samples, is no worse for it: the sentence says so.
 */
export function certifiedFinding(run: Run): readonly Segment[] {
  const entries = run.certificates ?? [];
  const shareAt = (entry: Certificates, radius: number): number => certifiedAt(entry, radius)?.share ?? 0;
  const radius =
    statedRadii(entries).findLast(
      (one) => one <= CUSTOMARY_RADIUS + 1e-9 && entries.some((entry) => shareAt(entry, one) > 0),
    ) ?? 0;
  const able = entries.filter((entry) => certifiedAt(entry, radius) !== undefined);
  const [best] = able.toSorted((a, b) => shareAt(b, radius) - shareAt(a, radius));
  const measured = best && certifiedAt(best, radius);
  if (best === undefined || measured === undefined) return [];
  const several = able.length > 1 ? `The best of ${able.length} certified: smoothed` : 'Smoothed';
  return [
    `${several} with noise of `,
    { kind: 'together', text: `σ = ${shownSigma(best.sigma)}` },
    ', ',
    { kind: 'together', text: architectureTitle(run, best.arch) },
    ' classifies ',
    { kind: 'attacked', measured, fell: false },
    ' of the images correctly under every L2 perturbation ',
    { kind: 'together', text: radius === 0 ? 'of some radius' : `up to ${significant(radius, 3)}` },
    `, certified with ${confidence(best)} confidence an image`,
    ...outOfReach(entries.filter((entry) => !able.includes(entry))),
    '.',
  ];
}

/** Whose samples are too few for the radius, at whatever accuracy. */
function outOfReach(entries: readonly Certificates[]): readonly Segment[] {
  return [...groupBy(entries, ({ samples }) => String(samples)).values()].flatMap((alike): readonly Segment[] => {
    const sigmas = [...new Set(alike.map(({ sigma }) => shownSigma(sigma)))];
    return [
      '; with ',
      { kind: 'together', text: `${whole(alike[0]?.samples ?? 0)} samples` },
      ', ',
      { kind: 'together', text: `σ = ${enumerate(sigmas)}` },
      ' cannot show so large a radius',
    ];
  });
}

/** What is left over: `3.5 % abstain`. */
export const abstention = ({ abstained, images }: Certificates): string => percent(abstained / images);
