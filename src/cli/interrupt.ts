/** Ctrl-C: the first asks the work to stop at the next safe place, the second ends the process at once. */
import { EXIT } from './command.ts';

/** One key press may reach a process twice, from the terminal and from npm: closer together than a hand can press. */
const ONE_PRESS_MS = 300;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  release(): void;
}

/** @param onFirst - tells the user that the work is being finished */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (): void => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      controller.abort();
      onFirst();
    } else if (now - first > ONE_PRESS_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
