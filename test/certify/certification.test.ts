import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCertification } from '../../src/certify/certification.ts';
import {
  CERTIFICATION_DEFAULTS,
  type CertificationHarness,
  type CertificationPlan,
  certificationParts,
} from '../../src/certify/plan.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Certificates } from '../../src/core/run.ts';
import { openJournal } from '../../src/evaluate/journal/journal.ts';
import { journalKey } from '../../src/evaluate/journal/parts.ts';
import { Interrupted } from '../../src/evaluate/plan.ts';
import { tf } from '../../src/tf.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { contender, harness, smallClassifier, smallDataset } from '../evaluate/fixtures.ts';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'gibbon-certify-'));
});
afterAll(() => rm(folder, { recursive: true }));

const IMAGES = 8;

const plan = (given: Partial<CertificationPlan> = {}): CertificationPlan => ({
  ...CERTIFICATION_DEFAULTS,
  contenders: [contender()],
  dataset: smallDataset(IMAGES),
  images: IMAGES,
  ...{ sigmas: [0.05, 0.2], samples: 300, selectionSamples: 20, batch: 64 },
  ...given,
});

const means = (given: Partial<CertificationHarness> = {}): CertificationHarness => {
  const { onProgress: _, saving: __, ...rest } = harness();
  return { ...rest, prepare: eager, ...given };
};

/** All but the time that it took. */
const essence = (certificates: readonly Certificates[] | undefined) =>
  certificates?.map(({ seconds: _, ...rest }) => rest);

