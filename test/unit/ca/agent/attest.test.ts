import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type AttestParts, createAttest } from "#ca/agent/attest";
import { buildBundle } from "#ca/bundle/build-bundle";
import { renderJoinToken } from "#ca/callers/join-token-text";
import { pemOf } from "#test/support/ca/agent/life-scene";
import { makeAuthority } from "#test/support/ca/make-certificate";

const root = makeAuthority({ kind: "P-256", profile: "root" }).certificate;
const other = makeAuthority({ kind: "P-384", profile: "root" }, { commonName: "another root" }).certificate;
const fingerprint = createHash("sha256").update(root.der).digest("hex");
const joinToken = renderJoinToken(new Uint8Array(32).fill(7), fingerprint);
const known = buildBundle("cluster.local", 1, [other]);

function attestOf(change: Partial<AttestParts>) {
  return createAttest({
    attestation: { kind: "join-token", file: "token" },
    trustDomain: "cluster.local",
    readPrivateSecret: async () => joinToken,
    readSecret: async () => "a.jwt.token",
    readText: async () => pemOf([root]),
    shownByServer: async () => [other.der, root.der],
    ...change,
  });
}

const jwt = (
  roots: { readonly kind: "file"; readonly file: string } | { readonly kind: "fingerprint"; readonly sha256: string },
) => ({ kind: "jwt", file: "jwt", roots }) as const;

describe("an attestation", () => {
  it("by a join token trusts the one root that the token names, of all that the server shows", async () => {
    const { token, anchors } = await attestOf({})(undefined);
    assert.equal(token, joinToken);
    assert.deepEqual(
      anchors.map(({ der }) => der),
      [root.der],
    );
    // A bundle without that root is another authority's: the token is newer.
    assert.deepEqual(
      (await attestOf({})(known)).anchors.map(({ der }) => der),
      [root.der],
    );
  });

  it("by a join token takes the bundle that is known where it has the root", async () => {
    const both = buildBundle("cluster.local", 1, [root, other]);
    const attest = attestOf({ shownByServer: () => Promise.reject(new Error("nobody is asked")) });
    assert.equal((await attest(both)).anchors.length, 2);
  });

  it("fails with agent/root where the server does not show the root", async () => {
    await assert.rejects(attestOf({ shownByServer: async () => [other.der] })(undefined), { code: "agent/root" });
    await assert.rejects(attestOf({ shownByServer: async () => [] })(undefined), { code: "agent/root" });
  });

  it("fails with agent/unreachable where nobody answers, and tells no token", async () => {
    const attest = attestOf({ shownByServer: () => Promise.reject(new Error("refused")) });
    await assert.rejects(attest(undefined), (fault: Error & { code: string }) => {
      assert.equal(fault.code, "agent/unreachable");
      return !fault.message.includes(joinToken.split("~")[1]!);
    });
  });

  it("fails with agent/attestation without a token, and for a text that is none", async () => {
    await assert.rejects(attestOf({ readPrivateSecret: () => Promise.reject(new Error("no such file")) })(undefined), {
      code: "agent/attestation",
      message: "no join token: no such file",
    });
    await assert.rejects(
      attestOf({ readPrivateSecret: async () => "a secret" })(undefined),
      (fault: Error) => !fault.message.includes("a secret"),
    );
  });

  it("by a JWT trusts the configured roots at first, and the bundle that is known later", async () => {
    const byFile = attestOf({ attestation: jwt({ kind: "file", file: "roots" }) });
    assert.deepEqual(
      (await byFile(undefined)).anchors.map(({ der }) => der),
      [root.der],
    );
    assert.deepEqual((await byFile(known)).anchors, known.anchors);
    const byFingerprint = attestOf({ attestation: jwt({ kind: "fingerprint", sha256: fingerprint }) });
    assert.deepEqual(
      (await byFingerprint(undefined)).anchors.map(({ der }) => der),
      [root.der],
    );
    const odd = attestOf({ attestation: jwt({ kind: "file", file: "roots" }), readText: async () => "nothing" });
    await assert.rejects(odd(undefined), { code: "agent/bundle" });
  });
});
