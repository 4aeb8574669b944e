import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTimestamp } from "#policy-compiler/ruleset/timestamp";

const times: readonly (readonly [text: string, iso: string])[] = [
  ["2026-01-05T10:30:00Z", "2026-01-05T10:30:00.000Z"],
  ["2026-01-05T10:30:00+01:00", "2026-01-05T09:30:00.000Z"],
  ["2026-01-05T10:30:00-23:59", "2026-01-06T10:29:00.000Z"],
  ["2026-01-05T10:30:00.5Z", "2026-01-05T10:30:00.500Z"],
  ["2026-01-05T10:30:00.0289Z", "2026-01-05T10:30:00.028Z"],
  ["2026-01-05T10:30:00.12345678901Z", "2026-01-05T10:30:00.123Z"],
  // `Date.parse` reads nine milliseconds here.
  ["2026-01-05T10:30:00.0009999999Z", "2026-01-05T10:30:00.000Z"],
  ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"],
  ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"],
  ["0099-12-31T00:00:00Z", "0099-12-31T00:00:00.000Z"],
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
];
for (const [text, iso] of times) {
  test(`${text} is a time`, () => {
    assert.equal(new Date(parseTimestamp(text) ?? Number.NaN).toISOString(), iso);
  });
}

const none: readonly (readonly [why: string, text: string])[] = [
  ["a day that is none", "2026-02-30T00:00:00Z"],
  ["a leap day in another year", "2025-02-29T00:00:00Z"],
  ["a thirteenth month", "2026-13-01T00:00:00Z"],
  ["a month of zero", "2026-00-01T00:00:00Z"],
  ["a day of zero", "2026-01-00T00:00:00Z"],
  ["a 24th hour", "2026-01-01T24:00:00Z"],
  ["a 60th minute", "2026-01-01T00:60:00Z"],
  ["a leap second", "2016-12-31T23:59:60Z"],
  ["an offset of a day", "2026-01-01T00:00:00+24:00"],
  ["an offset of sixty minutes", "2026-01-01T00:00:00+00:60"],
  ["a comma before the fraction", "2026-01-01T00:00:00,5Z"],
  ["an hour of one digit", "2026-01-01T0:00:00Z"],
  ["a byte order mark before it", "\ufeff2026-01-01T00:00:00Z"],
  ["no offset", "2026-01-01T00:00:00"],
  ["a small t", "2026-01-01t00:00:00Z"],
  ["a small z", "2026-01-01T00:00:00z"],
  ["a space for the T", "2026-01-01 00:00:00Z"],
  ["a point without a digit", "2026-01-01T00:00:00.Z"],
  ["a year of five digits", "12026-01-01T00:00:00Z"],
  ["a day alone", "2026-01-01"],
  ["a line after it", "2026-01-01T00:00:00Z\n"],
  ["nothing", ""],
];
for (const [why, text] of none) {
  test(`${why} is no time`, () => {
    assert.equal(parseTimestamp(text), undefined);
  });
}
