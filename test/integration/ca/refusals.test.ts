import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import type { CertificateRequest } from "#ca/issuance/contract";
import { issuanceDefaults } from "#ca/issuance/settings";
import { issuanceSteps } from "#ca/issuance/steps";
import { type RefusalCode, refusals } from "#ca/refusals";
import { CodedError } from "#platform/coded-error";
import { time } from "#test/support/ca/der-builder";
import { integer } from "#test/support/ca/der-writer";
import {
  extensionRequest,
  makeCsr,
  pemOf,
  rsaSpki,
  sanExtension,
  uriName,
  workloadKey,
} from "#test/support/ca/make-csr";
import { recordLog } from "#test/support/ca/record-log";
import {
  endScene,
  entry,
  newCsr,
  nobody,
  openScene,
  operator,
  type Scene,
  sceneDomain,
  testScene,
  webId,
} from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { bearing, enrolIn, issueIn, presenting, readRefused, refuseIn, tokenIn } from "#test/support/ca/scene-requests";

const idOf = (name: string) => `spiffe://${sceneDomain}/ns/hello/sa/${name}`;
const issuer = "https://issuer.example";
const byWeb = [{ kind: "spiffe-id", id: webId } as const, { kind: "join-token" } as const];
const entries = [
  entry(webId),
  entry(idOf("db")),
  entry(idOf("p384"), { keyKinds: ["P-384"] }),
  entry(idOf("short"), { maxTtlSeconds: 60 }),
  entry(idOf("one"), { callers: [{ kind: "spiffe-id", id: idOf("nothing") }, { kind: "join-token" }] }),
  entry(idOf("two"), { callers: byWeb }),
  entry(idOf("revoked")),
  entry(idOf("odd-name"), { dnsNames: ["under_score.example"] }),
  entry(idOf("no-name"), { dnsNames: ["name with blanks"] }),
  entry(idOf("many-a"), { callers: [{ kind: "jwt", issuer, claims: [] }] }),
];
const ours = makeOpenAuthority();
const p256 = workloadKey("P-256");
const good = makeCsr(p256);
const weak = ((3n << 1022n) + 643n) ** 2n;
const blocked = newCsr();
const { log, lines } = recordLog();
let scene: Scene;
/** What the store does before it would write an intent. */
let beforeIntent: () => void = () => {};

before(async () => {
  const parsed = parseCsr(blocked.csrPem);
  assert.ok(parsed.ok);
  scene = await openScene({
    entries,
    imported: ours.material,
    issuers: [{ issuer, audiences: undefined, keys: { kind: "uri", uri: `${issuer}/keys` } }],
    configuration: {
      issuance: { ...issuanceDefaults, csrNames: "strict", renewalGraceSeconds: 3600 },
      keyPolicy: new KeyPolicy({ blockedKeys: new Set([parsed.csr.publicKey.hash]), rememberedKeys: 10 }),
    },
    wrapStore: (store) => ({
      ...store,
      recordIntent(...given) {
        beforeIntent();
        return store.recordIntent(...given);
      },
    }),
    log,
  });
  await issueIn(scene, { csrPem: shared, credentials: operator, spiffeId: idOf("db") });
  const revoked = { kind: "identity", spiffeId: idOf("revoked") } as const;
  await scene.authority.service.revoke(revoked, "test", "test");
});
after(() => endScene(scene));

const shared = newCsr().csrPem;
const naming = (uri: string) => pemOf(makeCsr(p256, { attributes: [extensionRequest(sanExtension(uriName(uri)))] }));
const signedByAnother = pemOf(makeCsr({ ...p256, privateKey: newCsr().privateKey }));
const unsignedToken = [{ alg: "RS256", kid: "a" }, { iss: issuer, aud: "istio-ca", exp: 4e9, sub: "web" }, ""]
  .map((part) => Buffer.from(part === "" ? "signature" : JSON.stringify(part)).toString("base64url"))
  .join(".");
const endedAgo = (millis: number) => ({ notAfter: time(Math.floor((Date.now() - millis) / 1000) * 1000) });
/** Nothing of this may ever be told. */
const secretBearer = "a-very-secret-credential.that-nobody.may-see";

type Ask = Partial<CertificateRequest>;
const byOperator = (change: Ask): Ask => ({
  csrPem: newCsr().csrPem,
  credentials: operator,
  spiffeId: webId,
  ...change,
});

