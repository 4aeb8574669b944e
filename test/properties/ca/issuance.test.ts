import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { rmSync } from "node:fs";
import { test } from "node:test";
import type { Caller, Credentials } from "#ca/callers/contract";
import type { CertificateAnswer, CertificateRequest } from "#ca/issuance/contract";
import { issuanceDefaults } from "#ca/issuance/settings";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { IssuanceRecord } from "#ca/store/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { verifySvid } from "#ca/x509/verify-svid";
import { parseSpiffeId } from "#identity/spiffe-id";
import { keysOfText } from "#test/support/ca/caller-tokens";
import type { WorkloadKey } from "#test/support/ca/make-csr";
import {
  createRandomRequests,
  everyId,
  randomClaims,
  randomEntries,
  randomIssuer,
} from "#test/support/ca/random-issuance";
import {
  joining,
  bearer as jwtCaller,
  matchLinearly,
  operator as operatorCaller,
  svid,
} from "#test/support/ca/registration";
import { nobody, openScene, operator, type Scene, sceneDomain } from "#test/support/ca/scene";
import {
  bearing,
  namesOf,
  presenting,
  readIssued,
  readRefused,
  recordsIn,
  tokenIn,
} from "#test/support/ca/scene-requests";
import { Random, testSeed } from "#test/support/random";
import { keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { tokenOf } from "#test/support/tokens/token-text";

const seed = testSeed("issuance");
const long = process.env["GARITA_LONG"] !== undefined;
const [worlds, requestsEach] = long ? [40, 400] : [3, 110];

const tokenKeys = makeTestKeys();
const state = keysOfText(keySetOf([tokenKeys.p256]));

function newKey(): WorkloadKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spkiDer = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  return { privateKey, spkiDer, family: "EC", algorithm: "ecdsa-sha256" };
}

/** A caller as it asks, and as the oracle knows it; undefined where it proves nothing. */
interface RandomCaller {
  readonly credentials: Credentials;
  readonly caller: Caller | undefined;
  readonly token?: string;
}

interface Asked extends RandomCaller {
  readonly request: Partial<CertificateRequest>;
  readonly spkiDer: Uint8Array;
}

/** One authority, what was asked of it, and what of that must be so. */
class World {
  readonly random: Random;
  readonly entries: readonly RegistrationEntry[];
  readonly csrNames: "ignore" | "strict";
  scene!: Scene;
  readonly #newRequest: () => { readonly csrPem: string; readonly spkiDer: Uint8Array };
  /** Chains that were issued, each a caller from then on. */
  readonly #chains: { readonly id: string; readonly chain: readonly Uint8Array[] }[] = [];
  readonly #tokens: { readonly id: string; readonly token: string }[] = [];
  readonly #redeemed = new Set<string>();
  readonly #revoked = new Set<string>();
  readonly #ownerOfKey = new Map<string, string>();
  readonly issued = new Map<string, string>();
  readonly codes: Record<string, number> = {};

  constructor(random: Random) {
    this.random = random;
    this.entries = randomEntries(random);
    this.csrNames = random.below(3) === 0 ? "strict" : "ignore";
    this.#newRequest = createRandomRequests(random, newKey);
  }

  async open(): Promise<void> {
    this.scene = await openScene({
      entries: this.entries,
      ...(this.scene === undefined ? {} : { folder: this.scene.folder, shiftMillis: this.scene.shiftMillis }),
      issuers: [{ issuer: randomIssuer, audiences: undefined, keys: { kind: "inline", text: "" } }],
      keySets: { of: () => state },
      issuingKeyKind: this.random.pick(["P-256", "P-384"]),
      configuration: { issuance: { ...issuanceDefaults, csrNames: this.csrNames } },
    });
  }

  async caller(): Promise<RandomCaller> {
    const { random } = this;
    const known = this.#chains.length > 0 ? random.pick(this.#chains) : undefined;
    switch (random.below(8)) {
      case 0:
        return { credentials: operator, caller: operatorCaller };
      case 1:
        if (random.below(2) === 0) return { credentials: operator, caller: operatorCaller };
        return { credentials: random.pick([nobody, bearing("garita-join-1~"), bearing("a.b.c")]), caller: undefined };
      case 2:
      case 3: {
        const claims = randomClaims(random);
        const exp = Math.floor((Date.now() + this.scene.shiftMillis) / 1000) + 600;
        const body = JSON.stringify({ iss: randomIssuer, aud: "istio-ca", exp, ...claims });
        const text = tokenOf(tokenKeys.p256, "ES256", {}, Buffer.from(body).toString("latin1"));
        return { credentials: bearing(text), caller: jwtCaller(randomIssuer, claims) };
      }
      case 4:
      case 5:
        if (known === undefined) return { credentials: nobody, caller: undefined };
        return { credentials: presenting(known.chain), caller: svid(known.id) };
      default: {
        // Now and then one that was brought before.
        const { id, token } =
          random.below(3) === 0 && this.#tokens.length > 0 ? random.pick(this.#tokens) : await this.#newToken();
        return { credentials: bearing(token), caller: token === "" ? undefined : joining(id), token };
      }
    }
  }

