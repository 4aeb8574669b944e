import { InvalidArgumentError } from "commander";

const units: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
]);

/** Ten years: no lifetime or window of a certificate is asked for in more. */
const longestSeconds = 3650 * 86_400;

/** Reads `90s`, `30m`, `72h` or `7d` as seconds, for an option. Fails as commander wants it. */
export function durationSeconds(text: string): number {
  const [, number = "", unit = ""] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * (units.get(unit) ?? Number.NaN);
  if (Number.isNaN(seconds) || seconds < 1 || seconds > longestSeconds) {
    throw new InvalidArgumentError("expected a duration as `90s`, `30m`, `72h` or `7d`");
  }
  return seconds;
}

/** A span of time for people, in its two largest units: `3 d 4 h`, `59 s`. */
export function spanText(millis: number): string {
  let rest = Math.floor(Math.abs(millis) / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of [...units].reverse()) {
    const number = Math.floor(rest / seconds);
    rest -= number * seconds;
    if (number > 0) parts.push(`${number} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** A moment, and how far it is: `2027-01-01T00:00:00Z (in 3 d 4 h)`. */
export function momentText(millis: number, nowMillis: number): string {
  const span = spanText(millis - nowMillis);
  return `${stampText(millis)} (${millis >= nowMillis ? `in ${span}` : `${span} ago`})`;
}

/** RFC 3339 in UTC, whole seconds. A moment beyond what a date can be is told by its number. */
export function stampText(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? `${millis} ms` : date.toISOString().replace(/\.[0-9]{3}Z$/, "Z");
}
