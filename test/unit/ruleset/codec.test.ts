import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import zlib from "node:zlib";
import { decodeRuleSet, encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
import type { FieldTest, Policy, RuleExtension, RuleSet, WorkloadRegistration } from "#policy-compiler/ruleset/model";
import { finish } from "#policy-compiler/ruleset/steps";
import { ByteReader } from "#policy-compiler/ruleset/wire/byte-reader";
import { crc32 } from "#policy-compiler/ruleset/wire/checksum";
import { extensionShape } from "#policy-compiler/ruleset/wire/extension-shapes";
import { StringTable } from "#policy-compiler/ruleset/wire/string-table";
import { ruleSetOf } from "#test/support/check/rule-set";

const origin = { file: "a.yaml", line: 1, column: 1 };

const empty = ruleSetOf({});

const field: FieldTest = {
  field: "hosts",
  attribute: { kind: "host" },
  values: [{ kind: "text", test: { op: "exact", text: "a" } }],
  notValues: [],
  texts: ["a"],
  notTexts: [],
};

const policy = {
  namespace: "foo",
  name: "p",
  stage: "allow",
  provider: undefined,
  attachment: { kind: "selector", labels: [] },
  origin,
} as const;

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

function fault(bytes: Uint8Array): string | undefined {
  const result = decodeRuleSet(bytes);
  return result.ok ? undefined : result.fault;
}

test("the bytes begin with a name and a version, and say which of them does not fit", () => {
  const bytes = encodeRuleSet(empty);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 6)), "garita");
  const other = bytes.slice();
  other[0] = 0;
  assert.equal(fault(other), "the bytes are no compiled rule set");
  const newer = bytes.slice();
  newer[7] = 9;
  assert.equal(fault(newer), "format version 5 expected, found 9");
  const damaged = bytes.slice();
  damaged[bytes.length - 1] = 9;
  assert.equal(fault(damaged), "the bytes are damaged: their checksum does not fit");
  assert.equal(fault(new Uint8Array()), "the bytes end too early");
});

test("the checksum is CRC-32", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
  for (let size = 0; size < 40; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 89 + size) % 256);
    assert.equal(crc32(bytes), zlib.crc32(bytes), `${size} bytes`);
  }
});

test("bytes are read where they lie in a larger buffer", () => {
  const bytes = encodeRuleSet(empty);
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 7);
  assert.deepEqual(decodeRuleSet(larger.subarray(7, 7 + bytes.length)), { ok: true, ruleSet: empty });
});

test("the digest is the SHA-256 of the bytes in hex", () => {
  const bytes = encodeRuleSet(empty);
  assert.equal(ruleSetDigest(bytes, sha256), createHash("sha256").update(bytes).digest("hex"));
});

test("a field that many rules share stands once in the bytes and is one object again", () => {
  const rule = (ordinal: number) => {
    const body = { to: [[structuredClone(field)]], from: [], when: [] };
    return { policy: 0, ordinal, origin, http: body, tcp: body };
  };
  const withRules = (count: number): RuleSet => ({
    ...empty,
    policies: [policy],
    rules: Array.from({ length: count }, (_, i) => rule(i)),
  });
  const one = encodeRuleSet(withRules(1)).length;
  const two = encodeRuleSet(withRules(2)).length;
  assert.ok(two - one <= 16, `a second rule of the same field takes ${two - one} bytes`);
  const back = decodeRuleSet(encodeRuleSet(withRules(2)));
  assert.ok(back.ok);
  assert.equal(back.ruleSet.rules[0]?.http?.to[0]?.[0], back.ruleSet.rules[1]?.http?.to[0]?.[0]);
});

