/** Words that may stand behind a flag although others may too: what the registries know, for editors and shells. */
import { datasetNames } from '../data/registry.ts';
import { loadAttacks, loadDefenses } from '../discover/modules.ts';
import { architectures } from '../models/registry.ts';
import { augmentations } from '../train/augment.ts';
import { NO_DEFENSE } from './experiment/defenses.ts';
import { bundledConfigs } from './find-config.ts';
import { isTraining } from './known-defenses.ts';

/** By flag. */
export type Suggestions = Readonly<Record<string, readonly string[]>>;

/** @param command - the same flag may take other names elsewhere: `train --training` takes defenses */
export async function suggestionsFor(command: string): Promise<Suggestions> {
  const [attacks, defenses] = await Promise.all([loadAttacks(), loadDefenses()]);
  const all = [...defenses.values()];
  const training = all.filter(isTraining);
  const published = ['imagenet', 'imagenet-v2'];
  return {
    attack: [...attacks.keys(), 'all'],
    arch: [...architectures.map(({ name }) => name), 'all'],
    training: [
      ...training.map(({ name, training: called = name }) => called),
      ...(command === 'train' ? training.map(({ name }) => name) : []),
    ].filter((name, i, names) => names.indexOf(name) === i),
    defense: [...all.filter(({ wrap }) => wrap !== undefined).map(({ name }) => name), NO_DEFENSE, 'all'],
    dataset: datasetNames,
    weights: published,
    from: published,
    augment: augmentations.map(({ name }) => name),
    variant: ['imagenet', 'small'],
    config: bundledConfigs(),
  };
}
