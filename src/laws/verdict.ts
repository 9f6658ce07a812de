/** What the laws say of an attack, each with the smallest scene in which it is broken. */
import fc from 'fast-check';
import type { Attack } from '../core/attack.ts';
import { messageOf } from '../core/errors.ts';
import type { Threat } from '../core/threat-model.ts';
import { ATTACK_LAWS } from './all.ts';
import { COMPILED } from './compiled.ts';
import { BrokenLaw, type Law, type Subject } from './law.ts';
import { isSceneLaw, type Scene, type SceneLaw, sceneInWords } from './scene.ts';
import { CLASSIFIERS, RADII } from './stage.ts';

/** What one law says of an attack in one norm. */
export interface Verdict {
  /** Ends the sentence `An attack …`. */
  readonly law: string;
  readonly norm: Threat;
  readonly holds: boolean;
  /** How the law is broken, and what would mend it. */
  readonly complaint?: string;
  /** The smallest scene found in which it is. */
  readonly counterexample?: string;
}

/** Scenes that are tried at random, once those that every attack is tried in are through. */
const SEARCHES = 20;

/** Largest seed and image number of a random scene. */
const MOST = 50;

/** All that an attack of the user's own must obey: those of every attack, and the one on compilation, which takes longest. */
const ALL: readonly Law[] = [...ATTACK_LAWS, COMPILED];

/** How many there are. */
export const LAWS = ALL.length;

/**
 * All laws, in the norm given, one after the other; none after one that comes first and is broken.
 *
 * @param file - where the attack was found: its name must be the file's
 */
export async function* verdictsOn(attack: Attack, file: string, norm: Threat): AsyncGenerator<Verdict> {
  const subject: Subject = { attack, file, norm };
  for (const law of ALL) {
    const finding = await judge(law, subject);
    yield { law: law.name, norm, ...finding };
    if (law.comesFirst === true && !finding.holds) return;
  }
}

type Finding = Pick<Verdict, 'holds' | 'complaint' | 'counterexample'>;

async function judge(law: Law, subject: Subject): Promise<Finding> {
  const complaint = await complaintOf(() => law.check(subject));
  if (!isSceneLaw(law)) return complaint === undefined ? { holds: true } : { holds: false, complaint };
  const smallest = search(law, subject);
  if (smallest !== undefined) return { holds: false, ...smallest };
  return complaint === undefined ? { holds: true } : { holds: false, complaint };
}

/** How the law is broken; `undefined` if it is not. What the attack's own code throws breaks it too. */
async function complaintOf(check: () => void | Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return inWords(error);
  }
}

const inWords = (error: unknown): string =>
  error instanceof BrokenLaw ? error.message : `it throws: ${messageOf(error).split('\n')[0]}`;

const scenes = ({ norm }: Subject): fc.Arbitrary<Scene> =>
  fc.record({
    classifier: fc.nat(CLASSIFIERS.length - 1),
    ids: fc.uniqueArray(fc.nat(MOST), { minLength: 1, maxLength: 4 }),
    // In hundredths of a radius at which nearly every image falls.
    epsilon: fc.integer({ min: 1, max: 100 }).map((part) => (part * RADII[norm][1]) / 100),
    targeted: fc.boolean(),
    seed: fc.nat(MOST),
  });

/** The same scenes every time: a verdict can be repeated. */
function search(law: SceneLaw, subject: Subject): Pick<Verdict, 'complaint' | 'counterexample'> | undefined {
  const property = fc.property(scenes(subject), (scene) => law.inScene(subject, scene));
  const { counterexample, errorInstance } = fc.check(property, { numRuns: SEARCHES, seed: 0 });
  const [scene] = counterexample ?? [];
  if (scene === undefined) return undefined;
  return { complaint: inWords(errorInstance), counterexample: sceneInWords(subject, scene) };
}