/** A real request for every code that one request alone can bring about. */
const asked: Readonly<Partial<Record<RefusalCode, Ask | (() => Promise<Ask>)>>> = {
  "csr/too-large": byOperator({ csrPem: " ".repeat(16 * 1024 + 1) }),
  "csr/pem": byOperator({ csrPem: "no request" }),
  "csr/der": byOperator({ csrPem: pemOf(good.slice(0, -1)) }),
  "csr/shape": byOperator({ csrPem: pemOf(makeCsr(p256, { version: integer(1) })) }),
  "csr/signature-algorithm": byOperator({ csrPem: pemOf(makeCsr(p256, { algorithm: "ecdsa-sha1" })) }),
  "csr/signature": byOperator({ csrPem: signedByAnother }),
  "csr/names": byOperator({ csrPem: naming(idOf("db")) }),
  "key/kind": byOperator({ csrPem: pemOf(makeCsr(workloadKey("P-521"))) }),
  "key/not-allowed": byOperator({ spiffeId: idOf("p384") }),
  "key/weak": byOperator({ csrPem: pemOf(makeCsr(p256, { spkiDer: rsaSpki(weak, 65537), algorithm: "rsa-sha256" })) }),
  "key/blocked": byOperator({ csrPem: blocked.csrPem }),
  "key/authority": byOperator({
    csrPem: pemOf(
      makeCsr({
        privateKey: ours.root.key.privateKey,
        spkiDer: ours.root.key.spki,
        family: "EC",
        algorithm: "ecdsa-sha256",
      }),
    ),
  }),
  "key/in-use": byOperator({ csrPem: shared }),
  "key/not-renewed": { csrPem: newCsr().csrPem, credentials: presenting(ours.chainOf(webId, endedAgo(60_000))) },
  "caller/none": { csrPem: newCsr().csrPem, credentials: nobody },
  "caller/refused": { csrPem: newCsr().csrPem, credentials: bearing(secretBearer) },
  "caller/unavailable": { csrPem: newCsr().csrPem, credentials: bearing(unsignedToken) },
  "identity/not-registered": async () => ({
    csrPem: newCsr().csrPem,
    credentials: presenting(ours.chainOf(idOf("nobody-knows"))),
  }),
  "identity/not-allowed": byOperator({ spiffeId: idOf("unknown") }),
  "identity/ambiguous": byOperator({ spiffeId: undefined }),
  "identity/impersonation": byOperator({ impersonatedIdentity: idOf("db") }),
  "identity/revoked": byOperator({ spiffeId: idOf("revoked") }),
  "signer/unknown": byOperator({ certSigner: "clusterissuers/other" }),
  "ttl/too-long": byOperator({ spiffeId: idOf("short"), ttlSeconds: 61 }),
  "issue/lint": byOperator({ spiffeId: idOf("odd-name") }),
  "issue/defect": byOperator({ spiffeId: idOf("no-name") }),
  "clock/backwards": async () => {
    scene.shiftMillis = -10 * 60_000;
    return byOperator({});
  },
  "authority/expiring": async () => {
    const { issuing } = scene.authority.authorities.current();
    scene.shiftMillis = issuing!.notAfterMillis - Date.now() - 5 * 60_000;
    return byOperator({});
  },
  "store/unavailable": async () => {
    beforeIntent = () => {
      throw new CodedError("ca-store/full", "the disk is full");
    };
    return byOperator({});
  },
};

/** Those that take more than one request, or a state of their own. */
const elsewhere: readonly RefusalCode[] = ["rate/address", "rate/caller", "rate/overload", "authority/none"];

/** What every refusal must be, whatever its code. */
async function checkRefused(
  inScene: Scene,
  answer: Awaited<ReturnType<Scene["issue"]>>,
  code: RefusalCode,
): Promise<void> {
  const { explanation, last } = await readRefused(inScene, answer);
  assert.equal(explanation.code, code);
  assert.deepEqual(Object.keys(answer).sort(), ["code", "explanationId", "ok", "retryAfterMillis"]);
  assert.match(answer.ok ? "" : answer.explanationId, /^[\w-]{8,40}$/);
  assert.deepEqual([last.ok, last.seen !== "", last.wanted !== "", last.remedy !== ""], [false, true, true, true]);
  assert.equal(last.remedy, refusals[code].help);
  const attempts = explanation.steps.filter(({ step }) =>
    /^caller: ((ended-)?x509-svid|jwt|join-token|operator)$/.test(step),
  );
  const steps = explanation.steps.filter((step) => !attempts.includes(step));
  const names = Object.entries(issuanceSteps).map(([name, what]) => `${name}: ${what}`);
  assert.deepEqual(
    steps.map(({ step }) => step),
    names.slice(0, steps.length),
    "the steps stand in their order, none is left out",
  );
  assert.ok(steps.slice(0, -1).every(({ ok }) => ok));
  assert.ok(attempts.every(({ ok, seen }) => !ok && seen !== ""));
  for (const { seen, wanted, remedy } of explanation.steps)
    for (const text of [seen, wanted, remedy]) assert.doesNotMatch(text, /[\n\r]/);
}

