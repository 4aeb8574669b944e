import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CertificateRequest } from "#ca/issuance/contract";
import { issuanceDefaults } from "#ca/issuance/settings";
import type { RegistrationEntry } from "#ca/registration/contract";
import { keysOfText } from "#test/support/ca/caller-tokens";
import { hex, text } from "#test/support/ca/der-writer";
import {
  dnsName,
  extensionRequest,
  makeCsr,
  name,
  pemOf,
  sanExtension,
  uriName,
  workloadKey,
} from "#test/support/ca/make-csr";
import { recordLog } from "#test/support/ca/record-log";
import {
  endScene,
  entry,
  newCsr,
  openScene,
  operator,
  type Scene,
  sceneDomain,
  testScene,
  webId,
} from "#test/support/ca/scene";
import { bearing, enrolIn, issueIn, presenting, recordsIn, refuseIn } from "#test/support/ca/scene-requests";
import { keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { tokenOf } from "#test/support/tokens/token-text";

const databaseId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const both = [entry(webId), entry(databaseId)];
const key = workloadKey("P-256");
const requestNaming = (...names: readonly Uint8Array[]) =>
  pemOf(makeCsr(key, { attributes: [extensionRequest(sanExtension(...names))] }));

const { log, lines } = recordLog();
let scene: Scene;
before(async () => {
  scene = await openScene({ entries: both, log });
});
after(() => endScene(scene));

test("T1: a CSR asks for someone else's name: the name is passed over, and stands in the record and in the log", async () => {
  const subject = name(["2.5.4.3", "db.hello.mesh"]);
  const attributes = [extensionRequest(sanExtension(uriName(databaseId), dnsName("db.hello.mesh"), uriName(webId)))];
  const csrPem = pemOf(makeCsr(key, { subject, attributes }));
  const { chain } = await enrolIn(scene, webId);
  const { answer, names, leaf, record } = await issueIn(scene, { csrPem, credentials: presenting(chain) });
  assert.equal(answer.spiffeId, webId);
  assert.deepEqual(names, [{ kind: "uri", value: webId }]);
  assert.deepEqual([...leaf.subjectDer], [0x30, 0]);
  const passedOver = [`URI:${databaseId}`, "DNS:db.hello.mesh", "CN:db.hello.mesh"];
  assert.deepEqual(record.nameMismatch, passedOver);
  const line = lines.find(({ message }) => message.includes("named something else"));
  assert.deepEqual([line?.level, line?.fields["differing"]], ["warn", passedOver]);
  assert.equal(line?.fields["serial"], answer.serialHex);
});

test("T1: a CSR asks for someone else's name: strict mode refuses, and says which", async (t) => {
  const configuration = { issuance: { ...issuanceDefaults, csrNames: "strict" as const } };
  const strict = await testScene(t, { entries: both, configuration });
  const { chain } = await enrolIn(strict, webId);
  const credentials = presenting(chain);
  for (const wrong of [
    uriName(databaseId),
    uriName(`${webId}/`),
    dnsName("db.hello.mesh"),
    text(0x81, "db@hello.mesh"),
    hex("87047f000001"),
  ]) {
    const { code, last } = await refuseIn(strict, { csrPem: requestNaming(uriName(webId), wrong), credentials });
    assert.equal(code, "csr/names");
    assert.ok(!last.ok && last.step.startsWith("names:") && last.wanted === webId, JSON.stringify(last));
  }
  await issueIn(strict, { csrPem: requestNaming(uriName(webId)), credentials });
  await issueIn(strict, { csrPem: newCsr().csrPem, credentials });
});

test("T1: an identity that is asked for and not registered is refused, whoever it is", async () => {
  const { chain } = await enrolIn(scene, webId);
  const { code, last } = await refuseIn(scene, {
    csrPem: requestNaming(uriName(databaseId)),
    spiffeId: databaseId,
    credentials: presenting(chain),
  });
  assert.equal(code, "identity/not-allowed");
  assert.ok(last.seen.includes(databaseId) && last.wanted.includes(webId));
});

/** Ways to write one identity so that something reads another. */
const injections = [
  `${webId},${databaseId}`,
  `${webId} ${databaseId}`,
  `${webId}\n${databaseId}`,
  `${webId}\0`,
  `${webId};${databaseId}`,
  `${webId}%2F..%2Fdb`,
  `spiffe://${sceneDomain}/ns/hello/sa/%64%62`,
  `spiffe://${sceneDomain}/ns/hello/sa/../sa/db`,
  `spiffe://${sceneDomain}/ns/hello/sa/./db`,
  `spiffe://${sceneDomain}/ns/hello/sa//db`,
  `spiffe://${sceneDomain}//ns/hello/sa/db`,
  `${databaseId}/`,
  `${databaseId}?x`,
  `${databaseId}#x`,
  `spiffe://${sceneDomain}:443/ns/hello/sa/db`,
  `spiffe://user@${sceneDomain}/ns/hello/sa/db`,
  `SPIFFE://${sceneDomain}/ns/hello/sa/db`,
  `spiffe://${sceneDomain.toUpperCase()}/ns/hello/sa/db`,
  `spiffe://${sceneDomain}/ns/hello/sa/DB`,
  `spiffe://${sceneDomain}./ns/hello/sa/db`,
  `spiffe:/${sceneDomain}/ns/hello/sa/db`,
  `https://${sceneDomain}/ns/hello/sa/db`,
  `spiffe://${sceneDomain}/ns/hello/sa/ｄｂ`,
  `spiffe://${sceneDomain}/ns/hello/sa/dЬ`,
  `\uFEFF${databaseId}`,
  ` ${databaseId}`,
  `${databaseId}\t`,
  `URI:${databaseId}`,
  `spiffe://${sceneDomain}`,
  "",
];

test("T2: separators, escapes, case, dots and Unicode in an identity that is asked for never give one", async () => {
  const { chain } = await enrolIn(scene, webId);
  const before = (await recordsIn(scene)).length;
  const { csrPem } = newCsr();
  for (const spiffeId of injections) {
    for (const credentials of [presenting(chain), operator]) {
      const { code } = await refuseIn(scene, { csrPem, spiffeId, credentials });
      assert.equal(code, "identity/not-allowed", JSON.stringify(spiffeId));
    }
    await assert.rejects(
      scene.authority.service.createToken({ spiffeId, ttlSeconds: undefined, sourceCidrs: [] }, "test"),
      { code: "ca-token/identity" },
      JSON.stringify(spiffeId),
    );
  }
  assert.equal((await recordsIn(scene)).length, before);
});

test("T2: separators, escapes, case, dots and Unicode in the names of a CSR never come into a certificate", async () => {
  const { chain } = await enrolIn(scene, webId);
  const credentials = presenting(chain);
  for (const injected of injections) {
    const bytes = Buffer.from(injected, "utf8").toString("latin1");
    // A text of an IA5String has no other bytes than ASCII: then the request itself is refused.
    const csrPem = requestNaming(uriName(bytes), dnsName(bytes));
    const answer = await scene.issue({ csrPem, credentials });
    if (!answer.ok) {
      assert.equal(answer.code, "csr/shape", JSON.stringify(injected));
      continue;
    }
    const record = await scene.store.issuance(answer.serialHex);
    assert.equal(answer.spiffeId, webId);
    assert.equal(record?.spiffeId, webId);
    assert.ok((record?.nameMismatch.length ?? 0) > 0, JSON.stringify(injected));
  }
});

const keys = makeTestKeys();
const issuer = "https://issuer.example";
const templated: RegistrationEntry = entry("unused", {
  name: "test/by-claims",
  spiffeId: [
    { kind: "text", text: `spiffe://${sceneDomain}/ns/` },
    { kind: "claim", path: ["ns"] },
    { kind: "text", text: "/sa/" },
    { kind: "claim", path: ["sa"] },
  ],
  callers: [{ kind: "jwt", issuer, claims: [] }],
});
const tokenSaying = (claims: object): string => {
  const body = { iss: issuer, aud: "istio-ca", exp: Math.floor(Date.now() / 1000) + 600, ...claims };
  return tokenOf(keys.p256, "ES256", {}, Buffer.from(JSON.stringify(body)).toString("latin1"));
};

test("T2: separators, escapes, case, dots and Unicode in claims never make another identity", async (t) => {
  const state = keysOfText(keySetOf([keys.p256]));
  const byClaims = await testScene(t, {
    entries: [templated],
    issuers: [{ issuer, audiences: undefined, keys: { kind: "inline", text: "" } }],
    keySets: { of: () => state },
  });
  const { csrPem } = newCsr();
  const ask = (claims: object): Partial<CertificateRequest> => ({ csrPem, credentials: bearing(tokenSaying(claims)) });
  const hostile: readonly unknown[] = [
    "web/../../kube-system/sa/admin",
    "web,admin",
    "web admin",
    "..",
    ".",
    "",
    "%2e%2e",
    "web%2fadmin",
    "web/",
    "/web",
    "web\0",
    "web\n",
    "\uFEFFweb",
    "ｗｅｂ",
    "wéb",
    "web?",
    "web#",
    "system:serviceaccount:web",
    "x".repeat(3000),
    ["web"],
    { toString: "web" },
    7,
    true,
    null,
  ];
  for (const value of hostile) {
    for (const claims of [
      { ns: "hello", sa: value },
      { ns: value, sa: "web" },
    ]) {
      const { code } = await refuseIn(byClaims, ask(claims));
      assert.equal(code, "identity/not-registered", JSON.stringify(value));
    }
  }
  assert.equal((await recordsIn(byClaims)).length, 0);
  const { answer } = await issueIn(byClaims, ask({ ns: "hello", sa: "web" }));
  assert.equal(answer.spiffeId, webId);
  // Upper case is another identity, and the same one nowhere.
  const upper = await issueIn(byClaims, { ...ask({ ns: "hello", sa: "WEB" }), csrPem: newCsr().csrPem });
  assert.equal(upper.answer.spiffeId, `spiffe://${sceneDomain}/ns/hello/sa/WEB`);
});
