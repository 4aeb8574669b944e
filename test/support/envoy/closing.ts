/** What was started, to be stopped in the opposite order, whatever became of the rest. */
export class Closing {
  readonly #stops: (() => Promise<void>)[] = [];

  /** Notes how `thing` is stopped and gives it back. */
  add<T extends { stop(): Promise<void> } | { remove(): Promise<void> }>(thing: T): T {
    this.#stops.push(() => ("stop" in thing ? thing.stop() : thing.remove()));
    return thing;
  }

  async close(): Promise<void> {
    const faults: unknown[] = [];
    for (const stop of this.#stops.splice(0).reverse()) await stop().catch((fault: unknown) => faults.push(fault));
    if (faults.length > 0) throw new AggregateError(faults, "not everything could be stopped");
  }
}
