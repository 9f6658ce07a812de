/** Names as a reader wants them; a name that the run says nothing more about stands for itself. */
import type { Run } from '../core/run.ts';

export const architectureTitle = (run: Run, name: string): string =>
  run.architectures.find((architecture) => architecture.name === name)?.title ?? name;

const DATASETS: Readonly<Record<string, string>> = {
  mnist: 'MNIST',
  'fashion-mnist': 'Fashion-MNIST',
  cifar10: 'CIFAR-10',
  imagenet: 'ImageNet',
};

export const datasetTitle = (name: string): string => DATASETS[name] ?? name;

/** As a heading: `Standard training`. */
export function trainingTitle(training: string): string {
  if (training === 'standard') return 'Standard training';
  return training === 'adversarial' ? 'Adversarial training' : `Training: ${training}`;
}

/** As it stands before a network's name: `adversarially trained`. */
export function trained(training: string): string {
  if (training === 'standard') return 'standard-trained';
  return training === 'adversarial' ? 'adversarially trained' : `${training}-trained`;
}
