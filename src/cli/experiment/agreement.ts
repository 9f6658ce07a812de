/** `--arch` and `--training` choose among trained networks; where `--weights` names files, they may only agree with them. */
import { usageError } from '../../core/errors.ts';
import { nameOf } from '../modules.ts';
import type { Opened } from './opened.ts';

/**
 * Refuses words that would choose nothing, silently.
 *
 * @param words - of `flag`, as they were given; a file stands for the network named after it
 * @param opened - what the files hold
 * @param held - what `flag` speaks of, in one of them
 * @throws UserError (usage) naming the first file or word that disagrees
 */
export function requireAgreement(
  flag: string,
  words: readonly string[],
  opened: readonly Opened[],
  held: (contender: Opened['contender']) => string,
): void {
  const names = words.map(nameOf);
  if (names.includes('all')) return;
  const remedy = `leave --${flag} out: --weights alone says which networks are measured`;
  for (const { contender, path } of opened) {
    if (names.includes(held(contender))) continue;
    throw usageError(`--${flag} ${words.join(',')} is given, and ${path} holds a ${held(contender)}; ${remedy}`);
  }
  const idle = names.findIndex((name) => opened.every(({ contender }) => held(contender) !== name));
  if (idle >= 0) throw usageError(`--${flag} ${words[idle]} is given, and no file of --weights holds one; ${remedy}`);
}
