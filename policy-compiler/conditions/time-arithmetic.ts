import { Duration } from "@marcbachmann/cel-js/evaluator";

/**
 * What an operator makes of timestamps and durations, exactly; undefined for other operands. The library loses milliseconds in differences of
 * timestamps, adds negative durations wrongly, and finds `-1.5s` unequal to `0s - 1.5s`. INVARIANT: seconds and nanoseconds of a duration have the
 * same sign.
 */
export function timeOperation(op: string, left: unknown, right: unknown): Date | Duration | boolean | undefined {
  if (left instanceof Date) {
    if (right instanceof Date && op === "-") return ofNanos(BigInt(left.getTime() - right.getTime()) * 1_000_000n);
    if (!(right instanceof Duration)) return undefined;
    if (op === "+") return moved(left, nanosOf(right));
    return op === "-" ? moved(left, -nanosOf(right)) : undefined;
  }
  if (!(left instanceof Duration)) return undefined;
  if (right instanceof Date && op === "+") return moved(right, nanosOf(left));
  return right instanceof Duration ? durations[op]?.(nanosOf(left), nanosOf(right)) : undefined;
}

const durations: Readonly<Record<string, (left: bigint, right: bigint) => Duration | boolean>> = {
  "+": (left, right) => ofNanos(left + right),
  "-": (left, right) => ofNanos(left - right),
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

const SECOND = 1_000_000_000n;

function nanosOf({ seconds, nanos }: Duration): bigint {
  return seconds * SECOND + BigInt(nanos);
}

function ofNanos(nanos: bigint): Duration {
  return new Duration(nanos / SECOND, Number(nanos % SECOND));
}

/** Timestamps have milliseconds: what is below is cut towards the past, as it is where they are read. */
function moved(time: Date, nanos: bigint): Date {
  const millis = nanos / 1_000_000n - (nanos % 1_000_000n < 0n ? 1n : 0n);
  return new Date(time.getTime() + Number(millis));
}
