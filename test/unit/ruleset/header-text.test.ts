import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeaderValue, isToken, staysOnLine } from "#policy-compiler/ruleset/header-text";

const codes = Array.from({ length: 0x180 }, (_, code) => code);
const taken = (isTaken: (text: string) => boolean) =>
  codes.filter((code) => isTaken(`a${String.fromCharCode(code)}b`)).map((code) => String.fromCharCode(code));
const from = (pattern: RegExp) => codes.map((code) => String.fromCharCode(code)).filter((each) => pattern.test(each));

test("a token is letters, digits and fifteen signs", () => {
  assert.deepEqual(taken(isToken), from(/[!#$%&'*+.^_`|~0-9A-Za-z-]/));
  assert.equal(isToken(""), false);
  assert.equal(isToken("a\n"), false);
});

test("a header's value is bytes without control characters, the tab aside", () => {
  assert.deepEqual(taken(isHeaderValue), from(/[\t\x20-\x7e\x80-\xff]/));
  assert.equal(isHeaderValue(""), true);
});

test("what stays on its line is bytes without CR, LF and NUL", () => {
  assert.deepEqual(taken(staysOnLine), from(/[^\0\r\n\u0100-\uffff]/));
  assert.equal(staysOnLine(""), true);
});
