/** `--transfer`: at which radius images are made against one network to be tried on the others. */
import type { Dataset } from '../../core/dataset.ts';
import { usageError } from '../../core/errors.ts';
import type { Threat } from '../../core/threat-model.ts';
import { requireRadius } from './threat.ts';

interface TransferValues {
  readonly transfer: boolean;
  readonly 'transfer.epsilon': number | null;
  readonly norm: Threat;
}

/**
 * The radius of the transfer, in pixel units; undefined if none is asked for.
 *
 * @param spokenOf - the radius of the headline, at which it is measured unless told otherwise
 * @param input - the shape of the images
 * @throws UserError (usage) for a radius that cannot be meant, or that nothing would be made at
 */
export function transferEpsilonOf(
  { transfer, norm, 'transfer.epsilon': given }: TransferValues,
  spokenOf: number,
  input: Dataset['input'],
): number | undefined {
  if (!transfer) {
    if (given !== null) throw usageError(`--transfer.epsilon ${given} is given without --transfer; give both`);
    return undefined;
  }
  if (given !== null) requireRadius('transfer.epsilon', given, input, norm);
  return given ?? spokenOf;
}
