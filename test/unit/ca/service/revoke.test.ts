import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { revoke } from "#ca/service/revoke";
import { createRevoked } from "#ca/service/revoked";
import type { Revocation } from "#ca/store/contract";
import { DenyList } from "#identity/deny-list/deny-list";
import { encodeDenyList, mostDenyListBytes } from "#identity/deny-list/encode-deny-list";
import { silentLog } from "#test/support/ca/silent-log";

const nowMillis = Date.UTC(2030, 0, 1);

/** An authority of which so much is revoked. */
async function scene(targets: readonly Revocation["target"][]) {
  const revoked = await createRevoked({
    revocations: async () => targets.map((target) => ({ target, atMillis: 0, by: "", reason: "" })),
    issuance: async () => undefined,
  });
  const kept: Revocation[] = [];
  const disk = { isFull: false };
  const store = {
    issuance: async () => undefined,
    issuances: async () => [],
    async revoke(revocation: Revocation) {
      if (disk.isFull) throw new Error("the disk is full");
      kept.push(revocation);
      return true;
    },
  };
  const parts = { store, revoked, trustDomain: "cluster.local", nowMillis: () => nowMillis, log: silentLog };
  return { revoked, kept, disk, revoke: (target: Revocation["target"]) => revoke(parts, target, "a test", "operator") };
}

const fingerprints = (count: number) =>
  Array.from({ length: count }, (_none, i) => ({
    kind: "fingerprint" as const,
    fingerprint: hash("sha256", String(i), "hex"),
  }));

test("a list that nobody could read is never made: the revocation that would make it is refused, and revokes nobody", async () => {
  const full = await scene(fingerprints(36_600));
  const target = { kind: "identity", spiffeId: "spiffe://cluster.local/ns/a/sa/b" } as const;
  await assert.rejects(full.revoke(target), { code: "ca-revocation/full" });
  assert.deepEqual([full.kept, full.revoked.isIdentityRevoked(target.spiffeId)], [[], false]);
  const nearly = await scene(fingerprints(36_500));
  await nearly.revoke(target);
  const { certificates, identities, revocations } = nearly.revoked.denied();
  assert.deepEqual([certificates.length, identities.length, revocations], [36_500, 1, 36_501]);
});

test("what could not be kept does not count: the lists of the next start are not older than those of this one", async () => {
  const identity = (name: string) => ({
    kind: "identity" as const,
    spiffeId: `spiffe://cluster.local/ns/a/sa/${name}`,
  });
  const { revoked, kept, disk, revoke: revokeIt } = await scene([]);
  await revokeIt(identity("first"));
  disk.isFull = true;
  for (const name of ["a", "b", "b"]) await assert.rejects(revokeIt(identity(name)), /the disk is full/);
  const { identities, revocations } = revoked.denied();
  assert.deepEqual([identities.length, revocations], [3, 1]);
  const again = await scene(kept.map(({ target }) => target));
  assert.equal(again.revoked.denied().revocations, 1);
  await again.revoke(identity("c"));
  assert.ok(again.revoked.denied().revocations > revocations);
});

test("what is taken for the size of a list is never less than it is", async () => {
  const endsMillis = Number.MAX_SAFE_INTEGER;
  const certificates = fingerprints(1000).map(({ fingerprint }) => ({ fingerprint, endsMillis }));
  const sizeBytes = (count: number) =>
    encodeDenyList(
      new DenyList({
        trustDomain: "t".repeat(255),
        sequence: Number.MAX_SAFE_INTEGER,
        issuedMillis: Number.MAX_SAFE_INTEGER,
        certificates: certificates.slice(0, count),
        identities: [],
      }),
    ).length;
  assert.ok(sizeBytes(0) <= 512);
  assert.ok((sizeBytes(1000) - sizeBytes(0)) / 1000 <= 86);
  assert.ok(mostDenyListBytes < 4 * 1024 * 1024);
});
