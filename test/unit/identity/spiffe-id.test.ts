import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId, type SpiffeIdFault } from "#identity/spiffe-id";

test("valid IDs keep their parts, and print as they were written", () => {
  const valid: readonly (readonly [string, string, string])[] = [
    ["spiffe://td", "td", ""],
    ["spiffe://td/ns/a/sa/b", "td", "/ns/a/sa/b"],
    ["spiffe://a.b-c_d.9/X/y.z/_-", "a.b-c_d.9", "/X/y.z/_-"],
    ["spiffe://1.2.3.4/w", "1.2.3.4", "/w"],
    ["spiffe://td/...", "td", "/..."],
  ];
  for (const [text, trustDomain, path] of valid) {
    const parsed = parseSpiffeId(text);
    assert.ok(parsed.ok, text);
    assert.equal(parsed.id.trustDomain, trustDomain);
    assert.equal(parsed.id.path, path);
    assert.equal(String(parsed.id), text);
  }
});

test("each way to be invalid has its fault", () => {
  const invalid: readonly (readonly [string, SpiffeIdFault])[] = [
    ["", "empty"],
    ["spiffe:/td", "wrong-scheme"],
    ["SPIFFE://td", "wrong-scheme"],
    ["https://td", "wrong-scheme"],
    ["spiffe://", "missing-trust-domain"],
    ["spiffe:///ns/a", "missing-trust-domain"],
    [`spiffe://${"a".repeat(256)}`, "trust-domain-too-long"],
    [`spiffe://td/${"a".repeat(2048)}`, "too-long"],
    ["spiffe://td/", "trailing-slash"],
    ["spiffe://td/a/", "trailing-slash"],
    ["spiffe://td//a", "empty-path-segment"],
    ["spiffe://td/./a", "dot-path-segment"],
    ["spiffe://td/a/..", "dot-path-segment"],
  ];
  for (const [text, fault] of invalid) assert.deepEqual(parseSpiffeId(text), { ok: false, fault }, text.slice(0, 40));
});

test("the longest lengths allowed are allowed", () => {
  assert.ok(parseSpiffeId(`spiffe://${"a".repeat(255)}`).ok);
  assert.ok(parseSpiffeId(`spiffe://td/${"a".repeat(2048 - "spiffe://td/".length)}`).ok);
});

test("every character is tried in the trust domain and in the path", () => {
  const lower = /^[a-z0-9._-]$/;
  const any = /^[A-Za-z0-9._-]$/;
  for (let c = 0; c < 0x250; c++) {
    const char = String.fromCharCode(c);
    if (char !== "/") {
      assert.equal(parseSpiffeId(`spiffe://t${char}d`).ok, lower.test(char), `trust domain ${c}`);
      assert.equal(parseSpiffeId(`spiffe://td/a${char}b`).ok, any.test(char), `path ${c}`);
    }
  }
});

test("Istio's name is exactly ns and sa", () => {
  const name = (text: string) => {
    const parsed = parseSpiffeId(text);
    return parsed.ok ? parsed.id.istioName : "invalid";
  };
  assert.deepEqual(name("spiffe://td/ns/foo/sa/bar"), { namespace: "foo", serviceAccount: "bar" });
  for (const other of [
    "",
    "/ns/foo",
    "/ns/foo/sa",
    "/ns/foo/sa/bar/x",
    "/x/ns/foo/sa/bar",
    "/sa/bar/ns/foo",
    "/NS/foo/sa/bar",
  ])
    assert.equal(name(`spiffe://td${other}`), undefined, other);
});
