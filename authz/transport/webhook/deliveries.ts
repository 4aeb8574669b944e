import { webhookLimits } from "./limits.ts";

/** Deliveries that came already: a window in time, bounded in number. */
export interface Deliveries {
  /** Has one with any of these marks come? From now on they have. */
  isRepeated(marks: readonly string[], nowMillis: number): boolean;
}

/** Remembers for an hour; the oldest are forgotten before that when there are many. */
export function createDeliveries(): Deliveries {
  /** In the order of their coming. */
  const seen = new Map<string, number>();
  return {
    isRepeated(marks, nowMillis) {
      for (const [mark, atMillis] of seen) {
        if (
          seen.size <= webhookLimits.rememberedMarks - marks.length &&
          nowMillis - atMillis < webhookLimits.rememberedMillis
        )
          break;
        seen.delete(mark);
      }
      const repeated = marks.some((mark) => seen.has(mark));
      for (const mark of marks) if (!seen.has(mark)) seen.set(mark, nowMillis);
      return repeated;
    },
  };
}
