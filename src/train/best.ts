/**
 * Which epoch was the best. Adversarial training goes on to lower its loss long after robust accuracy on other images has
 * begun to fall; stopping at the best epoch regains what is lost.
 *
 * Rice, Wong, Kolter, "Overfitting in Adversarially Robust Deep Learning", ICML 2020, sections 3 and 4.
 */
import type { TrainedEpoch } from '../core/training-record.ts';

type Judged = Pick<TrainedEpoch, 'validation'>;

/** Robust accuracy decides, and clean accuracy where it is the same; without an adversary clean accuracy alone. */
const merits = ({ validation }: Judged, isAdversarial: boolean): readonly number[] => {
  const { clean, robust } = validation ?? { clean: -1, robust: -1 };
  return isAdversarial ? [robust, clean] : [clean];
};

function isBetter(one: Judged, other: Judged, isAdversarial: boolean): boolean {
  const [a, b] = [merits(one, isAdversarial), merits(other, isAdversarial)];
  const differs = a.findIndex((merit, i) => merit !== b[i]);
  return differs >= 0 && (a[differs] as number) > (b[differs] as number);
}

/** The best of some epochs, the first of equals; undefined if none was validated. */
export const bestOf = <T extends Judged>(history: readonly T[], isAdversarial: boolean): T | undefined =>
  history
    .filter(({ validation }) => validation !== null)
    .reduce<T | undefined>(
      (best, epoch) => (best === undefined || isBetter(epoch, best, isAdversarial) ? epoch : best),
      undefined,
    );

/** The accuracy by which epochs are told apart first. */
export const merit = (epoch: Judged, isAdversarial: boolean): number => merits(epoch, isAdversarial)[0] ?? 0;