test("a rule set that breaks its invariants is not written", () => {
  const rule = { policy: 0, ordinal: -1, origin, http: undefined, tcp: undefined };
  assert.throws(() => encodeRuleSet({ ...empty, policies: [policy], rules: [rule] }), /cannot hold the number -1/);
  const wide: FieldTest = { ...field, values: [{ kind: "text", test: { op: "exact", text: "\u20ac" } }] };
  const body = { to: [[wide]], from: [], when: [] };
  assert.throws(
    () => encodeRuleSet({ ...empty, policies: [policy], rules: [{ ...rule, ordinal: 0, http: body }] }),
    /beyond U\+00FF/,
  );
});

const ownPolicy = { ...policy, family: "garita", stage: "deny" } as const;
const anywhere = { to: [], from: [], when: [] };
const answering = (status: number, header = "x-why"): RuleExtension => ({
  conditions: [],
  denyResponse: { status, headers: [[header, { kind: "text", text: "no" }]], body: undefined },
  allowResponse: undefined,
});
const extended = (extension: RuleExtension, under: Policy = ownPolicy): RuleSet => ({
  ...empty,
  policies: [under],
  rules: [{ policy: 0, ordinal: 0, origin, http: anywhere, tcp: anywhere, extension }],
});
const condition = { text: "true", origin };

/** An extension of a rule, and why it is not written. The first is. */
const extensions: readonly (readonly [name: string, ruleSet: RuleSet, fault: RegExp | undefined])[] = [
  ["an answer under DENY", extended(answering(404)), undefined],
  ["an answer under dry-run DENY", extended(answering(302), { ...ownPolicy, stage: "dryRunDeny" }), undefined],
  [
    "conditions under AUDIT",
    extended(
      { conditions: [condition], denyResponse: undefined, allowResponse: undefined },
      { ...ownPolicy, stage: "audit" },
    ),
    undefined,
  ],
  ["an answer under ALLOW", extended(answering(404), { ...ownPolicy, stage: "allow" }), /nothing is denied/],
  [
    "an addition under DENY",
    extended({
      conditions: [],
      denyResponse: undefined,
      allowResponse: { requestHeaders: [], responseHeaders: [], dynamicMetadata: [] },
    }),
    /nothing is allowed/,
  ],
  ["an extension of Istio's rule", extended(answering(404), { ...policy, stage: "deny" }), /rule of Istio/],
  [
    "an extension that says nothing",
    extended({ conditions: [], denyResponse: undefined, allowResponse: undefined }),
    /says nothing/,
  ],
  ["a status of success", extended(answering(200)), /status is out of range/],
  ["a status beyond", extended(answering(600)), /status is out of range/],
  ["a header in capital letters", extended(answering(404, "X-Why")), /no name of one/],
  ["a header without a name", extended(answering(404, "")), /no name of one/],
];

for (const [name, ruleSet, fault] of extensions) {
  test(`what only our own policies can say: ${name} is ${fault === undefined ? "written and read" : "not written"}`, () => {
    if (fault !== undefined) assert.throws(() => encodeRuleSet(ruleSet), fault);
    else assert.deepEqual(decodeRuleSet(encodeRuleSet(ruleSet)), { ok: true, ruleSet });
  });
}

/** The one place where the bytes of two rule sets differ, exchanged behind the writer's back. */
function forged(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const [at, ...others] = [...bytes.keys()].filter((at) => at >= 12 && from.every((byte, i) => bytes[at + i] === byte));
  assert.ok(at !== undefined && others.length === 0, "one place");
  const changed = bytes.slice();
  changed.set(to, at);
  new DataView(changed.buffer).setUint32(8, crc32(changed.subarray(12)));
  return changed;
}

