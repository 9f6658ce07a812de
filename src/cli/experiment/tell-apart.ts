/** Networks of one architecture and training, told apart by the files they come from. */
import { basename } from 'node:path';
import { type Contender, contenderName } from '../../evaluate/plan.ts';
import type { Opened } from './opened.ts';

/** The contenders, those that share a name with another called `standard/FILE`: after the file, or its path if need be. */
export function tellApart(opened: readonly Opened[]): Contender[] {
  const namesakesOf = ({ contender }: Opened): readonly Opened[] =>
    opened.filter((other) => contenderName(other.contender) === contenderName(contender));
  return opened.map((one) => {
    const namesakes = namesakesOf(one);
    if (namesakes.length === 1) return one.contender;
    const isUnique = namesakes.filter(({ path }) => fileName(path) === fileName(one.path)).length === 1;
    const file = isUnique ? fileName(one.path) : withoutEnding(one.path);
    return { ...one.contender, training: `${one.contender.training}/${file}` };
  });
}

const withoutEnding = (path: string): string => path.replace(/\.\w+$/, '');
const fileName = (path: string): string => withoutEnding(basename(path));
