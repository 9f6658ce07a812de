/** The images to learn from. */
import type { ImageShape } from '../../core/classifier.ts';
import { type Dataset, usualResize } from '../../core/dataset.ts';
import { UserError } from '../../core/errors.ts';
import { datasetNames, openDataset } from '../../data/registry.ts';

/**
 * Opens the training split of a dataset, or of a folder of class folders.
 *
 * @param input - what photographs become
 * @throws UserError if it cannot be opened, or there is nothing to learn from it
 */
export async function openImages(name: string, input: ImageShape): Promise<Dataset> {
  if (datasetNames.includes(name)) return openDataset(name, 'train');
  const dataset = await openDataset(name, 'train', { input, resize: usualResize(input), classes: [] });
  requireClasses(dataset, name);
  return dataset;
}

/** @throws UserError if there is nothing to be told apart, or the folder would be taken for another dataset */
function requireClasses({ name, classes }: Dataset, folder: string): void {
  const sorted = 'sort the images into a folder for each class';
  if (classes.length === 0) throw new UserError(`${folder} has no class folders to learn from: ${sorted}`);
  if (classes.length === 1) throw new UserError(`${folder} has the class ${classes[0]} alone: ${sorted}, two at least`);
  if (datasetNames.includes(name)) {
    throw new UserError(`${folder}: its network would be taken for one of the dataset ${name}; rename the folder`);
  }
}
