/** Certificates as a certification would leave them: for tests of the report. */
import type { Certificates, Run } from '../../src/core/run.ts';
import { wilson95 } from '../../src/core/statistics.ts';
import { sampleRun } from './sample-run.ts';

export interface Certifiable {
  readonly arch: string;
  readonly training: string;
  readonly sigma: number;
  readonly images: number;
}

/** Of every twentieth image nothing is said, every ninth is wrong; radii spread evenly up to 3.2 σ. */
export function sampleCertificates({ arch, training, sigma, images }: Certifiable): Certificates {
  const largest = 3.2 * sigma;
  const values = Array.from({ length: images }, (_, i) => ({
    label: i % 10,
    selected: i % 9 === 0 ? (i + 1) % 10 : i % 10,
    votes: 9000,
    radius: i % 20 === 1 ? null : Math.min(largest, (1.4 * largest * i) / images),
  }));
  const radii = Array.from({ length: Math.floor(largest / 0.25) + 1 }, (_, i) => i * 0.25);
  const right = values.map(({ label, selected, radius }) => (label === selected ? (radius ?? -1) : -1));
  return {
    ...{ arch, training, sigma, selectionSamples: 100, samples: 10_000, alpha: 0.001, images, values },
    abstained: values.filter(({ radius }) => radius === null).length,
    averageRadius: right.reduce((sum, radius) => sum + Math.max(0, radius), 0) / images,
    accuracies: radii.map((radius) => {
      const correct = right.filter((reached) => reached >= radius).length;
      return { radius, correct, accuracy: correct / images, wilson95: wilson95(correct, images) };
    }),
    ...{ forwards: images * 10_100, seconds: 12.5 },
  };
}

/** A run that attacked nothing: every network at every level of noise. */
export async function certifiedRun(architectures: readonly string[], sigmas: readonly number[]): Promise<Run> {
  const training = 'randomized-smoothing';
  const run = await sampleRun({ architectures, trainings: [training], galleryRows: 0 });
  const certificates = architectures.flatMap((arch) =>
    sigmas.map((sigma) => sampleCertificates({ arch, training, sigma, images: 200 })),
  );
  const { worstCases: _, performance: __, ...rest } = run;
  return { ...rest, attacks: [], cells: [], certificates };
}
