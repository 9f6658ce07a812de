/** Words for how a network was trained that the program itself understands; all others are the user's. */

/** Plainly, without a defense. */
export const STANDARD = 'standard';

/** Its owner does not say. */
export const UNSTATED = 'given';

/** Whether it is said to be trained otherwise than plainly. Namesakes are told apart by what follows a slash: `standard/FILE`. */
export const isDefended = (training: string): boolean => ![STANDARD, UNSTATED].includes(training.split('/')[0] ?? '');
