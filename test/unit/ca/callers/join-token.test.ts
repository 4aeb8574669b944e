import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { createJoinToken, type JoinTokenWanted, maxJoinTokenSeconds } from "#ca/callers/create-join-token";
import { createJoinTokenMethod } from "#ca/callers/join-token";
import { isJoinToken, parseJoinToken, renderJoinToken, rootFingerprintOf } from "#ca/callers/join-token-text";
import type { JoinTokenRecord } from "#ca/store/contract";
import { CodedError } from "#platform/coded-error";
import { idOf, trustDomain } from "#test/support/ca/callers";

const nowMillis = Date.UTC(2030, 0, 1);
const id = idOf("spiffe://example.org/ns/foo/sa/web");
const rootFingerprint = createHash("sha256").update("root").digest("hex");

const wantedOf = (changes: Partial<JoinTokenWanted> = {}): JoinTokenWanted => ({
  random: (sizeBytes) => randomBytes(sizeBytes),
  rootFingerprint,
  spiffeId: id,
  ttlSeconds: undefined,
  createdBy: "operator",
  sourceCidrs: [],
  nowMillis,
  ...changes,
});

/** A store of these records, and what was asked of it. */
function methodOf(records: readonly JoinTokenRecord[]) {
  const asked: string[] = [];
  const store = {
    async joinToken(hash: string) {
      asked.push(hash);
      return records.find((record) => record.hash === hash);
    },
  };
  return { asked, method: createJoinTokenMethod({ store, trustDomain }) };
}

async function reasonOf(record: JoinTokenRecord, token: string, address: string | undefined, at = nowMillis) {
  const answer = await methodOf([record]).method(token, address, at);
  if (!answer.ok) assert.equal(answer.kind, "refused");
  return answer.ok ? "" : answer.reason;
}

describe("a new join token", () => {
  it("is in the token and nowhere else", () => {
    const { token, record } = createJoinToken(wantedOf());
    const [, secret = ""] = token.split("~");
    const bytes = Buffer.from(secret, "base64url");
    assert.equal(bytes.length, 32);
    assert.deepEqual(record, {
      hash: createHash("sha256").update(bytes).digest("hex"),
      spiffeId: "spiffe://example.org/ns/foo/sa/web",
      createdMillis: nowMillis,
      expiresMillis: nowMillis + 600_000,
      createdBy: "operator",
      sourceCidrs: [],
      used: undefined,
    });
    assert.equal(JSON.stringify(record).includes(secret), false);
    assert.equal(token.includes("spiffe"), false);
  });

  it("is another each time", () => {
    const tokens = Array.from({ length: 50 }, () => createJoinToken(wantedOf()).token);
    assert.equal(new Set(tokens).size, 50);
  });

  it("tells its bearer the root", () => {
    const { token } = createJoinToken(wantedOf());
    assert.equal(rootFingerprintOf(token), rootFingerprint);
    assert.equal(rootFingerprintOf("x"), undefined);
    assert.match(token, /^[A-Za-z0-9._~+/-]+$/);
    assert.ok(token.length < 128);
  });

  it("lives for a second to a day", () => {
    for (const ttlSeconds of [1, 60, maxJoinTokenSeconds]) {
      const { record } = createJoinToken(wantedOf({ ttlSeconds }));
      assert.equal(record.expiresMillis - record.createdMillis, ttlSeconds * 1000);
    }
    for (const ttlSeconds of [0, -1, 0.5, maxJoinTokenSeconds + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => createJoinToken(wantedOf({ ttlSeconds })), { code: "ca-token/lifetime" });
    }
  });

  it("is for a workload", () => {
    assert.throws(() => createJoinToken(wantedOf({ spiffeId: idOf("spiffe://example.org") })), {
      code: "ca-token/identity",
    });
  });

  it("is bound to blocks that mean what they say", () => {
    const blocks = [
      "10.0.0.0/8",
      "192.0.2.7",
      "2001:db8::/32",
      "2001:db8::1",
      "::ffff:10.1.0.0/112",
      "0.0.0.0/0",
      "::/0",
    ];
    assert.deepEqual(createJoinToken(wantedOf({ sourceCidrs: blocks })).record.sourceCidrs, [
      "10.0.0.0/8",
      "192.0.2.7/32",
      "2001:db8::/32",
      "2001:db8::1/128",
      "10.1.0.0/16",
      "0.0.0.0/0",
      "::/0",
    ]);
    const bad = [
      "",
      "x",
      "10.0.0.0/33",
      "10.0.0.1/8",
      "10.0.0.0/-1",
      "10.0.0.0/",
      "10.0.0.0/8,0.0.0.0/0",
      "2001:db8::1/64",
      "10/8",
      "::10.1.0.0/112",
      "0::10.1.0.0/112",
      "64:ff9b::10.1.0.0/112",
      "::1%eth0",
      "fe80::1%eth0/64",
    ];
    for (const block of bad) {
      assert.throws(() => createJoinToken(wantedOf({ sourceCidrs: [block] })), { code: "ca-token/source" }, block);
    }
    const many = Array.from({ length: 65 }, (_, i) => `10.0.${i}.0/24`);
    assert.throws(() => createJoinToken(wantedOf({ sourceCidrs: many })), { code: "ca-token/source" });
  });

  it("is not made of other secrets and roots than those that fit", () => {
    assert.throws(() => createJoinToken(wantedOf({ random: () => new Uint8Array(16) })));
    for (const root of ["", "zz".repeat(32), rootFingerprint.toUpperCase(), `${rootFingerprint}00`]) {
      assert.throws(() => createJoinToken(wantedOf({ rootFingerprint: root })));
    }
  });
});

