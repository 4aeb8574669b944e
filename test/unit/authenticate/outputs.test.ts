import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptToken } from "#authz/authenticate/accept";
import { createPlan } from "#authz/authenticate/plan";
import { parseToken } from "#identity/token/parse";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import { jwtRule, token } from "#test/support/authenticate/scene";

function accept(claims: string, given: Partial<JwtRule>) {
  const parse = parseToken(token(claims));
  assert.ok(parse.ok, claims);
  return acceptToken({ provider: createPlan([jwtRule(given)])!.providers[0]!, token: parse.token });
}

/** Values as a real Envoy 1.40 made them: JSON of the claim `c`, path, header. */
const values: readonly (readonly [json: string, path: string, value: string | undefined])[] = [
  ['"text"', "c", "text"],
  ['"é"', "c", "Ã©"],
  ['""', "c", undefined],
  ["null", "c", undefined],
  ["true", "c", "true"],
  ["false", "c", "false"],
  ["0", "c", "0"],
  ["-0", "c", "0"],
  ["7.0", "c", "7"],
  ["1e15", "c", "1000000000000000"],
  ["9007199254740993", "c", "9007199254740992"],
  ["12345678901234567890", "c", "12345678901234567168"],
  ["18446744073709549568", "c", "18446744073709549568"],
  ["18446744073709551615", "c", "18446744073709551616.000000"],
  ["1e20", "c", "100000000000000000000.000000"],
  ["-18446744073709551616", "c", "-18446744073709551616.000000"],
  ["-5", "c", "-5.000000"],
  ["0.5", "c", "0.500000"],
  ["0.0078125", "c", "0.007812"],
  ["-0.0078125", "c", "-0.007812"],
  ["0.0234375", "c", "0.023438"],
  ["2.5e-7", "c", "0.000000"],
  ["-1e-9", "c", "-0.000000"],
  ["{}", "c", base64("{}")],
  ["[]", "c", base64("[]")],
  ['{"a" : [1, "x", null, true]}', "c", base64('{"a":[1,"x",null,true]}')],
  ['{"d":{"e":"deep"}}', "c.d.e", "deep"],
  ['{"d":{"e":{"f":1}}}', "c.d.e", base64('{"f":1}')],
  ['{"d.e":"flat"}', "c.d.e", undefined],
  ['["x"]', "c.0", undefined],
  ['"x"', "c.length", undefined],
  ['{"a":1}', "c.constructor", undefined],
  ['{"":{"x":"y"}}', "c..x", "y"],
];

for (const [json, path, value] of values) {
  test(`claim ${path} of {"c":${json}}`, () => {
    const { outputs } = accept(`{"c":${json}}`, { outputClaimToHeaders: [{ header: "X-C", claim: path }] });
    assert.deepEqual(outputs, value === undefined ? [] : [["x-c", value]]);
  });
}

/** Numbers inside lists and objects, as a real Envoy 1.40 wrote them. */
const numbers: readonly (readonly [json: string, text: string])[] = [
  ["1e20", "1e+20"],
  ["0.1", "0.1"],
  ["1e15", "1e+15"],
  ["123456789012345", "123456789012345"],
  ["1234567890123456", "1234567890123456"],
  ["9007199254740993", "9007199254740992"],
  ["1e-5", "1e-05"],
  ["0.0001", "0.0001"],
  ["1.5e300", "1.5e+300"],
  ["-0", "-0"],
  ["-1", "-1"],
  ["100", "100"],
  ["1125899906842624.25", "1125899906842624.2"],
  ["1126492687053617.75", "1126492687053617.8"],
  ["12345678901234567890", "1.2345678901234567e+19"],
  ["3.0", "3"],
  ["5e-324", "4.94065645841247e-324"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["0.30000000000000004", "0.30000000000000004"],
  ["123456.789", "123456.789"],
];

for (const [json, text] of numbers) {
  test(`number ${json} in JSON`, () => {
    const { outputs } = accept(`{"c":[${json}]}`, { outputClaimToHeaders: [{ header: "x", claim: "c" }] });
    assert.deepEqual(outputs, [["x", base64(`[${text}]`)]]);
  });
}

test("texts in JSON: what is not seen, or ends a script, is escaped; the rest stays", () => {
  const raw =
    "a/b<>&'\"\\ \u0000\u001f\u007f\u0080\u00ad\u00e9\u0600\u0604\u2028\u20ac\ufeff\u{1f600}\u{1d173}\u{e0020}\n\t\b\f\r";
  const written =
    "a/b\\u003c\\u003e&'\\\"\\\\ \\u0000\\u001f\\u007f\\u0080\\u00adé\\u0600\u0604\\u2028€\\ufeff\u{1f600}\\ud834\\udd73\\udb40\\udc20\\n\\t\\b\\f\\r";
  const { outputs } = accept(JSON.stringify({ c: { [raw]: raw } }), {
    outputClaimToHeaders: [{ header: "x", claim: "c" }],
  });
  assert.equal(outputs[0]![1], base64(`{"${written}":"${written}"}`));
});

test("outputs stand in Envoy's order: the payload as received, then the claims as the rule lists them", () => {
  const text = token('{ "b":"2", "a":"1" }');
  const { outputs } = accept('{ "b":"2", "a":"1" }', {
    outputPayloadToHeader: "X-Payload",
    outputClaimToHeaders: [
      { header: "X-Z", claim: "b" },
      { header: "X-A", claim: "a" },
      { header: "x-z", claim: "a" },
    ],
  });
  assert.deepEqual(outputs, [
    ["x-payload", text.split(".")[1]],
    ["x-z", "2"],
    ["x-a", "1"],
    ["x-z", "1"],
  ]);
});

const delimited: readonly (readonly [claims: object, expected: object])[] = [
  [{ scope: " a  b " }, { scope: ["a", "b"] }],
  [
    { permission: "a", mine: "x y", other: "x y" },
    { permission: ["a"], mine: ["x", "y"], other: "x y" },
  ],
  [
    { scope: "", permission: "  " },
    { scope: "", permission: "  " },
  ],
  [
    { scope: ["a b"], permission: 1 },
    { scope: ["a b"], permission: 1 },
  ],
  [{ o: { scope: "a b" } }, { o: { scope: "a b" } }],
  [{ scope: "a\tb" }, { scope: ["a\tb"] }],
];

for (const [claims, expected] of delimited) {
  test(`claims ${JSON.stringify(claims)} as policies see them; the token and its outputs stay as they are`, () => {
    const accepted = accept(JSON.stringify(claims), {
      spaceDelimitedClaims: ["mine", "scope"],
      outputClaimToHeaders: [{ header: "x", claim: "permission" }],
    });
    assert.deepEqual(plain(accepted.claims), expected);
    assert.deepEqual(plain(accepted.token.claims), claims);
    assert.equal(accepted.outputs.length, "permission" in claims && claims.permission !== "" ? 1 : 0);
  });
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
