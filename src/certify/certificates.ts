/** From votes to what run.json says of a network at one level of noise. */
import type { Certificates } from '../core/run.ts';
import { wilson95 } from '../core/statistics.ts';
import type { CertifiedRow } from '../evaluate/journal/record.ts';
import type { Contender } from '../evaluate/plan.ts';
import type { CertificationPlan } from './plan.ts';
import { certifiedRadius, largestRadius } from './smoothing.ts';

/** Accuracy is stated at multiples of this, in pixel units, as the paper's tables do. */
const RADIUS_STEP = 0.25;

export interface Certified {
  readonly contender: Contender;
  readonly sigma: number;
  /** One per image, in any order. */
  readonly rows: readonly CertifiedRow[];
  readonly seconds: number;
}

/** What the rows certify, image by image and in numbers. */
export function certificatesOf({ contender, sigma, rows, seconds }: Certified, plan: CertificationPlan): Certificates {
  const { selectionSamples, samples, alpha } = plan;
  const level = { sigma, alpha };
  const values = rows
    .toSorted(([a], [b]) => a - b)
    .map(([, label, selected, votes]) => ({
      ...{ label, selected, votes },
      radius: certifiedRadius(votes, samples, level),
    }));
  const right = values.map(({ label, selected, radius }) => (label === selected ? radius : null));
  return {
    ...{ arch: contender.architecture.name, training: contender.training, sigma, selectionSamples, samples, alpha },
    images: values.length,
    abstained: values.filter(({ radius }) => radius === null).length,
    averageRadius: right.reduce<number>((sum, radius) => sum + (radius ?? 0), 0) / values.length,
    accuracies: radiiUpTo(largestRadius(samples, level)).map((radius) => {
      const correct = right.filter((reached) => reached !== null && reached >= radius).length;
      return { radius, correct, accuracy: correct / values.length, wilson95: wilson95(correct, values.length) };
    }),
    values,
    forwards: values.length * (selectionSamples + samples),
    seconds,
  };
}

const radiiUpTo = (largest: number): readonly number[] =>
  Array.from({ length: Math.floor(largest / RADIUS_STEP) + 1 }, (_, i) => i * RADIUS_STEP);