describe("the text of a join token", () => {
  it("is one for each token", () => {
    const token = renderJoinToken(new Uint8Array(32).fill(0xff), "ff".repeat(32));
    assert.deepEqual(parseJoinToken(token)?.rootFingerprint, "ff".repeat(32));
    const last = token.slice(0, -1);
    assert.equal(token.at(-1), "8");
    const bad = [
      `${last}9`,
      last,
      `${token}A`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      token.toUpperCase(),
      token.replace("-1~", "-2~"),
      token.replace("~", "."),
      token.replaceAll("_", "/"),
      token.slice(0, token.lastIndexOf("~")),
      `${token}~${token}`,
    ];
    for (const text of bad) assert.equal(parseJoinToken(text), undefined, text);
  });

  it("is told from all other tokens, whole or not", () => {
    assert.ok(isJoinToken("garita-join-2~x"));
    for (const text of ["", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "Garita-join-1~x", " garita-join-1~x"])
      assert.ok(!isJoinToken(text));
  });
});

describe("a join token", () => {
  const { token, record } = createJoinToken(wantedOf());

  it("proves the identity that it was made for", async () => {
    const { asked, method } = methodOf([record]);
    const answer = await method(token, "192.0.2.7", nowMillis);
    assert.deepEqual(answer, { ok: true, caller: { method: "join-token", id, tokenHash: record.hash } });
    assert.deepEqual(asked, [record.hash]);
  });

  it("is looked up by its hash alone, and only when it is whole", async () => {
    const { asked, method } = methodOf([record]);
    const answer = await method("garita-join-1~x", undefined, nowMillis);
    assert.ok(!answer.ok);
    assert.deepEqual(asked, []);
    // Its root is for the client: another does not make it another token.
    const [head, secret] = token.split("~");
    assert.ok((await method(`${head}~${secret}~${"A".repeat(43)}`, undefined, nowMillis)).ok);
    assert.deepEqual(asked, [record.hash]);
  });

  it("that is wrong is refused", async () => {
    const other = createJoinToken(wantedOf()).token;
    assert.equal(await reasonOf(record, other, undefined), "no such join token");
    // The hash is what a thief of the store has.
    const fromHash = renderJoinToken(Buffer.from(record.hash, "hex"), rootFingerprint);
    assert.equal(await reasonOf(record, fromHash, undefined), "no such join token");
  });

  it("that has ended is refused from its last millisecond on", async () => {
    assert.equal(await reasonOf(record, token, undefined, record.expiresMillis - 1), "");
    const ended = await reasonOf(record, token, undefined, record.expiresMillis);
    assert.equal(ended, "the join token has ended at 2030-01-01T00:10:00.000Z");
  });

  it("T9, T10: that was used is refused, and tells when and from where, also when it has ended", async () => {
    const used = { ...record, used: { atMillis: nowMillis + 5_000, serialHex: "0aff", remoteAddress: "203.0.113.9" } };
    const said = "the join token was used at 2030-01-01T00:00:05.000Z from 203.0.113.9, for the certificate 0aff";
    for (const at of [nowMillis, record.expiresMillis]) assert.equal(await reasonOf(used, token, undefined, at), said);
  });

  it("is taken from where it may be used", async () => {
    const bound = { ...record, sourceCidrs: ["10.0.0.0/8", "2001:db8::/32"] };
    for (const address of [
      "10.0.0.0",
      "10.255.255.255",
      "::ffff:10.1.2.3",
      "::ffff:a01:203",
      "2001:db8::9",
      "2001:DB8:0:0::9",
    ]) {
      assert.equal(await reasonOf(bound, token, address), "", address);
    }
    for (const address of [
      "11.0.0.0",
      "9.255.255.255",
      "::ffff:11.1.2.3",
      "2001:db9::1",
      "::10.1.2.3",
      "",
      "10",
      "0x0a.1.2.3",
      "012.1.2.3",
      "10.1.2.3.4",
      undefined,
    ]) {
      assert.match(await reasonOf(bound, token, address), /^the join token may be used from 10\.0\.0\.0\/8, /, address);
    }
    const anywhere = { ...record, sourceCidrs: ["::/0"] };
    assert.notEqual(await reasonOf(anywhere, token, "10.1.2.3"), "");
    assert.equal(await reasonOf({ ...record, sourceCidrs: ["0.0.0.0/0"] }, token, "::ffff:10.1.2.3"), "");
  });

  it("of another trust domain, or for no workload, proves nothing", async () => {
    for (const spiffeId of ["spiffe://other.example/ns/foo/sa/web", "spiffe://example.org", "x", ""]) {
      assert.match(await reasonOf({ ...record, spiffeId }, token, undefined), /no workload of `example\.org`$/);
    }
  });

  it("cannot be looked at while the store fails", async () => {
    const failing = (fault: Error) =>
      createJoinTokenMethod({ store: { joinToken: () => Promise.reject(fault) }, trustDomain });
    const coded = await failing(new CodedError("secret/unreadable", "x"))(token, undefined, nowMillis);
    assert.deepEqual(coded, {
      ok: false,
      kind: "unavailable",
      reason: "join tokens cannot be looked up now: secret/unreadable",
    });
    await assert.rejects(failing(new TypeError("defect"))(token, undefined, nowMillis), { name: "TypeError" });
  });
});
