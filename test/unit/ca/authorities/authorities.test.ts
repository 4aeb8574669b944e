import assert from "node:assert/strict";
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { test } from "node:test";
import type { Authorities } from "#ca/authorities/authorities";
import { generateKey } from "#ca/authorities/generate-key";
import { sealKey } from "#ca/authorities/key-envelope";
import { loadAuthorities } from "#ca/authorities/load-authorities";
import type { AuthorityRecord } from "#ca/store/contract";
import { CodedError } from "#platform/coded-error";
import { cheapKey, createAuthorityScene, day, sceneKey, sha256, statesOf } from "#test/support/ca/authority-scene";

function hasCode(code: string, words = /./): (fault: unknown) => boolean {
  return (fault) => {
    assert.ok(fault instanceof CodedError, String(fault));
    assert.equal(fault.code, code, fault.message);
    assert.match(fault.message, words);
    return true;
  };
}

/** A trust domain with root, audit key and issuing authority, made once. */
const initialised: Promise<readonly AuthorityRecord[]> = (async () => {
  const scene = createAuthorityScene();
  const authorities = await scene.open();
  await authorities.initialise("test");
  authorities.close();
  return scene.store.records;
})();

const subjectsOf = (authorities: Authorities) =>
  authorities.status().map(({ role, state, subject }) => `${role} ${state} ${subject.replace(/[0-9a-f]{16}/, "…")}`);

test("an empty store has no authority, and says what to do", async () => {
  const { open } = createAuthorityScene();
  const authorities = await open();
  assert.equal(authorities.current().issuing, undefined);
  assert.deepEqual(authorities.current().bundle.anchors, []);
  assert.deepEqual(authorities.status(), []);
  assert.equal(authorities.auditKey(), undefined);
  assert.deepEqual(authorities.warnings(), ["no issuing authority is active: nothing can be issued"]);
  await assert.rejects(authorities.rotateIssuer("test"), hasCode("ca-authority/none", /garita ca init/));
  authorities.close();
});

test("initialise makes a root, an audit key and an active issuing authority", async () => {
  const { open, store, time } = createAuthorityScene();
  const authorities = await open();
  const status = await authorities.initialise("test");
  assert.deepEqual(subjectsOf(authorities), [
    "root active O=example.org, CN=root 1",
    "issuing active O=example.org, CN=issuer …",
  ]);
  assert.deepEqual(statesOf(store), ["root active", "audit active", "issuing active"]);
  const [root, issuing] = status;
  assert.ok(root!.keyHeld && issuing!.keyHeld);
  assert.equal(root!.notAfterMillis, time.nowMillis() + 3650 * day);
  assert.equal(issuing!.notAfterMillis, time.nowMillis() + 90 * day);
  assert.equal(issuing!.notBeforeMillis, time.nowMillis() - 120_000);
  assert.ok(issuing!.subject.endsWith(`issuer ${issuing!.keyId.slice(0, 16)}`));

  const set = authorities.current();
  assert.equal(set.issuing!.keyId, issuing!.keyId);
  assert.equal(set.issuing!.chainPem.length, 1);
  assert.equal(set.bundle.anchors.length, 1);
  assert.deepEqual(
    set.keyHashes,
    new Set([
      sha256(set.issuing!.certificate.spkiDer),
      sha256(set.bundle.anchors[0]!.spkiDer),
      sha256(authorities.auditKey()!.spkiDer),
    ]),
  );
  assert.deepEqual(authorities.warnings(), []);
  assert.deepEqual(
    store.events.map(({ kind, body }) => [kind, body["by"], body["keyId"]]),
    [["authority-activated", "test", issuing!.keyId]],
  );
  await assert.rejects(authorities.initialise("test"), hasCode("ca-authority/exists"));
  authorities.close();
  assert.equal(time.pending(), 0);
});

