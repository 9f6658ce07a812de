/** What comes of tries that have ended: candidates are verified, lanes settled or tried again. */

import type { Norm, Threat } from '../core/threat-model.ts';
import { type Lane, onwards } from './lanes.ts';
import type { Outcome, PoolSpec } from './pool.ts';
import { triesAt } from './rehearse.ts';
import type { Candidate, Paused } from './slots.ts';
import { distance, judgeAll, logitsReach, type Made, type Refusal, refusal, roundTo8Bits } from './verify.ts';

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
  const { rehearsal, restarts, epsilons } = spec;
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
    const here = atRadius(one, robust8bit);
    const left = lane.radii.slice(1);
    // What was fitted is one thing at each radius: what another one did says nothing of it.
    const isOneEach = rehearsal.fit !== undefined;
    const hasFallen = !isOneEach && !here.robust && !here.robust8bit;
    const inherited = hasFallen ? left.filter((radius) => radius !== lane.exhibited) : [];
    const [next, ...rest] = left.filter((radius) => !inherited.includes(radius));
    if (next !== undefined) {
      const fallen = here.robust || isOneEach ? lane.fallen : { made: here.made, robust8bit: here.robust8bit };
      again.push(onwards(lane, [next, ...rest], epsilons[next] as number, fallen));
    }
    return [here, ...inherited.map((radius) => ({ ...here, ...NOTHING_SPENT, radius }))];
  });
  if (outcomes.length > 0) await spec.onSettled(outcomes);
  return { lanes: again, paused };
}

const NOTHING_SPENT = { unverified: 0, gradients: 0, forwards: 0 };

/**
 * Every candidate, verified. One that claims the goal and is not confirmed ends nothing, for the verification may see what the
 * attack cannot: other draws of a randomised defense, or the other side of a boundary that rounding moves. Its try goes on, and
 * is counted as unverified only if it ends without a confirmed candidate. Where the goal was reached on the way and lost again, by steps that went on beyond it, the
 * candidate that had reached it stands for its try; of an attack of minimum norm, the nearest of all tries.
 */
async function verify(spec: PoolSpec, candidates: readonly Candidate[]): Promise<Verified[]> {
  const options = candidates.map((candidate) => {
    const { lane, claimed } = candidate;
    const passed = lane.passed.splice(0).map((one): Candidate => ({ ...one, lane, claimed: true }));
    // A candidate that no step looked at has its judging here.
    lane.forwards += passed.length + (claimed ? 0 : 1);
    return [candidate, ...passed];
  });
  const logits = await judgeAll(
    spec.judge,
    options.flat().map(({ x }) => x),
  );
  const all = options.flat().map((option, i) => examine(spec, option, logits[i] as Float32Array));
  let start = 0;
  return options.map(({ length }) => {
    const verified = all.slice(start, start + length);
    start += length;
    const standing =
      (spec.rehearsal.minimumNorm ? nearest(spec, verified) : verified.find(({ success }) => success)) ?? verified[0];
    return concluded(spec, standing as Verified, verified);
  });
}

/** Counts the try of a verified candidate as ended, unless it goes on. */
function concluded(spec: PoolSpec, standing: Verified, verified: readonly Verified[]): Verified {
  const { lane, success, onward } = standing;
  lane.isDoubted ||= !success && verified.some((one) => isDoubtful(spec, one));
  if (!success && onward !== undefined) return standing;
  if (!success && lane.isDoubted) lane.unverified += 1;
  lane.isDoubted = false;
  lane.tries += 1;
  return { ...standing, onward: undefined };
}

/**
 * Whether a candidate that is no success speaks against what made it. Numbers that are none withstand nothing: they are
 * counted, lest a broken network look robust. That a stand-in was fooled, and not what it stands for, is no fault of anybody.
 */
const isDoubtful = ({ isStandIn = false }: PoolSpec, { isBroken, claimed, refused }: Verified): boolean =>
  isBroken || (claimed && (refused !== undefined || !isStandIn));

function examine(
  { norm, input, goal }: PoolSpec,
  { lane, claimed, onward, ...made }: Candidate,
  logits: Float32Array,
): Verified {
  const refused = refusal(made, lane.image.pixels, { norm, epsilon: lane.epsilon, input });
  const reached = logitsReach(goal, lane.image.label, logits);
  const isBroken = refused === 'not finite' || logits.some(Number.isNaN);
  const success = reached && refused === undefined;
  return { lane, made, refused, isBroken, success, claimed: claimed || reached, onward };
}

/** The nearest confirmed adversarial image of this try and those before. */
function nearest({ norm }: PoolSpec, verified: readonly Verified[]): Verified | undefined {
  for (const { lane, made } of verified.filter(({ success }) => success)) {
    const merit = -distance(normOf(norm), made.x, lane.image.pixels);
    if (lane.nearest === undefined || merit > lane.nearest.merit) lane.nearest = { ...made, merit };
  }
  const [first] = verified;
  const best = first?.lane.nearest;
  if (first === undefined || best === undefined) return undefined;
  return { ...first, made: best, success: true, refused: undefined, isBroken: false };
}

/** What became of the image at the first radius of its lane. */
function atRadius({ lane, made, success }: Verified, robust8bit: boolean): Outcome {
  const { image, radii, fallen, unverified, gradients, forwards } = lane;
  return {
    image: image.index,
    radius: radii[0] as number,
    robust: !success && fallen === undefined,
    robust8bit: robust8bit && (fallen?.robust8bit ?? true),
    made: success ? made : (fallen?.made ?? made),
    ...{ unverified, gradients, forwards },
  };
}

/** What became of the image at all radii at once, from the distance of the nearest adversarial image. */
function byDistance(
  { epsilons, norm, input }: PoolSpec,
  { lane, made, success }: Verified,
  robust8bit: boolean,
): Outcome[] {
  const { image, radii, unverified, gradients, forwards } = lane;
  return radii.map((radius, i): Outcome => {
    const allowed = { norm, epsilon: epsilons[radius] as number, input };
    const isInside = success && refusal(made, image.pixels, allowed) === undefined;
    return {
      ...{ image: image.index, radius, made },
      robust: !isInside,
      robust8bit: !isInside || robust8bit,
      distance: success ? distance(normOf(norm), made.x, image.pixels) : null,
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