test("what the writer does not write the reader does not read", () => {
  const bytes = encodeRuleSet(extended(answering(404)));
  // 404 and 405, 200 and 600 in seven bits a byte.
  assert.equal(fault(forged(bytes, [0x94, 0x03], [0x95, 0x03])), undefined);
  assert.equal(fault(forged(bytes, [0x94, 0x03], [0xc8, 0x01])), "a status is out of range");
  assert.equal(fault(forged(bytes, [0x94, 0x03], [0xd8, 0x04])), "a status is out of range");
  const letters = (text: string) => [...new TextEncoder().encode(text)];
  assert.equal(fault(forged(bytes, letters("x-why"), letters("x-WHY"))), "a header has no name of one");
  const input = (octets: readonly number[]) => ({
    bytes: new ByteReader(Uint8Array.from(octets)),
    tables: { strings: emptyStrings, attributes: [], values: [], fields: [] },
  });
  assert.throws(() => extensionShape.read(input([0, 0, 0])), /an extension says nothing/);
  assert.ok(extensionShape.read(input([0, 0, 1, 0, 0, 0])));
});

const emptyStrings = finish(StringTable.read(new ByteReader(Uint8Array.from([0, 0]))));

const registered: WorkloadRegistration = {
  namespace: "foo",
  name: "r",
  spiffeId: [{ kind: "text", text: "spiffe://td/a" }],
  callers: [{ kind: "joinToken" }],
  dnsNames: [],
  keyKinds: ["P-256"],
  ttlSeconds: 60,
  maxTtlSeconds: undefined,
  origin,
};
const claim = { kind: "claim", path: ["sub"] } as const;
const asking = (path: readonly string[], values: readonly string[]) =>
  ({ kind: "jwt", issuer: "i", claims: [{ path, values }] }) as const;
const text = (part: string) => ({ kind: "text", text: part }) as const;

/** A registration, and why it is not written. The first is. */
const registrations: readonly (readonly [name: string, differs: Partial<WorkloadRegistration>, fault?: RegExp])[] = [
  ["an identity", {}],
  ["a template", { spiffeId: [text("spiffe://td/a-"), claim, text("-b/c")], callers: [asking(["sub"], ["a"])] }],
  ["no identity", { spiffeId: [] }, /no SPIFFE ID/],
  ["an identity without a path", { spiffeId: [text("spiffe://td")] }, /no SPIFFE ID/],
  ["a claim before the path", { spiffeId: [text("spiffe://td"), claim, text("/a")] }, /no SPIFFE ID/],
  ["two claims in a segment", { spiffeId: [text("spiffe://td/"), claim, text("-"), claim] }, /no SPIFFE ID/],
  ["nobody who may have it", { callers: [] }, /no callers/],
  ["claims of one without a token", { spiffeId: [text("spiffe://td/"), claim] }, /without a token/],
  ["a claim without a name", { callers: [asking([], ["a"])] }, /without a name/],
  ["a claim without a value", { callers: [asking(["a"], [])] }, /without a value/],
];

for (const [name, differs, fault] of registrations) {
  test(`a registration: ${name} is ${fault === undefined ? "written and read" : "not written"}`, () => {
    const ruleSet: RuleSet = { ...empty, registrations: [{ ...registered, ...differs }] };
    if (fault !== undefined) assert.throws(() => encodeRuleSet(ruleSet), fault);
    else assert.deepEqual(decodeRuleSet(encodeRuleSet(ruleSet)), { ok: true, ruleSet });
  });
}

test("numbers that lead out of a list are a fault", () => {
  const body = { to: [[field]], from: [], when: [] };
  const rule = { policy: 1, ordinal: 0, origin, http: body, tcp: body };
  assert.equal(fault(encodeRuleSet({ ...empty, policies: [policy], rules: [rule] })), "a policy is out of range");
  const index = { ...empty.index, http: { always: [0], dimensions: [] } };
  assert.equal(fault(encodeRuleSet({ ...empty, index })), "a rule is out of range");
});

test("a list that claims more items than there are bytes is refused before room is made for it", () => {
  const body = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
  const bytes = new Uint8Array([...encodeRuleSet(empty).subarray(0, 8), 0, 0, 0, 0, ...body]);
  new DataView(bytes.buffer).setUint32(8, crc32(body));
  assert.equal(fault(bytes), "a list is longer than the bytes that are left");
});
