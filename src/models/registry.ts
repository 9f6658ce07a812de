import type { Architecture } from '../core/architecture.ts';
import { unknownName } from '../core/errors.ts';
import { alexnet } from './alexnet.ts';
import { densenets } from './densenet.ts';
import { googlenet } from './googlenet.ts';
import { mobilenets } from './mobilenet.ts';
import { resnets } from './resnet.ts';
import { vggs } from './vgg.ts';

/** Every architecture, families in the order of their papers. */
export const architectures: readonly Architecture[] = [
  alexnet,
  ...vggs,
  googlenet,
  ...resnets,
  ...densenets,
  ...mobilenets,
];

/** One architecture of each family, for each form: what `--arch all` means. */
export const SIX = {
  imagenet: ['alexnet', 'vgg16', 'googlenet', 'resnet50', 'densenet121', 'mobilenet_v2'],
  small: ['alexnet', 'vgg16', 'googlenet', 'resnet18', 'densenet121', 'mobilenet_v2'],
} as const;

/**
 * The architecture of that name.
 *
 * @throws UserError (usage) for an unknown name
 */
export function findArchitecture(name: string): Architecture {
  const architecture = architectures.find((known) => known.name === name);
  if (architecture !== undefined) return architecture;
  throw unknownName(
    'architecture',
    name,
    architectures.map((known) => known.name),
  );
}
