import type { Architecture } from '../core/architecture.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { vggs } from './vgg.ts';

export const architectures: readonly Architecture[] = [...vggs];

/** Names that are promised, so that asking for one is not answered as if it were misspelt. */
const PLANNED: readonly string[] = [
  'alexnet',
  'googlenet',
  'resnet18',
  'resnet34',
  'resnet50',
  'densenet121',
  'mobilenet_v2',
];

/**
 * The architecture of that name.
 *
 * @throws UserError (usage) for an unknown name or one that is yet to come
 */
export function findArchitecture(name: string): Architecture {
  const architecture = architectures.find((known) => known.name === name);
  if (architecture !== undefined) return architecture;
  const known = architectures.map((one) => one.name);
  if (!PLANNED.includes(name)) throw unknownName('architecture', name, known);
  throw usageError(`the architecture ${name} is not available yet; this version has: ${known.join(', ')}`);
}
