/** Words for how a network was trained that the program itself understands; all others are the user's. */

/** Plainly, without a defense. */
export const STANDARD = 'standard';

/** Its owner does not say. */
export const UNSTATED = 'given';

/** A network's training as runs call it: `standard`, behind a defense `standard+jpeg`, a namesake's `standard+jpeg/FILE`. */
interface TrainingWords {
  /** How it was trained. */
  readonly training: string;
  /** What it stands behind. */
  readonly defense: string | undefined;
  /** What tells it from its namesakes. */
  readonly file: string | undefined;
}

export function trainingWords(called: string): TrainingWords {
  const slash = called.indexOf('/');
  const [name, file] = slash < 0 ? [called, undefined] : [called.slice(0, slash), called.slice(slash + 1)];
  const plus = name.lastIndexOf('+');
  const [training, defense] = plus < 0 ? [name, undefined] : [name.slice(0, plus), name.slice(plus + 1)];
  return { training, defense, file };
}

/** The same network behind a defense: `standard+jpeg`. */
export function behind(called: string, defense: string): string {
  const [name = '', ...file] = called.split('/');
  return [`${name}+${defense}`, ...file].join('/');
}

/** Whether it is said to be trained otherwise than plainly. What it stands behind is no training. */
export const isDefended = (called: string): boolean => ![STANDARD, UNSTATED].includes(trainingWords(called).training);