test("the audit key signs; what it signed is verified by its id alone", async () => {
  const { open } = createAuthorityScene(await initialised);
  const authorities = await open();
  const { keyId, spkiDer, sign } = authorities.auditKey()!;
  const bytes = Buffer.from("a head");
  const signature = sign(bytes);
  const publicKey = createPublicKey({ key: Buffer.from(spkiDer), format: "der", type: "spki" });
  assert.ok(verify(null, bytes, publicKey, signature), "Ed25519");
  assert.ok(authorities.verifyAudit(keyId, bytes, signature));
  assert.ok(!authorities.verifyAudit(keyId, Buffer.from("a heaf"), signature));
  assert.ok(!authorities.verifyAudit(keyId, bytes, signature.subarray(1)));
  assert.ok(!authorities.verifyAudit(authorities.current().issuing!.keyId, bytes, signature));
  authorities.close();
});

test("what is kept of a key opens nowhere else", async () => {
  for (const { encryptedKey } of await initialised) {
    assert.equal(Buffer.from(encryptedKey!).subarray(0, 4).toString(), "GKEY");
    assert.ok(!Buffer.from(encryptedKey!).toString("latin1").includes("PRIVATE"));
  }
});

test("after a restart the same authorities are in force", async () => {
  const { open } = createAuthorityScene(await initialised);
  const [first, second] = [await open(), await open()];
  assert.deepEqual(second.status(), first.status());
  assert.equal(second.current().bundle.sequence, first.current().bundle.sequence);
  assert.deepEqual(second.current().keyHashes, first.current().keyHashes);
  first.close();
  second.close();
});

test("another key-encryption key opens nothing, and the error says so", async () => {
  const { open, time } = createAuthorityScene(await initialised);
  const other = cheapKey("another");
  await assert.rejects(open({ keyEncryptionKey: other }), hasCode("ca-key/wrong-encryption-key", /root key/));
  assert.equal(time.pending(), 0);
});

test("a new issuing authority is active in one step with the retirement of the one before", async () => {
  const { open, store } = createAuthorityScene(await initialised);
  const authorities = await open();
  const before = authorities.current();
  const held: string[] = [];
  store.onWrite = () => {
    held.push(
      statesOf(store)
        .filter((state) => state === "issuing active")
        .length.toString(),
    );
    assert.equal(authorities.current().issuing, before.issuing, "what is in force stays until all is done");
  };
  const status = await authorities.rotateIssuer("an operator");
  assert.deepEqual(new Set(held), new Set(["1"]));
  assert.deepEqual(statesOf(store), ["root active", "audit active", "issuing retiring", "issuing active"]);
  const after = authorities.current();
  assert.equal(status.keyId, after.issuing!.keyId);
  assert.notEqual(after.issuing!.keyId, before.issuing!.keyId);
  assert.equal(after.bundle.sequence, before.bundle.sequence, "the same anchors");
  assert.ok(
    [...before.keyHashes].every((hash) => after.keyHashes.has(hash)),
    "an authority that is replaced keeps its key to itself",
  );
  assert.equal(store.events.at(-1)!.body["by"], "an operator");
  assert.equal(store.events.at(-1)!.body["replaces"], before.issuing!.keyId);
  authorities.close();
});

test("interrupted before or after any write, initialise goes on when it is called again", async () => {
  for (const when of ["before", "after"] as const) {
    for (let broken = 0; ; broken++) {
      const { open, store } = createAuthorityScene();
      store.onWrite = (call, at) => {
        if (call === broken && at === when) throw new Error("the machine stops");
      };
      const first = await open();
      const done = await first.initialise("test").then(
        () => true,
        () => false,
      );
      first.close();
      store.onWrite = () => {};
      if (done) break;
      const second = await open();
      assert.ok(statesOf(store).filter((state) => state === "issuing active").length <= 1);
      if (second.current().issuing === undefined || second.auditKey() === undefined) await second.initialise("again");
      assert.ok(second.current().issuing !== undefined && second.auditKey() !== undefined, `${when} ${broken}`);
      for (const one of ["root active", "audit active", "issuing active"])
        assert.equal(statesOf(store).filter((state) => state === one).length, 1, `${one}: ${when} ${broken}`);
      second.close();
    }
  }
});

