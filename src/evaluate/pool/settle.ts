/** What comes of tries that have ended: candidates are verified, lanes settled or tried again. */

import type { Norm, Threat } from '../../core/threat-model.ts';
import { stepsAt, triesAt } from '../rehearse/rehearse.ts';
import { type Lane, onwards } from './lanes.ts';
import type { Outcome, PoolSpec } from './pool.ts';
import { sizeOf } from './size.ts';
import type { Candidate, Paused } from './slots.ts';
import { marginOf } from './trace.ts';
import { argMax, distance, judgeAll, logitsReach, type Made, type Refusal, refusal, roundTo8Bits } from './verify.ts';

/** A candidate after its verification. */
interface Verified {
  readonly lane: Lane;
  readonly made: Made;
  /** It reaches the goal, and is an image that the adversary was allowed to make. */
  readonly success: boolean;
  readonly refused: Refusal | undefined;
  /** Either the step that made it or the verification takes it for adversarial. */
  readonly claimed: boolean;
  /** Its values, or the network's for it, are no numbers. */
  readonly isBroken: boolean;
  /** What the network takes it for; null if its logits are no numbers. */
  readonly predicted: number | null;
  /** Steps that its try had taken when it was made. */
  readonly at: number;
  /** The try goes on, for its claim is not confirmed. */
  readonly onward: Paused | undefined;
}

/** What is not settled yet. */
export interface Unsettled {
  /** Go on to their next try, or their next radius. */
  readonly lanes: readonly Lane[];
  /** Go on with the try at hand, as if they had claimed nothing. */
  readonly paused: readonly Paused[];
}

/** Verifies candidates, reports what is settled, and returns what goes on. */
export async function settle(spec: PoolSpec, candidates: readonly Candidate[]): Promise<Unsettled> {
  const { rehearsal, restarts } = spec;
  const all = await verify(spec, candidates);
  const paused = all.flatMap(({ onward }) => onward ?? []);
  const verified = all.filter(({ onward }) => onward === undefined);
  const isFinal = ({ lane, success }: Verified): boolean =>
    (success && !rehearsal.minimumNorm) || lane.tries >= triesAt(rehearsal, lane.epsilon, restarts);
  const final = verified.filter(isFinal);
  const again = verified.filter((one) => !isFinal(one)).map(({ lane }) => lane);

  const rounded = await judgeAll(
    spec.judge,
    final.map(({ made }) => roundTo8Bits(made.x)),
  );
  const outcomes = final.flatMap((one, i): Outcome[] => {
    const { lane, refused } = one;
    const robust8bit = refused !== undefined || !logitsReach(spec.goal, lane.image.label, rounded[i] as Float32Array);
    if (rehearsal.minimumNorm) return byDistance(spec, one, robust8bit);
    const here = atRadius(spec, one, robust8bit);
    const left = lane.radii.slice(1);
    // What was fitted is one thing at each radius: what another one did says nothing of it.
    const isOneEach = rehearsal.fit !== undefined;
    const hasFallen = !isOneEach && !here.robust && !here.robust8bit;
    const inherited = hasFallen ? left.filter((radius) => radius !== lane.exhibited) : [];
    const [next, ...rest] = left.filter((radius) => !inherited.includes(radius));
    if (next !== undefined) {
      const fallen =
        here.robust || isOneEach
          ? lane.fallen
          : { made: here.made, robust8bit: here.robust8bit, predicted: here.predicted };
      again.push(onwards(spec, lane, [next, ...rest], fallen));
    }
    return [here, ...inherited.map((radius) => ({ ...here, ...NOTHING_SPENT, ...INHERITED, radius }))];
  });
  if (outcomes.length > 0) await spec.onSettled(outcomes);
  return { lanes: again, paused };
}

const NOTHING_SPENT = { unverified: 0, gradients: 0, forwards: 0 };
/** What was not made at a radius says nothing of the attack at it. */
const INHERITED = { fell: 'before', size: undefined, margins: undefined } as const;

/**
 * Every candidate, verified. One that claims the goal and is not confirmed ends nothing, for the verification may see what the
 * attack cannot: other draws of a randomised defense, or the other side of a boundary that rounding moves. Its try goes on, and
 * is counted as unverified only if it ends without a confirmed candidate. Where the goal was reached on the way and lost again, by steps that went on beyond it, the
 * candidate that had reached it stands for its try; of an attack of minimum norm, the nearest of all tries.
 */
async function verify(spec: PoolSpec, candidates: readonly Candidate[]): Promise<Verified[]> {
  const options = candidates.map((candidate) => {
    const { lane, claimed } = candidate;
    const at = lane.reachedAt ?? candidate.at;
    const passed = lane.passed.splice(0).map((one): Candidate => ({ ...one, lane, claimed: true, at }));
    // A candidate that no step looked at has its judging here.
    lane.forwards += passed.length + (claimed ? 0 : 1);
    return [{ ...candidate, at }, ...passed];
  });
  const logits = await judgeAll(
    spec.judge,
    options.flat().map(({ x }) => x),
  );
  const all = options.flat().map((option, i) => examine(spec, option, logits[i] as Float32Array));
  let start = 0;
  return options.map(({ length }, i) => {
    const verified = all.slice(start, start + length);
    noteEnd(spec, candidates[i] as Candidate, logits[start] as Float32Array);
    start += length;
    const standing =
      (spec.rehearsal.minimumNorm ? nearest(spec, verified) : verified.find(({ success }) => success)) ?? verified[0];
    return concluded(spec, standing as Verified, verified);
  });
}

