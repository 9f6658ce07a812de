/** Seconds by phase, added up. */
export class Stopwatch {
  readonly #seconds = new Map<string, number>();

  get phases(): Record<string, number> {
    return Object.fromEntries(this.#seconds);
  }

  add(phase: string, seconds: number): void {
    this.#seconds.set(phase, (this.#seconds.get(phase) ?? 0) + seconds);
  }

  /** Runs the work and adds its time. */
  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.add(phase, (performance.now() - began) / 1000);
    }
  }
}
