/** The clean pass: what a contender makes of the images as they are, computed once for all attacks. */
import { UserError } from '../core/errors.ts';
import type { SelectedImage, Selection } from './images.ts';
import type { JournalRecord } from './journal/record.ts';
import { type Contender, contenderName, stopIfAborted } from './plan.ts';
import type { Judge } from './pool/engine.ts';
import { argMax, judgeAll } from './pool/verify.ts';

export type CleanRecord = Extract<JournalRecord, { kind: 'clean' }>;

export interface CleanPassOptions {
  /** Whether labels are known; where they are not, each prediction is taken for the label. */
  readonly labels: 'true' | 'predicted';
  readonly signal?: AbortSignal | undefined;
  /** Told how many images were classified, and how many correctly. */
  readonly onBatch: (done: number, correct: number) => void;
}

/**
 * Label and predicted class of every selected image, in order.
 *
 * @throws UserError if an image does not fit the classifier, or there is none, or logits are not finite
 * @throws Interrupted after the batch at hand, if the signal is aborted
 */
export async function cleanPass(
  contender: Contender,
  judge: Judge,
  selection: Selection,
  { labels: source, signal, onBatch }: CleanPassOptions,
): Promise<CleanRecord> {
  const began = performance.now();
  const labels: number[] = [];
  const predicted: number[] = [];
  const batch: SelectedImage[] = [];
  let correct = 0;
  const classify = async (): Promise<void> => {
    await new Promise(setImmediate);
    stopIfAborted(signal);
    const logits = await judgeAll(
      judge,
      batch.map(({ pixels }) => pixels),
    );
    batch.splice(0).forEach((image, i) => {
      const found = argMax(finite(contender, image.id, logits[i] as Float32Array));
      const label = source === 'true' ? image.label : found;
      labels.push(label);
      predicted.push(found);
      if (found === label) correct += 1;
    });
    onBatch(labels.length, correct);
  };
  for await (const image of selection.stream()) {
    requireFit(contender, image, source);
    batch.push(image);
    if (batch.length === judge.batch) await classify();
  }
  if (batch.length > 0) await classify();
  if (labels.length === 0) throw new UserError('the dataset gave no image that could be read');
  const seconds = (performance.now() - began) / 1000;
  const skipped = [...selection.skipped()];
  return { kind: 'clean', contender: contenderName(contender), labels, predicted, skipped, seconds };
}

/**
 * Logits of which none is NaN, which `argMax` would take for the first class, or beyond float32.
 *
 * @throws UserError naming the network and the image
 */
export function finite(contender: Contender, id: string, logits: Float32Array): Float32Array {
  if (logits.every(Number.isFinite)) return logits;
  throw new UserError(
    `${contenderName(contender)} gives logits that are not finite for ${id}: its weights are broken, or of another network`,
  );
}

/** @throws UserError if the image's size or its label are none of the network's */
export function requireFit(
  contender: Contender,
  { id, label, pixels }: SelectedImage,
  source: 'true' | 'predicted',
): void {
  const { classes, input } = contender.classifier;
  const size = input[0] * input[1] * input[2];
  if (pixels.length !== size) {
    throw new UserError(
      `${contenderName(contender)} takes images of ${input.join('×')}, ${size} values; ${id} has ${pixels.length}`,
    );
  }
  if (source === 'true' && !(label >= 0 && label < classes)) {
    throw new UserError(`${contenderName(contender)} knows ${classes} classes; the label of ${id} is ${label}`);
  }
}
