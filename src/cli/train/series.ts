/** The networks that a command trains, one after the other. */
import { existsSync } from 'node:fs';
import { usageError } from '../../core/errors.ts';
import { findArchitecture, SIX } from '../../models/registry.ts';
import { augmentationOf } from '../../train/augment.ts';
import { checkFiles, trainingFiles } from '../../train/files.ts';
import { isWeightsVersion } from '../../weights/torchvision.ts';
import { checkpointPath } from '../checkpoints.ts';
import type { Given } from '../flags.ts';
import { paramsOf, refuseIdle } from '../module-flags.ts';
import { isFile } from '../user-files.ts';
import { findDefense } from './find-defense.ts';
import type { Single, TrainValues } from './flags.ts';
import { openImages } from './images.ts';

export interface Job {
  readonly values: Single;
  /** The checkpoint to make. */
  readonly out: string;
  /** Attacks, defenses and the like whose parameters it may have. */
  readonly owners: readonly string[];
  /** It is there already, made by an earlier run of the series. */
  readonly isDone: boolean;
  /** Whether to go on from where it was interrupted. */
  readonly resume: boolean;
}

/**
 * A job for every architecture and training.
 *
 * @param given - parameters of defenses, schedules and augmentations
 * @throws UserError for names that nobody has, parameters that take no part, files in the way: whatever can be known before
 *   the first network is trained
 */
export async function seriesOf(values: TrainValues, given: Given): Promise<readonly Job[]> {
  const { from, out, resume, schedule, augment } = values;
  const architectures = architecturesOf(values);
  const words = [...new Set(values.training)];
  const chosen = await Promise.all(words.map(async (word) => ({ word, defense: await findDefense(word) })));
  const shared = [schedule, ...augment];
  refuseIdle([...chosen.map(({ defense }) => defense.name), ...shared], given);
  for (const name of augment) augmentationOf(name, paramsOf(name, given));
  const count = architectures.length * chosen.length;
  if (out !== null && count > 1) throw usageError(`--out names one file, and there are ${count} networks to train`);
  if (out !== null && !out.endsWith('.safetensors')) {
    throw usageError(`--out ${out}: a checkpoint is a safetensors file; give it a name that ends in .safetensors`);
  }
  if (from !== null && !isWeightsVersion(from) && architectures.length > 1) {
    throw usageError(`--from ${from} holds the weights of one architecture; give one --arch, or --from imagenet`);
  }
  // Its name and its classes do not depend on what its photographs become.
  const { name: dataset } = await openImages(values.dataset, [64, 64, 3]);
  const jobs = architectures.flatMap((arch) =>
    chosen.map(({ word, defense }): Job => {
      const training = defense.training ?? defense.name;
      const path = out ?? checkpointPath(dataset, arch, training);
      return {
        values: { ...values, arch, training: isFile(word) ? word : training },
        out: path,
        owners: [defense.name, ...shared],
        isDone: count > 1 && existsSync(path),
        // In a series there are networks that nobody has begun yet.
        resume: resume && (count === 1 || existsSync(trainingFiles(path).state)),
      };
    }),
  );
  // Found before the networks that come first are trained for hours.
  for (const job of jobs) if (!job.isDone) checkFiles(trainingFiles(job.out), job.resume);
  return jobs;
}

function architecturesOf({ arch, form, from }: TrainValues): readonly string[] {
  const six = form === 'small' || (form === null && from === null) ? SIX.small : SIX.imagenet;
  return [...new Set(arch.flatMap((word) => (word === 'all' ? six : [findArchitecture(word).name])))];
}
