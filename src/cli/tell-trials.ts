/** Says that backends are being tried, where that takes long enough to be wondered at. */
import type { BackendName } from '../backends/names.ts';
import type { Terminal } from './terminal.ts';

const PATIENCE_MS = 2000;

export interface Telling {
  readonly onTrial: (backend: BackendName) => void;
  readonly end: () => void;
}

/** @param terminal - without one, nothing is said */
export function tellTrials(terminal: Terminal | undefined, patience = PATIENCE_MS): Telling {
  let current: BackendName | undefined;
  let isWaited = false;
  const say = (): void => {
    if (current === undefined || terminal === undefined) return;
    const words = `trying ${current} in a process of its own`;
    if (terminal.isLive) terminal.live(words);
    else terminal.note(words);
  };
  const timer = setTimeout(() => {
    isWaited = true;
    say();
  }, patience);
  return {
    onTrial: (backend) => {
      current = backend;
      if (isWaited) say();
    },
    end: () => {
      clearTimeout(timer);
      terminal?.live('');
    },
  };
}
