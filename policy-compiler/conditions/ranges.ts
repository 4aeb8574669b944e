import { Duration } from "@marcbachmann/cel-js/evaluator";
import { faults } from "./evaluation-fault.ts";
import { limits } from "./limits.ts";

/** 0001-01-01T00:00:00Z and the end of 9999, in Unix milliseconds (google.protobuf.Timestamp). */
export function isTimestamp(millis: number): boolean {
  return millis >= -62_135_596_800_000 && millis <= 253_402_300_799_999;
}

/** As many nanoseconds as fit into 64 bits, which is 292 years, as cel-spec has it: seconds of a duration, cut. */
export function isDuration(seconds: bigint): boolean {
  return seconds >= -9_223_372_036n && seconds <= 9_223_372_036n;
}

/** The value, if one of its type can be so large. Fails otherwise. Text is bounded too, so that sums of text cannot grow without end. */
export function inRange(value: unknown): unknown {
  switch (typeof value) {
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) throw faults.overflow;
      return value;
    case "string":
      if (value.length > limits.madeText) throw faults.tooLong;
      return value;
    case "object":
      if (
        value instanceof Date ? !isTimestamp(value.getTime()) : value instanceof Duration && !isDuration(value.seconds)
      )
        throw faults.overflow;
      return value;
    default:
      return value;
  }
}
