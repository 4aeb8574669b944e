import type { Environment } from "@marcbachmann/cel-js";
import { Duration } from "@marcbachmann/cel-js/evaluator";
import { parseTimestamp } from "#policy-compiler/ruleset/timestamp";
import { faults } from "./evaluation-fault.ts";
import { isDuration, isTimestamp } from "./ranges.ts";

const sync = { async: false } as const;
const TIMESTAMP = "google.protobuf.Timestamp";
const DURATION = "google.protobuf.Duration";

/**
 * Functions on time that stand in for the library's: those take texts that are no RFC 3339 (`2024-02-30…`), durations without
 * a number, and compute with the time zone of the machine. The names end in `_`, which no author can write (`walk.ts`).
 */
export function registerTimeFunctions(environment: Environment): void {
  const on = (signature: string, run: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, run, sync);
  on(`timestamp_(string): ${TIMESTAMP}`, (text: string) => orFault(readTimestamp(text), faults.notATimestamp));
  on(`timestamp_(int): ${TIMESTAMP}`, (seconds: bigint) => ofSeconds(Number(seconds)));
  on(`timestamp_(double): ${TIMESTAMP}`, ofSeconds);
  on(`timestamp_(${TIMESTAMP}): ${TIMESTAMP}`, (time: Date) => time);
  on(`duration_(string): ${DURATION}`, (text: string) => orFault(parseDuration(text), faults.notADuration));
  on(`duration_(${DURATION}): ${DURATION}`, (length: Duration) => length);
  on(`string_(${TIMESTAMP}): string`, (time: Date) => time.toISOString().replace(/\.?0*Z$/, "Z"));
  on(`string_(${DURATION}): string`, durationText);
  on(`int_(${TIMESTAMP}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000)));
  on(`${TIMESTAMP}.getDayOfYear_(): int`, (time: Date) =>
    BigInt(Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000)),
  );
  on(`${TIMESTAMP}.getMilliseconds_(): int`, (time: Date) => BigInt(time.getUTCMilliseconds()));
  on(`${DURATION}.getMilliseconds_(): int`, (length: Duration) => BigInt(Math.trunc(length.nanos / 1_000_000)));
}

function orFault<T>(value: T | undefined, fault: Error): T {
  if (value === undefined) throw fault;
  return value;
}

function ofSeconds(seconds: number): Date {
  const millis = seconds * 1000;
  if (!isTimestamp(millis)) throw faults.notATimestamp;
  return new Date(millis);
}

/** A time of `timestamp("…")`: RFC 3339 within the range of google.protobuf.Timestamp. */
export function readTimestamp(text: string): Date | undefined {
  // What a call costs is counted for no longer text.
  const millis = text.length > 40 ? undefined : parseTimestamp(text);
  return millis !== undefined && isTimestamp(millis) ? new Date(millis) : undefined;
}

const unitNanos: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

/** A duration as Go and CEL write it: `1h30m`, `-1.5s`, `0`. Each part needs a digit and a unit; at most 292 years. */
export function parseDuration(text: string): Duration | undefined {
  if (text.length > 64) return undefined;
  const sign = /^[+-]/.test(text) ? text[0] : "";
  const body = text.slice(sign === "" ? 0 : 1);
  if (body === "0") return new Duration(0n, 0);
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(body)) return undefined;
  let nanos = 0n;
  for (const [, whole = "", , part = "", unit = ""] of body.matchAll(/(\d*)(\.(\d*))?(ns|us|µs|ms|s|m|h)/g)) {
    const scale = unitNanos[unit]!;
    nanos += BigInt(whole === "" ? "0" : whole) * scale;
    if (part !== "") nanos += (BigInt(part) * scale) / 10n ** BigInt(part.length);
  }
  if (!isDuration(nanos / 1_000_000_000n)) return undefined;
  if (sign === "-") nanos = -nanos;
  return new Duration(nanos / 1_000_000_000n, Number(nanos % 1_000_000_000n));
}

function durationText(length: Duration): string {
  const total = length.seconds * 1_000_000_000n + BigInt(length.nanos);
  const size = total < 0n ? -total : total;
  const part = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${total < 0n ? "-" : ""}${size / 1_000_000_000n}${part === "" ? "" : `.${part}`}s`;
}