describe('a certification', () => {
  it('is a run without cells, whose accuracies follow from its images', async () => {
    const run = await runCertification(plan(), means());
    expect(run.cells).toEqual([]);
    expect(run.certificates?.map(({ sigma }) => sigma)).toEqual([0.05, 0.2]);
    for (const { accuracies, values, abstained, averageRadius, images } of run.certificates ?? []) {
      expect(values).toHaveLength(IMAGES);
      expect(abstained).toBe(values.filter(({ radius }) => radius === null).length);
      const reached = values.map(({ label, selected, radius }) => (label === selected ? (radius ?? -1) : -1));
      for (const { radius, correct, accuracy } of accuracies) {
        expect(correct).toBe(reached.filter((one) => one >= radius).length);
        expect(accuracy).toBe(correct / images);
      }
      expect(averageRadius).toBeCloseTo(reached.reduce((sum, one) => sum + Math.max(0, one), 0) / IMAGES, 12);
    }
    // The fixture has wrong labels and images near the boundary, and those that are safe.
    expect(run.certificates?.[0]?.accuracies[0]?.correct).toBeGreaterThan(0);
    expect(run.certificates?.[1]?.abstained).toBeGreaterThan(0);
  });

  it('is the same whatever the batch, and every time', async () => {
    const certify = async (batch: number) =>
      essence((await runCertification(plan({ batch }), means({ prepare: compile }))).certificates);
    const first = await certify(64);
    for (const batch of [64, 7, 320]) expect(await certify(batch)).toEqual(first);
  });

  it('goes on from its journal to the same certificates, and certifies no image twice', async () => {
    const parts = await certificationParts(plan(), means());
    const options = { key: journalKey(parts), parts, command: 'gibbon certify' };
    const path = join(folder, 'journal.ndjson');
    const stop = new AbortController();
    const first = await openJournal(path, { ...options, resume: false });
    const onProgress: CertificationHarness['onProgress'] = ({ sigma, done }) => {
      if (sigma === 0.2 && done === 3) stop.abort();
    };
    await expect(runCertification(plan(), means({ journal: first, signal: stop.signal, onProgress }))).rejects.toThrow(
      Interrupted,
    );
    await first.close();

    const second = await openJournal(path, { ...options, resume: true });
    const seen: string[] = [];
    const classifier = smallClassifier();
    let passes = 0;
    const counted = {
      ...classifier,
      logits: (x: tf.Tensor4D) => {
        passes += 1;
        return classifier.logits(x);
      },
    };
    const onEvent: CertificationHarness['onProgress'] = ({ sigma, done }) => void seen.push(`${sigma} ${done}`);
    const resumed = await runCertification(
      plan({ contenders: [contender(counted)] }),
      means({ journal: second, onProgress: onEvent }),
    );
    await second.close();
    expect(essence(resumed.certificates)).toEqual(essence((await runCertification(plan(), means())).certificates));
    // Five images were left, of 20 and 300 copies in batches of 64.
    expect(passes).toBe(5 * (1 + 5));
    expect(seen.at(-1)).toBe(`0.2 ${IMAGES}`);
  });

  it('refuses the journal of another one', async () => {
    const parts = await certificationParts(plan(), means());
    const path = join(folder, 'other.ndjson');
    await (await openJournal(path, { key: journalKey(parts), parts, command: 'a', resume: false })).close();
    const others = await certificationParts(plan({ samples: 301 }), means());
    await expect(
      openJournal(path, { key: journalKey(others), parts: others, command: 'b', resume: true }),
    ).rejects.toThrow(/the number of samples differs from this one's/);
  });

  it('refuses a network whose logits are no numbers, naming the image', async () => {
    const broken = {
      ...smallClassifier(),
      logits: (x: tf.Tensor4D) => smallClassifier().logits(x).mul(Number.NaN) as tf.Tensor2D,
    };
    await expect(runCertification(plan({ contenders: [contender(broken)] }), means())).rejects.toThrow(
      /^small-1\/standard gives logits that are not finite for toy\/test\/0 with noise: /,
    );
  });

  it('is at the noise of each network’s training where nobody says another, if its checkpoint tells', async () => {
    const trainedAt = (sigma: unknown, name = 'randomized-smoothing') =>
      trainingRecordOf({ defense: { name, params: { sigma } } });
    const records = [trainedAt(0.12), trainedAt(0.5), trainedAt(0.7, 'standard'), trainedAt('much'), undefined];
    const contenders = records.map((record, i) => ({ ...contender(smallClassifier(), `way-${i}`), record }));
    const levels = async (sigmas: CertificationPlan['sigmas']) => {
      const run = await runCertification(plan({ contenders, sigmas, images: 1, samples: 10 }), means());
      return run.certificates?.map(({ sigma }) => sigma);
    };
    expect(await levels(null)).toEqual([0.12, 0.5, 0.25, 0.25, 0.25]);
    expect(await levels([0.3])).toEqual([0.3, 0.3, 0.3, 0.3, 0.3]);
  });

  it.each([
    [{ contenders: [] }, /no network was given/],
    [{ sigmas: [] }, /no sigma was given/],
    [{ sigmas: [0] }, /sigma 0: give a number above 0/],
    [{ sigmas: [0.1, 0.1] }, /sigma 0.1 is given twice/],
    [{ alpha: 1 }, /alpha 1: give a probability/],
    [{ samples: 9 }, /9 samples can certify nothing at alpha 0.001: give 10 or more/],
    [{ samples: 1.5 }, /samples is 1.5; give a whole number above 0/],
    [{ selectionSamples: 0 }, /selectionSamples is 0/],
    [{ images: 0 }, /0 images: give a whole number, 1 to 8/],
    [{ dataset: { ...smallDataset(IMAGES), labels: 'predicted' } }, /toy says nothing of its images' classes/],
  ] satisfies (readonly [Partial<CertificationPlan>, RegExp])[])('refuses %o', async (given, complaint) => {
    await expect(runCertification(plan(given), means())).rejects.toThrow(complaint);
  });

  it('can be made with the fewest samples that can show anything', async () => {
    const run = await runCertification(plan({ samples: 10, images: 2 }), means());
    expect(run.certificates?.[0]?.accuracies.map(({ radius }) => radius)).toEqual([0]);
  });
});
