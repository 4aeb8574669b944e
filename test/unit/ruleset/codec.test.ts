import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import zlib from "node:zlib";
import { decodeRuleSet, encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
import type { FieldTest, RuleIndex, RuleSet } from "#policy-compiler/ruleset/model";
import { crc32 } from "#policy-compiler/ruleset/wire/checksum";

const noIndex: RuleIndex = { always: [], dimensions: [] };
const origin = { file: "a.yaml", line: 1, column: 1 };

const empty: RuleSet = {
  mesh: {
    rootNamespace: "istio-system",
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    pathNormalization: "BASE",
    numTrustedProxies: 0,
  },
  policies: [],
  rules: [],
  peerAuthentications: [],
  requestAuthentications: [],
  workloads: [],
  services: [],
  providers: [],
  index: { http: noIndex, tcp: noIndex, customHttp: noIndex, customTcp: noIndex },
};

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
  assert.equal(fault(newer), "format version 2 expected, found 9");
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