/** The loss where a try has ended that no step has looked at, unless another network judges than that which is attacked. */
function noteEnd({ goal, rehearsal, isStandIn = false }: PoolSpec, candidate: Candidate, logits: Float32Array): void {
  const { lane, claimed, at } = candidate;
  if (claimed || isStandIn) return;
  const margin = marginOf(goal, lane.image.label, logits);
  lane.trace?.note(lane.tries * stepsAt(rehearsal, lane.epsilon) + at, margin);
}

/** Counts the try of a verified candidate as ended, unless it goes on. */
function concluded(spec: PoolSpec, standing: Verified, verified: readonly Verified[]): Verified {
  const { lane, success, onward } = standing;
  lane.isDoubted ||= !success && verified.some((one) => isDoubtful(spec, one));
  if (!success && onward !== undefined) return standing;
  if (!success && lane.isDoubted) lane.unverified += 1;
  lane.isDoubted = false;
  lane.reachedAt = undefined;
  lane.tries += 1;
  return { ...standing, onward: undefined };
}

/**
 * Whether a candidate that is no success speaks against what made it. Numbers that are none withstand nothing: they are
 * counted, lest a broken network look robust. That a stand-in was fooled, and not what it stands for, is no fault of anybody.
 */
const isDoubtful = ({ isStandIn = false }: PoolSpec, { isBroken, claimed, refused }: Verified): boolean =>
  isBroken || (claimed && (refused !== undefined || !isStandIn));

function examine(spec: PoolSpec, { lane, claimed, onward, at, ...made }: Candidate, logits: Float32Array): Verified {
  const { norm, input, goal } = spec;
  const refused = refusal(made, lane.image.pixels, { norm, epsilon: lane.epsilon, input });
  const reached = logitsReach(goal, lane.image.label, logits);
  const isBroken = refused === 'not finite' || logits.some(Number.isNaN);
  const success = reached && refused === undefined;
  const predicted = logits.some(Number.isNaN) ? null : argMax(logits);
  return { lane, made, refused, isBroken, success, predicted, at, claimed: claimed || reached, onward };
}

/** The nearest confirmed adversarial image of this try and those before. */
function nearest({ norm }: PoolSpec, verified: readonly Verified[]): Verified | undefined {
  for (const { lane, made, predicted } of verified.filter(({ success }) => success)) {
    const merit = -distance(normOf(norm), made.x, lane.image.pixels);
    if (lane.nearest === undefined || merit > lane.nearest.merit) lane.nearest = { ...made, merit, predicted };
  }
  const [first] = verified;
  const best = first?.lane.nearest;
  if (first === undefined || best === undefined) return undefined;
  return { ...first, made: best, predicted: best.predicted, success: true, refused: undefined, isBroken: false };
}

/** What became of the image at the first radius of its lane. */
function atRadius({ rehearsal, watch }: PoolSpec, one: Verified, robust8bit: boolean): Outcome {
  const { lane, made, success, refused, predicted, at } = one;
  const { image, radii, epsilon, fallen, trace, unverified, gradients, forwards } = lane;
  const radius = radii[0] as number;
  const isMeasured = watch?.radii.has(radius) === true && fallen === undefined && refused === undefined;
  const fell = success ? (lane.tries - 1) * stepsAt(rehearsal, epsilon) + at : null;
  return {
    ...{ image: image.index, radius },
    robust: !success && fallen === undefined,
    robust8bit: robust8bit && (fallen?.robust8bit ?? true),
    made: success ? made : (fallen?.made ?? made),
    ...{ unverified, gradients, forwards },
    fell: fallen === undefined ? fell : 'before',
    predicted: success || fallen === undefined ? predicted : fallen.predicted,
    size: isMeasured ? sizeOf(made.x, image.pixels, epsilon) : undefined,
    margins: trace?.margins,
  };
}

/** What became of the image at all radii at once, from the distance of the nearest adversarial image. */
function byDistance(
  { epsilons, norm, input, rehearsal, restarts }: PoolSpec,
  { lane, made, success, predicted }: Verified,
  robust8bit: boolean,
): Outcome[] {
  const steps = rehearsal.steps * triesAt(rehearsal, lane.epsilon, restarts);
  const { image, radii, unverified, gradients, forwards } = lane;
  return radii.map((radius, i): Outcome => {
    const allowed = { norm, epsilon: epsilons[radius] as number, input };
    const isInside = success && refusal(made, image.pixels, allowed) === undefined;
    return {
      ...{ image: image.index, radius, made },
      robust: !isInside,
      robust8bit: !isInside || robust8bit,
      distance: success ? distance(normOf(norm), made.x, image.pixels) : null,
      ...{ fell: isInside ? steps : null, predicted },
      // One search serves all radii: it counts at the first.
      ...(i === 0 ? { unverified, gradients, forwards } : NOTHING_SPENT),
    };
  });
}

/** @throws Error for `spatial`, which rehearsals do not let attacks of minimum norm measure in */
function normOf(threat: Threat): Norm {
  if (threat === 'spatial') throw new Error('spatial has no distance');
  return threat;
}
