/** What happens in a simulated time: the earliest first, of one moment in the order of their coming. */
export class EventQueue {
  readonly #heap: { readonly atMillis: number; readonly order: number; readonly run: () => void | Promise<void> }[] =
    [];
  #order = 0;
  nowMillis: number;

  constructor(nowMillis: number) {
    this.nowMillis = nowMillis;
  }

  after(delayMillis: number, run: () => void | Promise<void>): void {
    const heap = this.#heap;
    heap.push({ atMillis: this.nowMillis + delayMillis, order: this.#order++, run });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Runs all that happens up to a moment. */
  async runUntil(endMillis: number): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMillis > endMillis) break;
      this.#removeFirst();
      this.nowMillis = next.atMillis;
      const running = next.run();
      if (running !== undefined) await running;
    }
    this.nowMillis = endMillis;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let parent = 0; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2])
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a]!, this.#heap[b]!];
    return first.atMillis < second.atMillis || (first.atMillis === second.atMillis && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }
}