  async #newToken(): Promise<{ readonly id: string; readonly token: string }> {
    const id = this.random.pick(everyId);
    const token = await tokenIn(this.scene, id).catch(() => "");
    if (token !== "") this.#tokens.push({ id, token });
    return { id, token };
  }

  async ask(): Promise<Asked> {
    const { random } = this;
    const { csrPem, spkiDer } = this.#newRequest();
    const ttlSeconds = random.pick([undefined, undefined, 0, -1, 60, 3600, 50_000, 90 * 24 * 3600, 91 * 24 * 3600]);
    const caller = await this.caller();
    const spiffeId = this.#wanted(caller);
    return { ...caller, request: { csrPem, spiffeId, ttlSeconds, credentials: caller.credentials }, spkiDer };
  }

  /** Mostly what the caller may have, or nothing; now and then what it may not. */
  #wanted({ caller }: RandomCaller): string | undefined {
    const { random } = this;
    const anything = [...everyId, `spiffe://${sceneDomain}/garita/ca`, "?"];
    if (random.below(8) === 0) return random.pick(anything);
    const matches = caller === undefined ? [] : matchLinearly(this.entries, caller, undefined);
    return matches.length === 0 || random.below(4) === 0 ? undefined : random.pick(matches).id.toString();
  }

  async check(asked: Asked, answer: CertificateAnswer): Promise<void> {
    const result = answer.ok ? "issued" : answer.code;
    this.codes[result] = (this.codes[result] ?? 0) + 1;
    if (!answer.ok) {
      const { last } = await readRefused(this.scene, answer);
      assert.ok(!last.ok && last.remedy !== "");
      return;
    }
    const { leaf, names, chain, record } = await readIssued(this.scene, answer);
    const { request, caller, token } = asked;
    assert.ok(caller !== undefined, "nobody without a credential has a certificate");

    const uris = names.filter(({ kind }) => kind === "uri");
    assert.deepEqual(uris, [{ kind: "uri", value: answer.spiffeId }]);
    const parsed = parseSpiffeId(answer.spiffeId);
    assert.ok(parsed.ok && parsed.id.trustDomain === sceneDomain);
    if (request.spiffeId !== undefined) assert.equal(answer.spiffeId, request.spiffeId);

    // By the oracle: the first entry that gives the caller this identity, and of that entry the names, the kind of key, the lifetime.
    const matches = matchLinearly(this.entries, caller, request.spiffeId);
    const match = matches.find(({ id }) => id.toString() === answer.spiffeId);
    assert.ok(match !== undefined, `${answer.spiffeId} is not registered for the caller`);
    const { entry } = match;
    assert.equal(record.registration, entry.name);
    const dnsNames = entry.dnsNames.map((value) => ({ kind: "dns", value }));
    assert.deepEqual(
      names.filter(({ kind }) => kind !== "uri"),
      dnsNames,
    );
    assert.deepEqual(record.dnsNames, entry.dnsNames);
    if (entry.keyKinds.length > 0) assert.ok(entry.keyKinds.includes(record.keyKind));
    const now = Date.now() + this.scene.shiftMillis;
    const asking = request.ttlSeconds ?? 0;
    const most = asking > 0 ? asking : Math.min(entry.ttlSeconds ?? 86_400, entry.maxTtlSeconds ?? 90 * 86_400);
    assert.ok(leaf.notAfter.millis <= now + most * 1000 && most <= (entry.maxTtlSeconds ?? 90 * 86_400));

    const { issuing, bundle } = this.scene.authority.authorities.current();
    assert.ok(issuing !== undefined);
    assert.ok(leaf.notAfter.millis < issuing.notAfterMillis);
    assert.ok(leaf.notBefore.millis >= issuing.certificate.notBefore.millis);
    assert.deepEqual(leaf.spkiDer, asked.spkiDer);
    const spkiHash = createHash("sha256").update(leaf.spkiDer).digest("hex");
    assert.equal(this.#ownerOfKey.get(spkiHash) ?? answer.spiffeId, answer.spiffeId, "one key, one identity");
    this.#ownerOfKey.set(spkiHash, answer.spiffeId);

    // An issuer may begin a little later than a clock that went back: so do its leaves.
    const goodMillis = Math.max(now, leaf.notBefore.millis);
    const verified = verifySvid(chain, (name) => (name === sceneDomain ? bundle.anchors : undefined), goodMillis);
    assert.ok(verified.ok && verified.id.toString() === answer.spiffeId, verified.ok ? "" : verified.reason);

    this.#checkRecord(record, answer.serialHex, leaf.der, spkiHash);
    assert.equal(record.notAfterMillis, leaf.notAfter.millis);
    assert.equal(record.notBeforeMillis, leaf.notBefore.millis);
    if (token !== undefined) {
      assert.ok(!this.#redeemed.has(token), "a token gave two certificates");
      this.#redeemed.add(token);
    }
    assert.ok(!this.#revoked.has(answer.spiffeId), "a revoked identity has a new certificate");
    this.#chains.push({ id: answer.spiffeId, chain });
  }

  #checkRecord(record: IssuanceRecord, serialHex: string, der: Uint8Array, spkiHash: string): void {
    const fingerprint = createHash("sha256").update(der).digest("hex");
    assert.deepEqual(
      [record.state, record.serialHex, record.fingerprint, record.spkiHash],
      ["issued", serialHex, fingerprint, spkiHash],
    );
    assert.deepEqual(record.certificateDer, der);
    assert.ok(!this.issued.has(serialHex), "a serial was given twice");
    this.issued.set(serialHex, fingerprint);
  }

  /** What happens between requests: time, revocations, another issuer, a restart. */
  async happen(): Promise<void> {
    const { random, scene } = this;
    switch (random.below(12)) {
      case 0:
        scene.shiftMillis += random.below(7 * 60_000) - 2 * 60_000;
        return;
      case 1: {
        if (this.#revoked.size > 1) return;
        const spiffeId = random.pick(everyId);
        await scene.authority.service.revoke({ kind: "identity", spiffeId }, "test", "test");
        this.#revoked.add(spiffeId);
        return;
      }
      case 2:
        // With a clock that is before the root's beginning no authority passes its own test.
        await scene.authority.service
          .rotateIssuer("test")
          .catch((fault) => assert.equal(fault.code, "ca-authority/self-test"));
        return;
      case 3:
        await scene.close();
        await this.open();
        return;
      default:
        return;
    }
  }

  /** The whole record, at the end. */
  async audit(): Promise<void> {
    const records = await recordsIn(this.scene);
    const completed = records.filter(({ state }) => state === "issued");
    assert.deepEqual(
      new Map(completed.map(({ serialHex, fingerprint }) => [serialHex, fingerprint])),
      this.issued,
      "what is recorded as issued is what was handed out",
    );
    for (const { state, certificateDer } of records)
      if (state !== "issued") assert.equal(certificateDer, undefined, "what was refused has no certificate");
    for (const { certificateDer, spiffeId } of completed) {
      const read = readCertificate(certificateDer!);
      assert.ok(read.ok && namesOf(read.value).some((each) => each.kind === "uri" && each.value === spiffeId));
    }
    const report = await this.scene.authority.service.auditReport();
    assert.deepEqual([report.faults, report.ok], [[], true]);
  }
}

let issued = 0;
for (let i = 0; i < worlds; i++) {
  test(`world ${i + 1}: whatever is registered and asked for, what is issued is as granted, recorded and whole`, async (t) => {
    const world = new World(new Random(seed + i));
    await world.open();
    t.after(async () => {
      await world.scene.close();
      rmSync(world.scene.folder, { recursive: true, force: true });
    });
    for (let count = 0; count < requestsEach; ) {
      const asked: Asked[] = [];
      for (let n = 1 + world.random.below(10); n > 0; n--) asked.push(await world.ask());
      const answers = await Promise.all(asked.map(({ request }) => world.scene.issue(request)));
      for (const [n, answer] of answers.entries()) await world.check(asked[n]!, answer);
      count += asked.length;
      await world.happen();
    }
    await world.audit();
    console.log(JSON.stringify(world.codes));
    issued += world.issued.size;
    assert.equal(world.codes["issue/defect"] ?? 0, 0);
    assert.equal(world.codes["issue/lint"] ?? 0, 0);
  });
}

test("the worlds issued enough to mean anything", () => {
  assert.ok(issued > (worlds * requestsEach) / 20, `${issued} issued`);
});
