/** What the numbers of a run depend on, hashed thing by thing: so a journal knows its own run, and says what another one differs in. */
import { createHash } from 'node:crypto';

/** `{ 'the seed': '5feceb66…' }` */
export type Parts = Readonly<Record<string, string>>;

/** A hash of each of these things, by its name. */
export const factParts = (facts: Readonly<Record<string, unknown>>): Parts =>
  Object.fromEntries(Object.entries(facts).map(([part, value]) => [part, sha256(JSON.stringify(value))]));

/** A hash of all parts: work in a journal of the same key need not be done again. */
export const journalKey = (parts: Parts): string => sha256(JSON.stringify(parts));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
