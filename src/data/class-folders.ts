/** Which class a folder of photographs stands for. */
import { UserError } from '../core/errors.ts';
import { IMAGENET_CLASSES, imagenetIndex, isWnid } from './imagenet-classes.ts';

/** `Giant_panda` and `giant panda` are the same class. */
const simplified = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, ' ');

/** Whether a folder and a class have one name, however it is spelled. */
export const isSameName = (folder: string, known: string): boolean => simplified(folder) === simplified(known);

/**
 * The class of each folder, by index:
 *
 * - WordNet ids for a network of ImageNet's 1,000 classes: the class of that id;
 * - names that the network's classes all have: the class of that name;
 * - as many folders as classes: the one at the same place, by name, unless a name says otherwise.
 *
 * @param names - of the folders, ascending
 * @param classes - of the network; none means that it has yet to learn them, and then the folders are the classes
 * @param where - what holds the folders, for errors
 * @throws UserError if none of this fits
 */
export function matchFolders(names: readonly string[], classes: readonly string[], where: string): readonly number[] {
  if (classes.length === 0) return names.map((_, i) => i);
  if (classes.length === IMAGENET_CLASSES.length && names.every(isWnid)) {
    return names.map((name) => requireImagenet(name, where));
  }
  const known = classes.map(simplified);
  const byName = names.map((name) => indexIn(known, simplified(name), where));
  if (!byName.includes(-1)) return requireDistinct(byName, names, where);
  const isContradicted = byName.some((index, place) => index !== -1 && index !== place);
  if (names.length === classes.length && !isContradicted) return names.map((_, place) => place);
  const stray = names[byName.indexOf(-1)] as string;
  throw new UserError(
    `${where} has ${names.length} class folders and the network knows ${classes.length} classes, none of them called ` +
      `"${stray}": name the folders after its classes (${classes.slice(0, 3).join(', ')}, …), or give photographs without ` +
      'class folders',
  );
}

function requireImagenet(wnid: string, where: string): number {
  const index = imagenetIndex(wnid);
  if (index !== undefined) return index;
  throw new UserError(`${where}: the class folder ${wnid} is none of ImageNet's 1,000 classes`);
}

function indexIn(known: readonly string[], name: string, where: string): number {
  const index = known.indexOf(name);
  if (index === known.lastIndexOf(name)) return index;
  throw new UserError(`${where}: the network has two classes called "${name}"; name the folder by its WordNet id`);
}

function requireDistinct(indices: readonly number[], names: readonly string[], where: string): readonly number[] {
  const twice = indices.findIndex((index, i) => indices.indexOf(index) !== i);
  if (twice === -1) return indices;
  const other = names[indices.indexOf(indices[twice] as number)];
  throw new UserError(
    `${where}: the class folders ${other} and ${names[twice]} have the same name but for its spelling`,
  );
}
