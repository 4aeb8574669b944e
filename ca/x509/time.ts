import type { Read, WrittenTime } from "./contract.ts";
import { contentLatin1, type DerNode } from "./der.ts";

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** `YYMMDDhhmm[ss]` or `YYYYMMDDhhmm[ss[.f]]`, then `Z` or an offset. */
const utcForm = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:Z|([+-])(\d\d)(\d\d))$/;
const generalizedForm = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d)(\d\d))$/;

/**
 * Reads UTCTime or GeneralizedTime: every form of X.680 §46 and §47 that names one instant, so that lints can say what is wrong with the others than
 * `YYMMDDhhmmssZ` and `YYYYMMDDhhmmssZ` (RFC 5280 §4.1.2.5), which alone are DER. Years of UTCTime from 50 on are 19xx. Local times and dates that do not exist are faults.
 */
export function readTime(node: DerNode): Read<WrittenTime> {
  const form = node.tag === UTC_TIME ? "UTCTime" : node.tag === GENERALIZED_TIME ? "GeneralizedTime" : undefined;
  if (form === undefined) return { ok: false, fault: { message: "expected a time", offset: node.start } };
  const text = node.end - node.contentStart > 32 ? "" : contentLatin1(node);
  const millis = form === "UTCTime" ? utcMillis(text) : generalizedMillis(text);
  if (millis === undefined)
    return { ok: false, fault: { message: `expected ${form} of an instant that exists`, offset: node.start } };
  return { ok: true, value: { form, text, millis } };
}

function utcMillis(text: string): number | undefined {
  const match = utcForm.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, sign, offsetHours, offsetMinutes] = match;
  const shortYear = Number(year);
  return instant(
    shortYear >= 50 ? 1900 + shortYear : 2000 + shortYear,
    [month, day, hour, minute, second ?? 0].map(Number),
    offsetMillis(sign, offsetHours, offsetMinutes),
  );
}

function generalizedMillis(text: string): number | undefined {
  const match = generalizedForm.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes] = match;
  const whole = instant(
    Number(year),
    [month, day, hour, minute, second ?? 0].map(Number),
    offsetMillis(sign, offsetHours, offsetMinutes),
  );
  return whole === undefined ? undefined : whole + Math.floor(Number(`0.${fraction ?? 0}`) * 1000);
}

function offsetMillis(sign: string | undefined, hours: string | undefined, minutes: string | undefined): number {
  const millis = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === "-" ? -millis : millis;
}

/** Undefined for a date or time of day that the calendar lacks. */
function instant(year: number, parts: readonly number[], offset: number): number | undefined {
  const [month, day, hour, minute, second] = parts as [number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const same =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return same ? date.getTime() - offset : undefined;
}

/** `YYYYMMDDhhmmssZ`. */
const GENERALIZED_YEAR = 2050;

/**
 * Content and tag of a time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050, whole seconds (rounded down), `Z`. Throws
 * for a time that cannot be written: before 1950, after 9999, or no number.
 */
export function writtenTime(millis: number): { readonly tag: number; readonly text: string } {
  const date = new Date(millis);
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) throw new Error(`no certificate can say the time ${millis}`);
  const iso = date.toISOString();
  const text = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
  return year < GENERALIZED_YEAR ? { tag: UTC_TIME, text: text.slice(2) } : { tag: GENERALIZED_TIME, text };
}

/** Down to the second: certificates have no finer times (RFC 5280 §4.1.2.5). Unix milliseconds. */
export function wholeSecond(millis: number): number {
  return Math.floor(millis / 1000) * 1000;
}