for (const [code, given] of Object.entries(asked) as [RefusalCode, Ask | (() => Promise<Ask>)][]) {
  test(`a real request brings about ${code}, with an explanation that says what mends it`, async (t) => {
    t.after(() => {
      scene.shiftMillis = 0;
      beforeIntent = () => {};
    });
    const ask = typeof given === "function" ? await given() : given;
    const before = (await scene.store.status()).issued;
    await checkRefused(scene, await scene.issue(ask), code);
    assert.equal((await scene.store.status()).issued, before);
    assert.equal(scene.outcomes.at(-1)?.result, code);
  });
}

test("what fails without an answer of its own is explained as far as it came", async (t) => {
  t.after(() => {
    beforeIntent = () => {};
  });
  const lastStep = async (ask: Ask) => (await refuseIn(scene, ask)).last.step.split(":")[0];
  assert.equal(await lastStep(byOperator({ spiffeId: idOf("no-name") })), "lint");
  beforeIntent = () => {
    throw new Error("a defect of the test's making");
  };
  const { code, last } = await refuseIn(scene, byOperator({}));
  assert.deepEqual(
    [code, last.step.split(":")[0], last.seen],
    ["issue/defect", "record", "a defect of the test's making"],
  );
});

test("a real request brings about rate/address, rate/caller and rate/overload", async (t) => {
  const narrow = await testScene(t, {
    entries,
    imported: ours.material,
    monotonicMillis: () => 0,
    configuration: {
      rates: { perAddressPerSecond: 1, perAddressBurst: 3, perCallerPerSecond: 1, perCallerBurst: 1 },
      admission: { inFlight: 1, waiting: 0, waitingBytes: 1e6 },
    },
  });
  const token = await tokenIn(narrow, webId);
  const ask = () => narrow.issue({ csrPem: "", credentials: bearing(token) });
  await ask();
  await checkRefused(narrow, await ask(), "rate/caller");
  const [, third] = await Promise.all([ask(), ask()]);
  await checkRefused(narrow, third, "rate/address");
  const both = await Promise.all([narrow.issue(byOperator({})), narrow.issue(byOperator({}))]);
  const overload = both.find((answer) => !answer.ok);
  assert.ok(overload !== undefined);
  await checkRefused(narrow, overload, "rate/overload");
  for (const answer of [third, overload]) assert.ok(!answer.ok && (answer.retryAfterMillis ?? 0) > 0);
});

test("a real request brings about authority/none", async (t) => {
  const headless = await testScene(t, { entries, imported: ours.material });
  const { keyId } = headless.authority.authorities.current().issuing!;
  await headless.store.setAuthorityStates([{ keyId, state: "retired" }], Date.now());
  await headless.authority.authorities.reload();
  assert.equal(headless.authority.serving(), false);
  await checkRefused(headless, await headless.issue(byOperator({})), "authority/none");
});

test("every code of the table is brought about here", () => {
  assert.deepEqual([...Object.keys(asked), ...elsewhere].sort(), Object.keys(refusals).sort());
});

test("a credential is told nowhere: not by an answer, an explanation, a line of the log or the inventory", async () => {
  const token = await tokenIn(scene, webId);
  const { chain } = await enrolIn(scene, webId);
  const told: unknown[] = [];
  for (const bearer of [secretBearer, token, unsignedToken, `${token}x`, `${token} `, `${unsignedToken}.x`]) {
    const credentials = { ...presenting(chain.slice(0, 1)), bearer };
    for (const ask of [
      { csrPem: "no request", credentials },
      { credentials, impersonatedIdentity: "x" },
    ]) {
      const { explanation } = await refuseIn(scene, ask);
      told.push(explanation);
    }
  }
  told.push(lines, scene.outcomes, await scene.store.auditEntries(1, 10_000), await scene.store.joinTokens(100));
  const text = JSON.stringify(told);
  assert.ok(text.includes("no request") || text.includes("expected -----BEGIN"));
  for (const secret of [secretBearer, token.split("~")[1]!, unsignedToken.split(".")[1]!, unsignedToken])
    assert.ok(!text.includes(secret), secret);
  const certificate = Buffer.from(chain[0]!);
  assert.ok(!text.includes(certificate.toString("base64")) && !text.includes(certificate.toString("hex")));
  assert.ok(text.includes(createHash("sha256").update(certificate).digest("hex")), "its digest is");
});
