/** Names as a reader wants them; a name that the run says nothing more about stands for itself. */
import type { Run } from '../core/run.ts';
import { STANDARD, trainingWords, UNSTATED } from '../core/training.ts';
import { fraction } from './format.ts';

export const architectureTitle = (run: Run, name: string): string =>
  run.architectures.find((architecture) => architecture.name === name)?.title ?? name;

/** The form of an architecture that is not its full one: `small form, 1/8 width`. */
export function formInWords({ form }: Run['architectures'][number]): string | undefined {
  if (form === undefined || (form.variant === 'imagenet' && form.width === 1)) return undefined;
  return form.width === 1 ? `${form.variant} form` : `${form.variant} form, ${fraction(form.width)} width`;
}

const DATASETS: Readonly<Record<string, string>> = {
  mnist: 'MNIST',
  'fashion-mnist': 'Fashion-MNIST',
  cifar10: 'CIFAR-10',
  imagenet: 'ImageNet',
};

export const datasetTitle = (name: string): string => DATASETS[name] ?? name;

/** Whether the words would only say what is usual, or nothing. */
export const goesWithoutSaying = (training: string): boolean => training === STANDARD || training === UNSTATED;

/** In a sentence: `VGG-16 (standard training)`. */
export const networkTitle = (
  run: Run,
  { arch, training }: { readonly arch: string; readonly training: string },
): string => `${architectureTitle(run, arch)} (${howTrained(training)})`;

/** As a heading: `Standard training`, `Standard training + jpeg`. */
export function trainingTitle(called: string): string {
  const { plain, defense } = titleParts(called);
  return defense === undefined ? plain : `${plain} + ${defense}`;
}

/** In the middle of a sentence: `standard training + jpeg`. What its owner called it stays as it is. */
export const howTrained = (called: string): string => uncapitalised(trainingTitle(called));

export const uncapitalised = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** The title of how a network was trained, and the defense that it stands behind. */
export function titleParts(called: string): { readonly plain: string; readonly defense: string | undefined } {
  const { training, defense, file } = trainingWords(called);
  return { plain: plainTitle(defense === undefined ? called : named(training, file)), defense };
}

function plainTitle(training: string): string {
  if (training === UNSTATED) return 'As given';
  if (training === STANDARD) return 'Standard training';
  return training === 'adversarial' ? 'Adversarial training' : `Training: ${training}`;
}

/** As it stands before a network's name: `adversarially trained`, `adversarially trained, jpeg-defended`. */
export function trained(called: string): string {
  const { training, defense, file } = trainingWords(called);
  if (defense === undefined) return plainlyTrained(called);
  const plain = named(training, file);
  return goesWithoutSaying(plain) ? `${defense}-defended` : `${plainlyTrained(plain)}, ${defense}-defended`;
}

function plainlyTrained(training: string): string {
  if (training === UNSTATED) return 'given';
  if (training === STANDARD) return 'standard-trained';
  return training === 'adversarial' ? 'adversarially trained' : `${training}-trained`;
}

const named = (training: string, file: string | undefined): string =>
  file === undefined ? training : `${training}/${file}`;
