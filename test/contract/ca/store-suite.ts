import assert from "node:assert/strict";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { type TestContext, test } from "node:test";
import { bodyOfEntry, hashEntry, headBytes, noPrevious } from "#ca/store/chain";
import type { AuditEntry, AuditHead, CaStore, Explanation, IssuanceQuery } from "#ca/store/contract";
import { verifyChain } from "#ca/store/verify-chain";
import {
  authorityOf,
  completionOf,
  digestOf,
  intentOf,
  noonMillis,
  serialOf,
  tokenOf,
} from "#test/support/ca/store-records";

/** A store of its own for one test. Its clock stands at `noonMillis`. */
export interface StoreFixture {
  readonly store: CaStore;
  /** Closes it and opens it again, as a service that starts anew does. */
  reopen(): Promise<CaStore>;
}

/** Runs the contract of `CaStore` over an implementation. Knows nothing of its shape. */
export function storeContract(name: string, create: (t: TestContext) => Promise<StoreFixture>): void {
  const contract = (behaviour: string, run: (fixture: StoreFixture, t: TestContext) => Promise<void>) =>
    test(`${name}: ${behaviour}`, async (t) => run(await create(t), t));

  contract("an intent is kept, and completed once", async ({ store }) => {
    assert.deepEqual(await store.recordIntent(intentOf(1)), { ok: true });
    const open = await store.issuance(serialOf(1));
    const notYet = { state: "intended", fingerprint: undefined, certificateDer: undefined, revoked: undefined };
    assert.deepEqual(open, { ...intentOf(1), ...notYet });
    await store.recordCompletion(completionOf(1));
    const { fingerprint, certificateDer } = completionOf(1);
    const issued = { ...intentOf(1), state: "issued", fingerprint, certificateDer, revoked: undefined };
    assert.deepEqual(await store.issuance(serialOf(1)), issued);
    await rejects(store.recordCompletion(completionOf(1)), "ca-store/no-intent");
    await rejects(store.recordAbandoned(serialOf(1), noonMillis, "late"), "ca-store/no-intent");
    await rejects(store.recordCompletion(completionOf(2)), "ca-store/no-intent");
    assert.equal(await store.issuance(serialOf(2)), undefined);
  });

  contract("a certificate that is not what its fingerprint says is not recorded", async ({ store }) => {
    await store.recordIntent(intentOf(1));
    await assert.rejects(store.recordCompletion(completionOf(1, { fingerprint: digestOf("another") })));
    assert.equal((await store.issuance(serialOf(1)))?.state, "intended");
  });

  contract("an abandoned intent can not be completed", async ({ store }) => {
    await store.recordIntent(intentOf(1));
    await store.recordAbandoned(serialOf(1), noonMillis + 5, "the key does not work");
    assert.equal((await store.issuance(serialOf(1)))?.state, "abandoned");
    await rejects(store.recordCompletion(completionOf(1)), "ca-store/no-intent");
  });

  contract("an intent without a registration and with foreign names is answered as it was given", async ({ store }) => {
    const given = intentOf(1, { registration: undefined, dnsNames: [], nameMismatch: ["dns:ä", 'a"b\\'] });
    await store.recordIntent(given);
    const { registration, dnsNames, nameMismatch } = (await store.issuance(serialOf(1)))!;
    assert.deepEqual(
      { registration, dnsNames, nameMismatch },
      { registration: undefined, dnsNames: [], nameMismatch: ["dns:ä", 'a"b\\'] },
    );
  });

  contract(
    "a serial and a key belong to one: the second to claim them is refused and leaves no trace",
    async ({ store }) => {
      await store.recordIntent(intentOf(1));
      assert.deepEqual(await store.recordIntent(intentOf(2, { serialHex: serialOf(1) })), {
        ok: false,
        fault: "serial-in-use",
      });
      const { spkiHash, spiffeId } = intentOf(1);
      assert.deepEqual(await store.recordIntent(intentOf(2, { spkiHash })), { ok: false, fault: "key-in-use" });
      assert.deepEqual(
        await store.recordIntent(intentOf(3, { spkiHash, spiffeId })),
        { ok: true },
        "its own key again",
      );
      assert.equal(await store.issuance(serialOf(2)), undefined);
      assert.equal((await kinds(store)).filter((kind) => kind === "issuance-intended").length, 2);
    },
  );

  contract("of many that claim one key, one serial and one token in one turn, one wins", async ({ store }) => {
    await store.addJoinToken(tokenOf(1));
    const redeem = { tokenHash: tokenOf(1).hash, remoteAddress: undefined };
    const { spiffeId } = tokenOf(1);
    const withToken = await Promise.all([2, 3, 4].map((n) => store.recordIntent(intentOf(n, { spiffeId }), redeem)));
    assert.deepEqual(withToken, [{ ok: true }, { ok: false, fault: "token-used" }, { ok: false, fault: "token-used" }]);
    const spkiHash = digestOf("shared key");
    const withKey = await Promise.all([5, 6, 7].map((n) => store.recordIntent(intentOf(n, { spkiHash }))));
    assert.deepEqual(
      withKey.map(({ ok }) => ok),
      [true, false, false],
    );
    const serialHex = serialOf(99);
    const withSerial = await Promise.all([8, 9].map((n) => store.recordIntent(intentOf(n, { serialHex }))));
    assert.deepEqual(
      withSerial.map(({ ok }) => ok),
      [true, false],
    );
  });

  contract("what is refused or fails takes no neighbour of its turn with it", async ({ store }) => {
    const settled = await Promise.allSettled([
      store.recordIntent(intentOf(1)),
      store.recordCompletion(completionOf(7)),
      store.recordIntent(intentOf(2), { tokenHash: digestOf("none"), remoteAddress: undefined }),
      store.recordCompletion(completionOf(1)),
      store.recordCompletion(completionOf(1, { fingerprint: "wrong" })),
      store.recordIntent(intentOf(3)),
    ]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled", "rejected", "fulfilled"],
    );
    assert.equal((await store.issuance(serialOf(1)))?.state, "issued");
    assert.equal(await store.issuance(serialOf(2)), undefined);
    assert.equal((await store.issuance(serialOf(3)))?.state, "intended");
    await chainIsGood(store);
  });

  contract("T9: a token is redeemed once, in its time, for its identity, and says by whom", async ({ store }) => {
    await store.addJoinToken(tokenOf(1));
    const { hash, spiffeId, expiresMillis } = tokenOf(1);
    const redeem = { tokenHash: hash, remoteAddress: "10.1.2.3" };
    const refused = async (but: Parameters<typeof intentOf>[1], tokenHash = hash) => {
      const outcome = await store.recordIntent(intentOf(2, but), { ...redeem, tokenHash });
      return outcome.ok ? "taken" : outcome.fault;
    };
    assert.equal(await refused({ spiffeId }, digestOf("no token")), "token-unknown");
    assert.equal(await refused({}), "token-unknown", "another identity");
    assert.equal(await refused({ spiffeId, atMillis: expiresMillis }), "token-expired");
    assert.equal((await store.joinToken(hash))?.used, undefined, "a refusal uses nothing up");
    assert.equal(await refused({ spiffeId, atMillis: expiresMillis - 1 }), "taken");
    assert.equal(await refused({ spiffeId, serialHex: serialOf(3) }), "token-used");
    const used = { atMillis: expiresMillis - 1, serialHex: serialOf(2), remoteAddress: "10.1.2.3" };
    assert.deepEqual(await store.joinToken(hash), { ...tokenOf(1), used });
  });

  contract(
    "T9: a token that was used stays so after a restart, also where the issuance came to nothing",
    async (fixture) => {
      await fixture.store.addJoinToken(tokenOf(1));
      const { hash, spiffeId } = tokenOf(1);
      const redeem = { tokenHash: hash, remoteAddress: undefined };
      await fixture.store.recordIntent(intentOf(1), redeem);
      const store = await fixture.reopen();
      const again = await store.recordIntent(intentOf(2, { spiffeId }), redeem);
      assert.deepEqual(again, { ok: false, fault: "token-used" });
      assert.equal((await store.joinToken(hash))?.used?.remoteAddress, undefined);
    },
  );

  contract(
    "tokens are listed newest first, for 30 days after their end, and none is added twice",
    async ({ store }) => {
      const monthMillis = 30 * 24 * 3_600_000;
      await store.addJoinToken(tokenOf(1));
      await store.addJoinToken(tokenOf(2, { createdMillis: 0, expiresMillis: noonMillis - monthMillis - 1 }));
      await store.addJoinToken(tokenOf(3, { createdMillis: 0, expiresMillis: noonMillis - monthMillis + 1 }));
      assert.deepEqual(await store.joinTokens(10), [
        tokenOf(3, { createdMillis: 0, expiresMillis: noonMillis - monthMillis + 1 }),
        tokenOf(1),
      ]);
      assert.deepEqual(
        (await store.joinTokens(1)).map(({ hash }) => hash),
        [tokenOf(3).hash],
      );
      await rejects(store.addJoinToken(tokenOf(1)), "ca-store/exists");
      assert.equal(await store.joinToken(digestOf("none")), undefined);
    },
  );

  contract("a revoked identity gets nothing, and its certificates are revoked", async ({ store }) => {
    await issue(store, 1);
    await issue(store, 2);
    const { spiffeId } = intentOf(1);
    const revocation = {
      target: { kind: "identity", spiffeId },
      atMillis: noonMillis,
      by: "operator",
      reason: "stolen",
    } as const;
    assert.equal(await store.revoke(revocation), true);
    assert.equal(await store.revoke({ ...revocation, reason: "again" }), false);
    assert.deepEqual(await store.recordIntent(intentOf(3, { spiffeId })), { ok: false, fault: "identity-revoked" });
    assert.deepEqual((await store.issuance(serialOf(1)))?.revoked, revocation);
    assert.equal((await store.issuance(serialOf(2)))?.revoked, undefined);
    const bySerial = { ...revocation, target: { kind: "serial", serialHex: serialOf(2) } } as const;
    assert.equal(await store.revoke(bySerial), true);
    assert.deepEqual((await store.issuance(serialOf(2)))?.revoked, bySerial);
    assert.deepEqual(await store.recordIntent(intentOf(4, { spiffeId: intentOf(2).spiffeId })), { ok: true });
    assert.deepEqual(await store.revocations(), [revocation, bySerial]);
    assert.deepEqual(await serials(store, { revoked: true }), [serialOf(2), serialOf(1)]);
    assert.deepEqual(await serials(store, { revoked: false }), [serialOf(4)]);
  });

  contract("a fingerprint is revoked whether or not its certificate is known", async ({ store }) => {
    await issue(store, 1);
    await issue(store, 2);
    const { fingerprint } = completionOf(1);
    const by = { atMillis: noonMillis, by: "operator", reason: "stolen" };
    const known = { ...by, target: { kind: "fingerprint", fingerprint } } as const;
    const foreign = { ...by, target: { kind: "fingerprint", fingerprint: digestOf("elsewhere") } } as const;
    assert.equal(await store.revoke(foreign), true);
    assert.equal(await store.revoke(known), true);
    assert.equal(await store.revoke({ ...known, reason: "again" }), false);
    assert.deepEqual(await store.revocations(), [foreign, known]);
    assert.deepEqual((await store.issuance(serialOf(1)))?.revoked, known);
    assert.equal((await store.issuance(serialOf(2)))?.revoked, undefined);
    assert.deepEqual(await serials(store, { revoked: true }), [serialOf(1)]);
    assert.deepEqual(await serials(store, { revoked: false }), [serialOf(2)]);
    assert.deepEqual(await serials(store, { fingerprint }), [serialOf(1)]);
    assert.deepEqual(await serials(store, { fingerprint: digestOf("elsewhere") }), []);
    const { notAfterMillis } = intentOf(1);
    const live = (nowMillis: number) => ({ fingerprint, endingBefore: { millis: Number.MAX_SAFE_INTEGER, nowMillis } });
    assert.deepEqual(await serials(store, live(notAfterMillis - 1)), [serialOf(1)]);
    assert.deepEqual(await serials(store, live(notAfterMillis)), []);
  });

  contract(
    "issuances are listed newest first, in pages, by identity, state, end and newest of a key",
    async ({ store }) => {
      for (const n of [1, 2, 3]) await issue(store, n);
      const { spiffeId, spkiHash } = intentOf(1);
      const ending = { notAfterMillis: noonMillis + 1_000 };
      await issue(store, 4, { spiffeId, spkiHash, ...ending });
      await store.recordIntent(intentOf(5, { spiffeId, spkiHash }));
      assert.deepEqual(await serials(store, {}), [5, 4, 3, 2, 1].map(serialOf));
      assert.deepEqual(await serials(store, { limit: 2 }), [5, 4].map(serialOf));
      assert.deepEqual(await serials(store, { limit: 2, after: serialOf(4) }), [3, 2].map(serialOf));
      assert.deepEqual(await serials(store, { after: serialOf(1) }), []);
      assert.deepEqual(await serials(store, { spiffeId }), [5, 4, 1].map(serialOf));
      assert.deepEqual(await serials(store, { state: "intended" }), [serialOf(5)]);
      assert.deepEqual(await serials(store, { newestOnly: true }), [4, 3, 2].map(serialOf));
      const within = (nowMillis: number, millis: number) => ({ endingBefore: { nowMillis, millis } });
      assert.deepEqual(await serials(store, within(noonMillis, noonMillis + 1_001)), [serialOf(4)]);
      assert.deepEqual(await serials(store, within(noonMillis, noonMillis + 1_000)), []);
      assert.deepEqual(await serials(store, within(noonMillis + 1_000, noonMillis + 2_000)), []);
      await rejects(store.issuances({ limit: 1, after: serialOf(77) }), "ca-store/unknown");
    },
  );

  contract("authorities are kept as they were given, and change state together or not at all", async ({ store }) => {
    const root = authorityOf(1, { role: "root", chainDer: [], encryptedKey: undefined, state: "active" });
    await store.addAuthority(root);
    await store.addAuthority(authorityOf(2));
    assert.deepEqual(await store.authorities(), [root, authorityOf(2)]);
    await rejects(store.addAuthority(authorityOf(2)), "ca-store/exists");
    const [first, second] = [root.keyId, authorityOf(2).keyId];
    const bad = [
      { keyId: first, state: "retiring" as const },
      { keyId: "none", state: "active" as const },
    ];
    await rejects(store.setAuthorityStates(bad, noonMillis), "ca-store/unknown");
    assert.deepEqual(
      (await store.authorities()).map(({ state }) => state),
      ["active", "prepared"],
    );
    const good = [
      { keyId: first, state: "retiring" as const },
      { keyId: second, state: "active" as const },
    ];
    await store.setAuthorityStates(good, noonMillis);
    assert.deepEqual(
      (await store.authorities()).map(({ state }) => state),
      ["retiring", "active"],
    );
  });

  contract("an authority keeps since when it is in its state, and its place", async ({ store }) => {
    await store.addAuthority(authorityOf(1));
    await store.addAuthority(authorityOf(2, { slot: undefined, state: "generated", role: "root" }));
    const { keyId } = authorityOf(1);
    await store.setAuthorityStates([{ keyId, from: "prepared", state: "active" }], noonMillis + 7);
    const [first, second] = await store.authorities();
    assert.deepEqual([first!.state, first!.stateMillis, first!.slot], ["active", noonMillis + 7, "A"]);
    assert.deepEqual([second!.state, second!.stateMillis, second!.slot], ["generated", noonMillis, undefined]);
    await chainIsGood(store);
  });

  contract(
    "T15: of two that change an authority from the same state one is refused, and changes nothing",
    async ({ store }) => {
      await store.addAuthority(authorityOf(1));
      await store.addAuthority(authorityOf(2));
      const [first, second] = [authorityOf(1).keyId, authorityOf(2).keyId];
      const change = (keyId: string) =>
        store.setAuthorityStates(
          [
            { keyId, from: "prepared", state: "active" },
            { keyId: keyId === first ? second : first, from: "prepared", state: "retired" },
          ],
          noonMillis,
        );
      const [won, lost] = await Promise.allSettled([change(first), change(second)]);
      assert.equal(won.status, "fulfilled");
      assert.equal(lost.status === "rejected" && lost.reason.code, "ca-store/conflict");
      assert.deepEqual(
        (await store.authorities()).map(({ state }) => state),
        ["active", "retired"],
      );
      await chainIsGood(store);
    },
  );

  contract("a waiver is kept once for a root and an identity", async (fixture) => {
    const waiver = {
      rootKeyId: "ab",
      spiffeId: "spiffe://example.org/a",
      atMillis: noonMillis,
      by: "o",
      reason: "gone",
    };
    assert.equal(await fixture.store.addRootWaiver(waiver), true);
    assert.equal(await fixture.store.addRootWaiver({ ...waiver, reason: "again" }), false);
    const other = { ...waiver, rootKeyId: "cd" };
    assert.equal(await fixture.store.addRootWaiver(other), true);
    const store = await fixture.reopen();
    assert.deepEqual(await store.rootWaivers(), [waiver, other]);
    await chainIsGood(store);
  });

  contract(
    "certificates in use are told in pages, in the order of their ends, without what is revoked or came to nothing",
    async ({ store }) => {
      const ends = [30, 10, 20, 20, 40, 50, 60];
      for (const [i, end] of ends.entries()) {
        const but = { notAfterMillis: noonMillis + end, bundleSequence: i === 0 ? undefined : i };
        if (i === 4) await store.recordIntent(intentOf(i, but));
        else await issue(store, i, but);
      }
      await store.recordIntent(intentOf(9));
      await store.recordAbandoned(serialOf(9), noonMillis, "why");
      const by = { atMillis: noonMillis, by: "o", reason: "r" };
      await store.revoke({ ...by, target: { kind: "serial", serialHex: serialOf(5) } });
      await store.revoke({ ...by, target: { kind: "identity", spiffeId: intentOf(6).spiffeId } });
      const all = await store.certificatesInUse({ endingAfterMillis: noonMillis + 10, limit: 10 });
      assert.deepEqual(
        all.map(({ serialHex }) => serialHex),
        [2, 3, 0, 4].map(serialOf),
      );
      const { serialHex, spiffeId, spkiHash, atMillis, issuerKeyId, method, evidence, bundleSequence } = intentOf(2);
      assert.deepEqual(all[0], {
        ...{ serialHex, spiffeId, spkiHash, atMillis, issuerKeyId, method, evidence, bundleSequence },
        number: all[0]!.number,
        notAfterMillis: noonMillis + 20,
        fingerprint: completionOf(2).fingerprint,
      });
      assert.ok(all[0]!.number < all[1]!.number);
      assert.deepEqual([all[2]!.bundleSequence, all[3]!.fingerprint], [undefined, undefined]);
      const paged: string[] = [];
      for (let after: string | undefined; ; ) {
        const query = { endingAfterMillis: noonMillis + 10, limit: 1, ...(after === undefined ? {} : { after }) };
        const [next] = await store.certificatesInUse(query);
        if (next === undefined) break;
        paged.push(next.serialHex);
        after = next.serialHex;
      }
      assert.deepEqual(paged, [2, 3, 0, 4].map(serialOf));
      await rejects(
        store.certificatesInUse({ endingAfterMillis: 0, limit: 1, after: serialOf(77) }),
        "ca-store/unknown",
      );
    },
  );

  contract("explanations are found at once, after a restart, and are no part of the log", async (fixture) => {
    const { entries } = await fixture.store.status();
    fixture.store.keepExplanation(explanationOf("one"));
    fixture.store.keepExplanation({ ...explanationOf("two"), remoteAddress: undefined });
    assert.deepEqual(await fixture.store.explanation("one"), explanationOf("one"));
    assert.equal((await fixture.store.status()).entries, entries);
    const store = await fixture.reopen();
    assert.deepEqual(await store.explanation("one"), explanationOf("one"));
    assert.deepEqual(await store.explanation("two"), { ...explanationOf("two"), remoteAddress: undefined });
    assert.equal(await store.explanation("three"), undefined);
  });

  contract(
    "entries are numbered without gaps in the order of the calls, and each is chained to the one before",
    async ({ store }) => {
      const { entries: before } = await store.status();
      await Promise.all([
        store.addJoinToken(tokenOf(1)),
        store.recordIntent(intentOf(1), { tokenHash: tokenOf(1).hash, remoteAddress: "10.0.0.1" }),
        store.recordEvent({
          kind: "backed-up",
          atMillis: noonMillis,
          body: { names: ["dns:a"], strict: false, count: 1 },
        }),
        store.recordCompletion(completionOf(1)),
        store.revoke({
          target: { kind: "serial", serialHex: serialOf(1) },
          atMillis: noonMillis,
          by: "o",
          reason: "r",
        }),
        store.addAuthority(authorityOf(1)),
        store.setAuthorityStates([{ keyId: authorityOf(1).keyId, state: "active" }], noonMillis),
      ]);
      const entries = await store.auditEntries(1, 1_000);
      assert.deepEqual(
        entries.slice(before).map(({ kind }) => kind),
        [
          "token-created",
          "issuance-intended",
          "token-redeemed",
          "backed-up",
          "issuance-completed",
          "revoked",
          "authority-added",
          "authority-state",
        ],
      );
      let previous = noPrevious;
      entries.forEach((entry, i) => {
        assert.equal(entry.number, i + 1);
        assert.equal(entry.previous, previous);
        assert.equal(entry.hash, hashEntry(entry.canonical));
        assert.notEqual(bodyOfEntry(entry), undefined);
        previous = entry.hash;
      });
      assert.deepEqual(bodyOfEntry(entries[before + 3]!), { count: 1, names: ["dns:a"], strict: false });
      assert.deepEqual(await store.auditEntries(before + 1, 2), entries.slice(before, before + 2));
      await chainIsGood(store);
    },
  );

  contract("no event passes for what has a table of its own", async ({ store }) => {
    await assert.rejects(
      store.recordEvent({ kind: "issuance-completed", atMillis: noonMillis, body: {} }),
      /written with/,
    );
    await chainIsGood(store);
  });

  contract("a secret of a token, or a key, is in no entry", async ({ store }) => {
    await store.addAuthority(authorityOf(1));
    await store.addJoinToken(tokenOf(1));
    const text = (await store.auditEntries(1, 100)).map(({ canonical }) => canonical).join("\n");
    const { encryptedKey } = authorityOf(1);
    for (const encoding of ["utf8", "hex", "base64"] as const) {
      assert.ok(!text.includes(Buffer.from(encryptedKey!).toString(encoding)), encoding);
    }
  });

  contract("the status counts, and says where the log ends", async (fixture) => {
    const { store } = fixture;
    await issue(store, 1);
    await store.recordIntent(intentOf(2, { atMillis: noonMillis + 9_000 }));
    await store.recordIntent(intentOf(3));
    await store.recordAbandoned(serialOf(3), noonMillis + 10, "why");
    const status = await store.status();
    const last = (await store.auditEntries(status.entries, 1))[0]!;
    assert.equal(status.lastHash, last.hash);
    assert.equal(status.issued, 1);
    assert.equal(status.unfinished, 1);
    assert.equal(status.lastAtMillis, noonMillis + 9_000, "the latest time, not the last entry's");
    assert.equal(status.fault, undefined);
    assert.equal(status.lastHead, undefined);
    assert.ok(status.generation >= 1 && status.schemaVersion >= 1 && status.sizeBytes > 0);
    const after = await (await fixture.reopen()).status();
    assert.equal(after.lastAtMillis, noonMillis + 9_000, "T12: a restart does not hide it");
    assert.equal(after.unfinished, 0, "what an earlier run left open is abandoned");
    assert.equal(after.issued, 1);
  });

  contract(
    "what was open at the end of a run is abandoned by the next, and the opening is an entry",
    async (fixture) => {
      await fixture.store.recordIntent(intentOf(1));
      await issue(fixture.store, 2);
      const { entries } = await fixture.store.status();
      const store = await fixture.reopen();
      assert.equal((await store.issuance(serialOf(1)))?.state, "abandoned");
      assert.equal((await store.issuance(serialOf(2)))?.state, "issued");
      const kindsSince = (await store.auditEntries(entries + 1, 10)).map(({ kind }) => kind);
      assert.deepEqual(kindsSince, ["issuance-abandoned", "opened"]);
      await chainIsGood(store);
    },
  );

  contract("heads are kept newest first, and only one that fits the log is taken", async (fixture) => {
    const { store } = fixture;
    const keys = generateKeyPairSync("ed25519");
    const head = async (): Promise<AuditHead> => {
      const { entries: number, lastHash: hash, generation } = await store.status();
      const unsigned = { number, hash, generation, atMillis: noonMillis, auditKeyId: "audit" };
      return { ...unsigned, signature: new Uint8Array(sign(null, headBytes(unsigned), keys.privateKey)) };
    };
    const first = await head();
    await store.addAuditHead(first);
    await issue(store, 1);
    const second = await head();
    await store.addAuditHead(second);
    await store.addAuditHead(second);
    assert.deepEqual(await store.auditHeads(10), [second, first]);
    assert.deepEqual(await store.auditHeads(1), [second]);
    assert.deepEqual((await store.status()).lastHead, second);
    await assert.rejects(store.addAuditHead({ ...second, hash: first.hash }), /not of this log/);
    await assert.rejects(store.addAuditHead({ ...second, generation: 99 }), /not of this log/);
    await assert.rejects(store.addAuditHead({ ...second, number: 99 }), /not of this log/);
    const verifyHead = ({ signature, ...signed }: AuditHead) =>
      verify(null, headBytes(signed), keys.publicKey, signature);
    const report = await verifyChain({ source: await fixture.reopen(), verifyHead, nowMillis: noonMillis });
    assert.deepEqual(report.faults, []);
    assert.equal(report.sealedUpTo, second.number);
    assert.equal(report.heads, 2);
  });

  contract("the log is verified while it is written", async ({ store }) => {
    let go = true;
    let n = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (go) {
        const mine = ++n;
        await store.addJoinToken(tokenOf(mine));
        await store.recordIntent(intentOf(mine), { tokenHash: tokenOf(mine).hash, remoteAddress: undefined });
        if (mine % 5 === 0) await store.recordAbandoned(serialOf(mine), noonMillis, "why");
        else await store.recordCompletion(completionOf(mine));
      }
    });
    for (let i = 0; i < 5; i++) await chainIsGood(store);
    go = false;
    await Promise.all(writers);
    await chainIsGood(store);
  });

  contract("a store that was closed refuses what comes", async ({ store }) => {
    const last = store.recordIntent(intentOf(1));
    const closed = store.close();
    await store.close();
    await closed;
    assert.deepEqual(await last, { ok: true }, "what came before is written");
    await rejects(store.recordIntent(intentOf(2)), "ca-store/unavailable");
    store.keepExplanation(explanationOf("late"));
  });
}

/** Issues number `n`. */
async function issue(store: CaStore, n: number, but: Parameters<typeof intentOf>[1] = {}): Promise<void> {
  assert.deepEqual(await store.recordIntent(intentOf(n, but)), { ok: true });
  await store.recordCompletion(completionOf(n));
}

async function serials(store: CaStore, query: Partial<IssuanceQuery>): Promise<readonly string[]> {
  return (await store.issuances({ limit: 100, ...query })).map(({ serialHex }) => serialHex);
}

async function kinds(store: CaStore): Promise<readonly AuditEntry["kind"][]> {
  return (await store.auditEntries(1, 10_000)).map(({ kind }) => kind);
}

async function chainIsGood(store: CaStore): Promise<void> {
  const report = await verifyChain({ source: store, verifyHead: () => true, nowMillis: noonMillis });
  assert.deepEqual(report.faults, []);
  assert.ok(report.ok);
}

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, { name: "CodedError", code });
}

function explanationOf(id: string): Explanation {
  return {
    id,
    atMillis: noonMillis,
    code: "csr/pem",
    door: "http",
    remoteAddress: "10.0.0.1:4000",
    steps: [{ step: "read the request", ok: false, seen: "nothing", wanted: "PEM", remedy: "send it" }],
  };
}
