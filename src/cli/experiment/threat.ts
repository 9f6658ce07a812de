/** The threat model from its flags: norm, radii, goal. */
import { unknownName, usageError } from '../../core/errors.ts';
import { type Goal, isRadius, type Norm, RADIUS, UNTARGETED } from '../../core/threat-model.ts';
import { gridOf } from './grids.ts';

/**
 * The radii to measure, ascending, each once: the dataset's grid if none are given.
 *
 * @throws UserError (usage) for a radius that cannot be meant
 */
export function radiiOf(given: readonly number[] | null, dataset: string, norm: Norm): readonly number[] {
  const radii = [...new Set(given ?? gridOf(dataset, norm))].sort((a, b) => a - b);
  for (const radius of radii) {
    if (isRadius(norm, radius)) continue;
    const hint = radius > 1 && radius <= 255 ? `; did you mean ${radius}/255?` : '';
    throw usageError(`--epsilon ${radius}: ${RADIUS}${hint}`);
  }
  return radii;
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
