/** Opens what `--backend` names, and where it leaves the choice, the fastest that works. */
import { join } from 'node:path';
import { verdictsHere } from '../backends/auto.ts';
import { choiceInWords, choose, USUAL } from '../backends/choose.ts';
import { BACKEND_NAMES, type BackendChoice, type BackendName, isBackendName } from '../backends/names.ts';
import { type Backend, openBackend, requireThreads } from '../backends/open.ts';
import { messageOf, UserError } from '../core/errors.ts';
import { gibbonHome } from '../core/home.ts';
import { JOURNAL } from '../core/run.ts';
import { begunWith } from '../evaluate/journal/begun-with.ts';
import { versionsHere } from './surroundings.ts';
import { tellTrials } from './tell-trials.ts';
import type { Terminal } from './terminal.ts';

export interface Manner {
  /** Told what a user should know of a choice. */
  readonly terminal: Terminal | undefined;
  readonly quiet: boolean;
  /** What computed the first part of work that is gone on with: all of its numbers must be of one kind. */
  readonly begunWith?: BackendName | undefined;
}

/**
 * @throws UserError as `openBackend` does, for the backend that was named or that began the work; of its own choice `auto`
 *   gives up one that works no longer
 */
export async function openChosen(choice: BackendChoice, { terminal, quiet, begunWith }: Manner): Promise<Backend> {
  if (isBackendName(choice)) return openBackend(choice);
  if (begunWith !== undefined) return openBegun(begunWith);
  requireThreads();
  const note = (line: string): void => {
    if (!quiet) terminal?.note(line);
  };
  const { onTrial, end } = tellTrials(quiet ? undefined : terminal);
  const verdicts = await verdictsHere({ home: gibbonHome(), versions: versionsHere, onTrial }).finally(end);
  const words = choiceInWords(verdicts);
  if (words !== undefined) note(words);
  const chosen = choose(verdicts);
  try {
    return await openBackend(chosen);
  } catch (error) {
    if (chosen === USUAL) throw error;
    note(`auto: ${USUAL} after all, for ${messageOf(error)}; gibbon doctor tries all of them again`);
    return openBackend(USUAL);
  }
}

async function openBegun(name: BackendName): Promise<Backend> {
  try {
    return await openBackend(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}. The work that --resume goes on with was begun with ${name}`, error.kind);
  }
}

export interface JournaledWork {
  readonly backend: BackendChoice;
  readonly quiet: boolean;
  readonly out: string | null;
  readonly resume: boolean;
}

/** The same for work with a journal in the folder `out`, which may be there already. */
export async function openJournaled(
  { backend, quiet, out, resume }: JournaledWork,
  terminal: Terminal | undefined,
): Promise<Backend> {
  const before = resume && out !== null ? await begunWith(join(out, JOURNAL), BACKEND_NAMES) : undefined;
  return openChosen(backend, { terminal, quiet, begunWith: before });
}
