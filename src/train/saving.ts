/** When the state is saved: after every minute of work, so that no accident costs more. */
import type { Progress } from './state.ts';

/** By default; a large network, whose state takes long to write, spends at most a twentieth of its time on it. */
export const SAVE_EVERY_SECONDS = 60;
const LEAST_WORK_PER_SAVE = 20;

export interface Saver {
  /** What the state on disk holds. */
  readonly saved: Progress;
  save(progress: Progress): Promise<void>;
  /** Saves if it is time to. Decides nothing about the weights. */
  saveIfDue(progress: Progress): Promise<void>;
}

/**
 * @param begun - how far the training has come
 * @param write - writes the state
 * @param now - milliseconds that only ever grow
 */
export function saver(
  begun: Progress,
  write: (progress: Progress) => Promise<void>,
  every = SAVE_EVERY_SECONDS,
  now: () => number = () => performance.now(),
): Saver {
  let saved = begun;
  let [at, took] = [now(), 0];
  const save = async (progress: Progress): Promise<void> => {
    const before = now();
    await write(progress);
    saved = progress;
    at = now();
    took = at - before;
  };
  return {
    get saved() {
      return saved;
    },
    save,
    saveIfDue: async (progress) => {
      const due = every === 0 ? 0 : Math.max(1000 * every, LEAST_WORK_PER_SAVE * took);
      if (now() - at >= due) await save(progress);
    },
  };
}
