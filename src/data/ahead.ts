/**
 * Results of `work` in the order of the items, up to `inFlight` of them in the making while the consumer is busy. An error
 * comes at its item's place. When the consumer stops, nothing new is begun, and what is under way is waited for.
 */
export async function* ahead<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  inFlight: number,
): AsyncGenerator<Result, void> {
  const iterator = items[Symbol.iterator]();
  const pending: Promise<Result>[] = [];
  const begin = (): void => {
    const next = iterator.next();
    if (next.done === true) return;
    const result = work(next.value);
    // It is thrown where it is awaited, which may be later than Node.js would wait before it ended the process.
    result.catch(() => undefined);
    pending.push(result);
  };
  try {
    for (let i = 0; i < inFlight; i++) begin();
    for (let first = pending.shift(); first !== undefined; first = pending.shift()) {
      const result = await first;
      begin();
      yield result;
    }
  } finally {
    await Promise.allSettled(pending);
  }
}
