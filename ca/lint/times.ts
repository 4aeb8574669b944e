import type { WrittenTime } from "#ca/x509/contract";
import type { LintSubject } from "./lint-subject.ts";

/** Both ends of the validity, for lints that ask the same of both. */
export function timesOf({
  body,
}: LintSubject): readonly [{ name: "notBefore"; time: WrittenTime }, { name: "notAfter"; time: WrittenTime }] {
  return [
    { name: "notBefore", time: body.notBefore },
    { name: "notAfter", time: body.notAfter },
  ];
}

/**
 * Milliseconds since the epoch of a time with seconds that ends with `Z`; two-digit years as RFC 5280 §4.1.2.5.1 says. Undefined: of another form, or no
 * such day or hour.
 */
export function millisOfText({ form, text }: WrittenTime): number | undefined {
  const digits = form === "UTCTime" ? (text < "50" ? `20${text}` : `19${text}`) : text;
  if (!/^\d{14}Z$/.test(digits)) return undefined;
  const number = (start: number, length: number) => Number(digits.slice(start, start + length));
  const [year, month, day] = [number(0, 4), number(4, 2), number(6, 2)];
  const [hour, minute, second] = [number(8, 2), number(10, 2), number(12, 2)];
  // `Date.UTC` takes years below 100 for those of the 20th century.
  if (year < 100) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return exists ? date.getTime() : undefined;
}
