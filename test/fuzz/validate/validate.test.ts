import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { buildRegistrations } from "#ca/registration/build-registrations";
import { registrationEntries } from "#cli/serve/registration-entries";
import { compile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { decodeRuleSet, encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { validateDocuments } from "#policy-compiler/validate/validate";

const corpus: readonly string[] = gunzipSync(
  readFileSync(new URL("../../cases/validation/generated.jsonl.gz", import.meta.url)),
)
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.stringify(JSON.parse(line).policy));

/** Texts that stand where an author's value stood: anything, and what the small grammars are made of. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."*{}/[]:.%@#?-0aZ\n ", "{*}", "{**}", "https://", "spiffe://", "::", "é") }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);

describe("validation of policies whose values were replaced by anything", () => {
  it("never throws, and underlines a part of the file in one line of words", () => {
    const edits = fc.array(fc.tuple(fc.nat(), text), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...corpus), edits, (policy, replacements) => {
        const content = replaceTexts(policy, replacements);
        const files = [{ path: "p.json", bytes: new TextEncoder().encode(content) }];
        for (const finding of validateDocuments(decodeDocuments(files, { istioLax: true }).documents)) {
          const { start, end } = finding.span;
          assert.ok(0 <= start && start < end && end <= content.length, finding.code);
          assert.doesNotMatch(`${finding.message}${finding.help ?? ""}`, /[\p{Cc}\u2028\u2029]/u);
        }
      }),
      { numRuns: 3000, verbose: 1 },
    );
  });
});

/** Policies of our own group: one with everything under DENY, one under ALLOW. */
const ownRules: readonly (readonly [action: string, rule: object])[] = [
  [
    "DENY",
    {
      cel: ["true", "claims.a == 'b'", "request.path.matches('a')"],
      denyResponse: { status: "302", headers: { location: "/", "x-a": { cel: "'a'" } }, body: { cel: "request.path" } },
    },
  ],
  [
    "ALLOW",
    {
      cel: ["now.getHours() > 8"],
      allowResponse: {
        requestHeaders: { "x-a": "b" },
        responseHeaders: { "x-a": { cel: "string(claims.a)" } },
        dynamicMetadata: { a: "b", c: { cel: "request.host" } },
      },
    },
  ],
];
const ownPolicies = ownRules.map(([action, rule]) =>
  JSON.stringify({
    apiVersion: "garita.dev/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: { name: "a" },
    spec: { action, rules: [rule] },
  }),
);

/** Registrations: one of an identity, one with a template. */
const registrations = [
  {
    spiffeId: "spiffe://cluster.local/ns/web/sa/nginx",
    callers: [
      { spiffeId: "spiffe://cluster.local/a" },
      { jwt: { issuer: "https://i", claims: { sub: "a", "[a][b]": ["b", "c"] } } },
      { joinToken: {} },
    ],
    dnsNames: ["web.example", "web"],
    keyKinds: ["P-256"],
    ttl: { default: "1h", max: "24h" },
  },
  { spiffeId: "spiffe://cluster.local/ns/{[a][b]}/sa/x-{sub}", callers: [{ jwt: { issuer: "https://i" } }] },
].map((spec) =>
  JSON.stringify({ apiVersion: "garita.dev/v1alpha1", kind: "WorkloadRegistration", metadata: { name: "a" }, spec }),
);

describe("compiling registrations whose values were replaced by anything", () => {
  it("never throws, underlines a part of the file, and lowers what has no error to bytes that can be read", () => {
    const edits = fc.array(fc.tuple(fc.nat(), text), { maxLength: 3 });
    let lowered = 0;
    fc.assert(
      fc.property(fc.constantFrom(...registrations), edits, (registration, replacements) => {
        const content = replaceTexts(registration, replacements);
        const { ruleSet, diagnostics } = compile([{ path: "r.json", bytes: new TextEncoder().encode(content) }]);
        for (const { message, help } of diagnostics.filter(({ code }) => code.startsWith("registration/"))) {
          assert.doesNotMatch(`${message}${help ?? ""}`, /[\p{Cc}\u2028\u2029]/u);
        }
        assert.ok(!diagnostics.some(({ code }) => code === "lowering/value-not-compiled"), content);
        if (ruleSet === undefined) return;
        lowered += ruleSet.registrations.length;
        assert.deepEqual(decodeRuleSet(encodeRuleSet(ruleSet)), { ok: true, ruleSet });
        assert.equal(buildRegistrations(registrationEntries(ruleSet)).ranked.length, ruleSet.registrations.length);
      }),
      { numRuns: 2000, verbose: 1 },
    );
    assert.ok(lowered > 50, `only ${lowered} registrations had no error`);
  });
});

/** Pieces of CEL, and of what breaks it. */
const expressionText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...["request", "claims", "tokens", "now", ".", ".path", "matches", "(", ")", "[", "]", "'", '"', "`", "\\"],
        ...[
          "==",
          " && ",
          "||",
          "!",
          "?",
          ":",
          ",",
          "1",
          "-",
          "'a'",
          "'(a'",
          "has(",
          "exists(x, ",
          "\n",
          "\t",
          " ",
          "b",
        ],
        ...["r'", "\u2028", "\0", "{", "}", "//", "9223372036854775808", "timestamp('x')", "int(", "in"],
      ),
      fc.string({ unit: "binary", maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

describe("validation of our own policies whose values were replaced by anything", () => {
  it("never throws, and tells a place in the file in one line of words", () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.oneof(text, expressionText)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...ownPolicies), edits, (policy, replacements) => {
        const content = replaceTexts(policy, replacements);
        const files = [{ path: "p.json", bytes: new TextEncoder().encode(content) }];
        for (const finding of validateDocuments(decodeDocuments(files, {}).documents)) {
          const { start, end } = finding.span;
          // What is missing at the end of an expression has a place and no extent.
          assert.ok(0 <= start && start <= end && end <= content.length, finding.code);
          assert.ok(start < end || finding.code === "condition/syntax", finding.code);
          assert.doesNotMatch(`${finding.message}${finding.help ?? ""}`, /[\p{Cc}\u2028\u2029]/u);
        }
      }),
      { numRuns: 3000, verbose: 1 },
    );
  });
});

/** Replaces the values chosen by number, of those that are text inside a list or a field. */
function replaceTexts(policy: string, replacements: readonly (readonly [number, string])[]): string {
  const spots = [...policy.matchAll(/(?<=[:,[])"(?:[^"\\]|\\.)*"(?=[,\]}])/g)];
  let content = policy;
  const chosen = new Map(replacements.map(([number, value]) => [number % Math.max(spots.length, 1), value]));
  for (const [spot, value] of [...chosen].toSorted(([left], [right]) => right - left)) {
    const found = spots[spot];
    if (found === undefined) continue;
    content = `${content.slice(0, found.index)}${JSON.stringify(value)}${content.slice(found.index + found[0].length)}`;
  }
  return content;
}
