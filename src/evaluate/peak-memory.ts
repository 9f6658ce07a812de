/** How often the process is looked at. Memory that comes and goes in between is not seen. */
const EVERY_MS = 50;

export interface MemoryWatch {
  /** Ends the watch. @returns the most bytes that the process was seen to hold in memory */
  stop(): number;
}

/** Watches the memory of this process from now on. */
export function watchMemory(): MemoryWatch {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, EVERY_MS).unref();
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}
