/** What seconds are counted by: those that pass, or those that the processor works, whatever else the machine does. */
export const CLOCKS = {
  wall: () => performance.now() / 1000,
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
} as const;
export type ClockName = keyof typeof CLOCKS;