test("interrupted before or after any write, a rotation leaves one active authority", async () => {
  for (const when of ["before", "after"] as const) {
    for (let broken = 0; ; broken++) {
      const { open, store } = createAuthorityScene(await initialised);
      store.onWrite = (call, at) => {
        if (call === broken && at === when) throw new Error("the machine stops");
      };
      const first = await open();
      const before = first.current();
      const done = await first.rotateIssuer("test").then(
        () => true,
        () => false,
      );
      if (done) {
        first.close();
        break;
      }
      assert.equal(first.current().issuing, before.issuing, "what was in force stays");
      first.close();
      store.onWrite = () => {};
      const second = await open();
      assert.equal(statesOf(store).filter((state) => state === "issuing active").length, 1);
      await second.rotateIssuer("again");
      assert.equal(statesOf(store).filter((state) => state === "issuing active").length, 1);
      second.close();
    }
  }
});

test("an authority that fails its self-test is never in force", async () => {
  const { open, store, time } = createAuthorityScene(await initialised);
  const authorities = await open();
  const before = authorities.current();
  // The clock goes back while it is kept: it is not valid yet when it is tested.
  store.onWrite = (call, at) => {
    if (call === 0 && at === "after") time.jump(-3_600_000);
  };
  await assert.rejects(
    authorities.rotateIssuer("test"),
    hasCode("ca-authority/self-test", /\(verify\): a relying party says the leaf is not valid yet/),
  );
  assert.equal(authorities.current().issuing!.keyId, before.issuing!.keyId);
  assert.deepEqual(statesOf(store), ["root active", "audit active", "issuing active", "issuing retired"]);
  authorities.close();
});

test("of two replicas that rotate at once one wins, and the other's authority never signs", async () => {
  const { open, store } = createAuthorityScene(await initialised);
  const [first, second] = [await open(), await open()];
  let winner: string | undefined;
  store.onWrite = async (call, at) => {
    if (call !== 0 || at !== "after") return;
    winner = (await second.rotateIssuer("second")).keyId;
  };
  await assert.rejects(first.rotateIssuer("first"), hasCode("ca-authority/exists", /became active meanwhile/));
  assert.equal(first.current().issuing!.keyId, winner);
  assert.equal(second.current().issuing!.keyId, winner);
  assert.equal(statesOf(store).filter((state) => state === "issuing active").length, 1);
  first.close();
  second.close();
});

test("a change by another replica is taken over at the next look, or when asked for", async () => {
  const { open, pass, store } = createAuthorityScene(await initialised);
  const [first, second] = [await open(), await open()];
  second.close();
  const rotated = await second.rotateIssuer("second");
  await pass(60_000);
  assert.equal(first.current().issuing!.keyId, rotated.keyId);
  const again = await second.rotateIssuer("second");
  await first.reload();
  assert.equal(first.current().issuing!.keyId, again.keyId);
  const held = first.current();
  store.records = store.records.map((record) => ({ ...record, state: "active" }));
  await assert.rejects(first.reload(), hasCode("ca-authority/two-active"));
  assert.equal(first.current(), held, "what was in force stays");
  first.close();
});

test("T14: a restored store raises the sequence of the bundle, though it knows fewer changes", async () => {
  const { open, store } = createAuthorityScene(await initialised);
  const before = await open();
  store.generation++;
  const after = await open();
  assert.ok(after.current().bundle.sequence > before.current().bundle.sequence + 1000);
  before.close();
  after.close();
});

test("lifetimes: an issuing authority lives a day at least, and ends before its root", async () => {
  const short = createAuthorityScene();
  const authorities = await short.open({ settings: { issuingLifetimeMillis: day - 1 } });
  await assert.rejects(authorities.initialise("test"), hasCode("ca-authority/lifetime"));
  authorities.close();

  const ending = createAuthorityScene();
  const clamped = await ending.open({ settings: { rootLifetimeMillis: 2 * day } });
  const [root, issuing] = await clamped.initialise("test");
  assert.equal(issuing!.notAfterMillis, root!.notAfterMillis - 60_000);
  assert.match(clamped.warnings()[0]!, /^the root `O=example\.org, CN=root 1` ends at/);
  ending.time.jump(day);
  await assert.rejects(clamped.rotateIssuer("test"), hasCode("ca-authority/root-expiring"));
  clamped.close();
});

