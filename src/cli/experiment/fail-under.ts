/** `--fail-under 'pgd@0.3=0.5'`: the exit code as a gate for continuous integration. */
import { usageError } from '../../core/errors.ts';
import { type Param, parseNumber } from '../../core/params.ts';
import type { Run } from '../../core/run.ts';

/** Under `attack`, or `worst`: all attacks taken together, at `epsilon`, every network must keep at least this robust accuracy. */
export interface Requirement {
  readonly attack: string;
  readonly epsilon: number;
  readonly accuracy: number;
}

export const requirement: Param<Requirement> = {
  default: { attack: '', epsilon: 0, accuracy: 0 },
  label: '',
  accepts:
    'ATTACK@EPSILON=ACCURACY with an accuracy from 0 to 1, such as pgd@0.3=0.5, or worst@0.3=0.5 for all attacks together',
  parse: (given) => {
    const parts = typeof given === 'string' ? /^([^@=]+)@([^@=]+)=([^@=]+)$/.exec(given.trim()) : null;
    const epsilon = parseNumber(parts?.[2]);
    const accuracy = parseNumber(parts?.[3]);
    if (parts === null || epsilon === undefined || accuracy === undefined) return undefined;
    return epsilon >= 0 && accuracy >= 0 && accuracy <= 1
      ? { attack: parts[1] as string, epsilon, accuracy }
      : undefined;
  },
};

/** What stands for all attacks together, image by image. */
const WORST = 'worst';

/** Whether two radii are the same number however they were written (8/255 and 0.03137). */
const sameRadius = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-4 * Math.max(a, b);

/**
 * Refuses requirements that no cell of the run could meet or miss.
 *
 * @throws UserError (usage)
 */
export function checkRequirements(
  requirements: readonly Requirement[],
  attacks: readonly string[],
  epsilons: readonly number[],
): void {
  for (const { attack, epsilon } of requirements) {
    if (![...attacks, WORST].includes(attack)) {
      throw usageError(
        `--fail-under names ${attack}, which is not among the attacks: ${attacks.join(', ')}; nor is it ${WORST}, all of them together`,
      );
    }
    if (!epsilons.some((given) => sameRadius(given, epsilon))) {
      throw usageError(`--fail-under names epsilon ${epsilon}, which is not measured: ${epsilons.join(', ')}`);
    }
  }
}

/** A line for every network below what is required of it; none if all is well. An attack that is called `worst` is that attack. */
export function shortfalls(
  requirements: readonly Requirement[],
  { cells, worstCases = [] }: Pick<Run, 'cells' | 'worstCases'>,
): string[] {
  return requirements.flatMap(({ attack, epsilon, accuracy }) => {
    const own = cells.filter((cell) => cell.attack === attack);
    const isTogether = own.length === 0 && attack === WORST;
    return (isTogether ? worstCases : own)
      .filter((found) => sameRadius(found.epsilon, epsilon) && found.robustAccuracy < accuracy)
      .map(({ arch, training, robustAccuracy }) => {
        const under = isTogether ? 'all attacks together' : attack;
        return `${arch} (${training}) keeps ${robustAccuracy} under ${under} at ${epsilon}; ${accuracy} is required`;
      });
  });
}
