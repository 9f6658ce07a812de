/** The threat model from its flags: norm, radii, goal. */
import type { Dataset } from '../../core/dataset.ts';
import { unknownName, usageError } from '../../core/errors.ts';
import { diameterOf, type Goal, isRadius, RADIUS, type Threat, UNTARGETED } from '../../core/threat-model.ts';
import { gridOf } from './grids.ts';

/**
 * The radii to measure, ascending, each once: the dataset's grid if none are given.
 *
 * @throws UserError (usage) for a radius that cannot be meant
 */
export function radiiOf(
  given: readonly number[] | null,
  { name, input }: Pick<Dataset, 'name' | 'input'>,
  norm: Threat,
): readonly number[] {
  const diameter = diameterOf(norm, input[0] * input[1] * input[2]);
  // The grid is made for images of any size: of small ones it takes what they have room for.
  const usual = gridOf(name, norm).filter((radius) => radius <= diameter);
  const radii = [...new Set(given ?? usual)].sort((a, b) => a - b);
  for (const radius of radii) {
    requireRadius('epsilon', radius, input, norm);
  }
  return radii;
}

/**
 * Refuses a radius that cannot be meant.
 *
 * @throws UserError (usage) naming the flag
 */
export function requireRadius(flag: string, radius: number, input: Dataset['input'], norm: Threat): void {
  if (!isRadius(norm, radius)) {
    const hint = radius > 1 && radius <= 255 ? `; did you mean ${radius}/255?` : '';
    throw usageError(`--${flag} ${radius}: ${RADIUS}${hint}`);
  }
  const diameter = diameterOf(norm, input[0] * input[1] * input[2]);
  if (radius <= diameter) return;
  const farthest = Number(diameter.toFixed(2));
  throw usageError(
    `--${flag} ${radius}: no two images of ${input.join('x')} are farther than ${farthest} apart in ${norm}`,
  );
}

/**
 * The goal that `--target` states: a class by its index or its name; untargeted without one.
 *
 * @throws UserError (usage) if there is no such class
 */
export function goalOf(target: string | null, classes: readonly string[]): Goal {
  if (target === null) return UNTARGETED;
  const byName = classes.indexOf(target);
  const index = byName >= 0 ? byName : /^\d+$/.test(target) ? Number(target) : -1;
  if (index >= 0 && index < classes.length) return { kind: 'targeted', target: index };
  throw /^[+-]?\d/.test(target)
    ? usageError(`--target ${target}: classes are numbered from 0 to ${classes.length - 1}`)
    : unknownName('class', target, classes);
}