/** Records with one thing changed that nobody but an attacker or a broken disk changes. */
const damage: readonly (readonly [string, string, (records: Records) => readonly AuthorityRecord[]])[] = [
  [
    "a certificate of another authority",
    "ca-authority/damaged",
    (r) => [r.root, but(r.issuing, { certificateDer: r.root.certificateDer }), r.audit],
  ],
  ["another id", "ca-authority/damaged", (r) => [r.root, but(r.issuing, { keyId: "00".repeat(20) }), r.audit]],
  [
    "no certificate",
    "ca-authority/damaged",
    (r) => [r.root, but(r.issuing, { certificateDer: Uint8Array.of(0x30, 0) }), r.audit],
  ],
  [
    "a certificate with one bit turned",
    "ca-authority/damaged",
    (r) => [r.root, but(r.issuing, { certificateDer: turned(r.issuing.certificateDer) }), r.audit],
  ],
  ["another kind of key", "ca-authority/damaged", (r) => [r.root, but(r.issuing, { keyKind: "P-384" }), r.audit]],
  ["no root", "ca-authority/damaged", (r) => [r.issuing, r.audit]],
  ["a root that is retired", "ca-authority/damaged", (r) => [but(r.root, { state: "retired" }), r.issuing, r.audit]],
  [
    "a chain of no certificates",
    "ca-authority/damaged",
    (r) => [r.root, but(r.issuing, { chainDer: [Uint8Array.of(5, 0)] }), r.audit],
  ],
  [
    "the envelope of the root",
    "ca-key/damaged",
    (r) => [r.root, but(r.issuing, { encryptedKey: r.root.encryptedKey }), r.audit],
  ],
  [
    "an envelope with one bit turned",
    "ca-key/damaged",
    (r) => [r.root, but(r.issuing, { encryptedKey: turned(r.issuing.encryptedKey!) }), r.audit],
  ],
  [
    "a damaged key of the root",
    "ca-key/damaged",
    (r) => [but(r.root, { encryptedKey: turned(r.root.encryptedKey!) }), r.issuing, r.audit],
  ],
  [
    "a damaged audit key",
    "ca-key/damaged",
    (r) => [r.root, r.issuing, but(r.audit, { encryptedKey: turned(r.audit.encryptedKey!) })],
  ],
  [
    "another audit key",
    "ca-authority/damaged",
    (r) => [r.root, r.issuing, but(r.audit, { certificateDer: turned(r.audit.certificateDer) })],
  ],
  [
    "two audit keys",
    "ca-authority/two-active",
    (r) => [r.root, r.issuing, r.audit, but(r.audit, { keyId: "00".repeat(32) })],
  ],
  [
    "two issuing authorities",
    "ca-authority/two-active",
    (r) => [r.root, r.issuing, but(r.issuing, { keyId: "00".repeat(20) }), r.audit],
  ],
];

interface Records {
  readonly root: AuthorityRecord;
  readonly issuing: AuthorityRecord;
  readonly audit: AuthorityRecord;
}

function but(record: AuthorityRecord, changed: Partial<AuthorityRecord>): AuthorityRecord {
  return { ...record, ...changed };
}

function turned(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

for (const [what, code, change] of damage)
  test(`nothing is loaded of a store with ${what}`, async () => {
    const records = await initialised;
    const ofRole = (role: AuthorityRecord["role"]) => records.find((record) => record.role === role)!;
    const scene = createAuthorityScene(
      change({ root: ofRole("root"), issuing: ofRole("issuing"), audit: ofRole("audit") }),
    );
    await assert.rejects(scene.open(), hasCode(code));
    assert.equal(scene.time.pending(), 0);
  });

test("a key that opens and is another's is refused", async () => {
  const records = await initialised;
  const { privateKey } = await generateKey("P-256");
  for (const role of ["root", "issuing"] as const) {
    const changed = await Promise.all(
      records.map(async (record) =>
        record.role === role
          ? { ...record, encryptedKey: await sealKey(privateKey, { ...record, role }, sceneKey, randomBytes) }
          : record,
      ),
    );
    await assert.rejects(loadAuthorities(changed, sceneKey), hasCode("ca-authority/key-mismatch", new RegExp(role)));
  }
});
