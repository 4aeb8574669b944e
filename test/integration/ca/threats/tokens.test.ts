import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Caller } from "#ca/callers/contract";
import { keysOfText } from "#test/support/ca/caller-tokens";
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
import { bearing, issueIn, readIssued, recordsIn, refuseIn, tokenIn } from "#test/support/ca/scene-requests";
import { keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { tokenOf } from "#test/support/tokens/token-text";

const databaseId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const entries = [entry(webId), entry(databaseId)];

const redeem = (bearer: string, address?: string) => ({
  csrPem: newCsr().csrPem,
  credentials: bearing(bearer, address),
});

let scene: Scene;
before(async () => {
  scene = await openScene({ entries });
});
after(() => endScene(scene));

/** Why the token was not taken, as the explanation tells it. */
async function refusedFor(inScene: Scene, bearer: string, address?: string): Promise<string> {
  const { code, explanation } = await refuseIn(inScene, redeem(bearer, address));
  assert.equal(code, "caller/refused");
  const attempt = explanation.steps.find(({ step }) => step === "caller: join-token");
  return attempt?.seen ?? explanation.steps.at(-1)!.seen;
}

test("T9: a join token that is brought again is refused, in the same run and in the next, and tells who was first", async (t) => {
  const first = await openScene({ entries });
  const token = await tokenIn(first, webId);
  const unused = await tokenIn(first, databaseId);
  const { answer } = await issueIn(first, redeem(token, "192.0.2.1"));
  const told = new RegExp(`was used at .* from 192\\.0\\.2\\.1, for the certificate ${answer.serialHex}`);
  assert.match(await refusedFor(first, token), told);
  await first.close();

  const second = await testScene(t, { entries, folder: first.folder });
  assert.match(await refusedFor(second, token), told);
  await issueIn(second, redeem(unused));
  assert.equal((await recordsIn(second)).length, 2);
});

test("T9: one token, brought by fifty at once, gives exactly one certificate", async () => {
  const token = await tokenIn(scene, webId);
  const earlier = new Set((await recordsIn(scene)).map(({ serialHex }) => serialHex));
  const requests = Array.from({ length: 50 }, (_, i) => redeem(token, `192.0.2.${i + 1}`));
  const answers = await Promise.all(requests.map((request) => scene.issue(request)));
  const issued = answers.filter((answer) => answer.ok);
  assert.equal(issued.length, 1);
  await readIssued(scene, issued[0]!);
  for (const answer of answers) assert.ok(answer.ok || answer.code === "caller/refused");
  const records = (await recordsIn(scene)).filter(({ serialHex }) => !earlier.has(serialHex));
  assert.deepEqual(
    records.map(({ state, serialHex }) => [state, serialHex]),
    [["issued", issued[0]!.serialHex]],
  );
  const [kept] = await scene.authority.service.tokens(1);
  assert.equal(kept?.used?.serialHex, issued[0]!.serialHex);
});

test("T9: a token that was made for other addresses, has ended, or was changed in a letter is refused and stays unused", async () => {
  const token = await tokenIn(scene, webId, { sourceCidrs: ["192.0.2.0/28"], ttlSeconds: 60 });
  assert.match(await refusedFor(scene, token, "192.0.2.16"), /may be used from/);
  assert.match(await refusedFor(scene, token, "::ffff:198.51.100.1"), /may be used from/);
  const socket = { csrPem: newCsr().csrPem, credentials: { ...bearing(token), remoteAddress: undefined } };
  assert.equal((await refuseIn(scene, socket)).code, "caller/refused");
  scene.shiftMillis = 60_000;
  assert.match(await refusedFor(scene, token, "192.0.2.15"), /has ended/);
  scene.shiftMillis = 0;
  for (const other of [
    token.slice(0, -1),
    `${token}A`,
    token.toUpperCase(),
    token.replace("join-1~", "join-2~"),
    token.replace(/~.{43}~/, (secret) => `~${[...secret.slice(1, -1)].reverse().join("")}~`),
    token.replace("~", "~A"),
  ])
    assert.notEqual(await refusedFor(scene, other, "192.0.2.15"), "", other);
  await issueIn(scene, redeem(token, "192.0.2.15"));
});

test("T9: a token gives its own identity alone, and a refused request does not use it up", async () => {
  const token = await tokenIn(scene, webId);
  const wrong = await refuseIn(scene, { ...redeem(token), spiffeId: databaseId });
  assert.equal(wrong.code, "identity/not-allowed");
  const broken = await refuseIn(scene, { csrPem: "no request", credentials: bearing(token) });
  assert.equal(broken.code, "csr/pem");
  await scene.authority.service.revoke({ kind: "identity", spiffeId: databaseId }, "test", "test");
  await issueIn(scene, redeem(token));
});

const keys = makeTestKeys();
const issuer = "https://issuer.example";
const now = Math.floor(Date.now() / 1000);
const jwt = (claims: object) =>
  tokenOf(
    keys.p256,
    "ES256",
    {},
    JSON.stringify({ iss: issuer, aud: "istio-ca", exp: now + 600, sub: "web", ...claims }),
  );

test("T9: a stolen token of an issuer is worth nothing elsewhere and later: audience, end and issuer are demanded", async (t) => {
  const state = keysOfText(keySetOf([keys.p256]));
  const callers = [{ kind: "jwt", issuer, claims: [] } as const];
  const trusting = await testScene(t, {
    entries: [entry(webId, { callers })],
    issuers: [{ issuer, audiences: undefined, keys: { kind: "inline", text: "" } }],
    keySets: { of: () => state },
  });
  for (const claims of [
    { aud: "another" },
    { aud: undefined },
    { aud: ["istio-ca "] },
    { exp: now - 1 },
    { exp: undefined },
    { iss: "https://other.example" },
    { iss: undefined },
    { nbf: now + 3600 },
  ]) {
    const { code, explanation } = await refuseIn(trusting, redeem(jwt(claims)));
    assert.equal(code, "caller/refused", JSON.stringify(claims));
    assert.ok(explanation.steps.some(({ step }) => step === "caller: jwt"));
  }
  const unsigned = `${jwt({}).split(".").slice(0, 2).join(".")}.`;
  assert.equal((await refuseIn(trusting, redeem(unsigned))).code, "caller/refused");
  await issueIn(trusting, redeem(jwt({})));
});

/** Every way in which a secret could be written down. */
function formsOf(token: string): readonly Buffer[] {
  const secret = token.split("~")[1];
  const parts = secret === undefined ? [token, token.split(".")[2]!] : [token, secret];
  const raw = parts.map((part) => Buffer.from(part, "base64url")).slice(1);
  return [
    ...parts.map((part) => Buffer.from(part)),
    ...raw,
    ...raw.map((bytes) => Buffer.from(bytes.toString("hex"))),
    ...raw.map((bytes) => Buffer.from(bytes.toString("base64"))),
  ];
}

test("T10: the text of a token is in no byte of the store, no line of the log, no explanation and no answer", async (t) => {
  const { log, lines } = recordLog();
  const state = keysOfText(keySetOf([keys.p256]));
  const callers = [{ kind: "jwt", issuer, claims: [{ path: ["sub"], values: ["web"] }] } as const];
  const watched = await testScene(t, {
    entries: [...entries, entry(`${webId}-jwt`, { name: "test/jwt", callers })],
    issuers: [{ issuer, audiences: undefined, keys: { kind: "inline", text: "" } }],
    keySets: { of: () => state },
    log,
  });
  const tokens = {
    used: await tokenIn(watched, webId),
    refused: await tokenIn(watched, databaseId, { sourceCidrs: ["192.0.2.0/24"] }),
    waiting: await tokenIn(watched, databaseId),
    unknown: (await tokenIn(watched, webId)).replace(/~.{43}~/, `~${"B".repeat(42)}A~`),
    jwt: jwt({}),
    forged: `${jwt({}).slice(0, -8)}AAAAAAAA`,
    stranger: jwt({ sub: "somebody" }),
  };
  const told: unknown[] = [];
  for (const token of [...Object.values(tokens), tokens.used]) {
    const answer = await watched.issue(redeem(token));
    told.push(answer);
    if (!answer.ok) told.push(await watched.store.explanation(answer.explanationId));
    // A token in the wrong place is one all the same.
    const misplaced = await watched.issue({ csrPem: token, credentials: operator, spiffeId: webId });
    assert.ok(!misplaced.ok && misplaced.code === "csr/pem");
    told.push(misplaced, await watched.store.explanation(misplaced.explanationId));
  }
  const { service } = watched.authority;
  told.push(await service.tokens(100), await service.certificates({ limit: 100 }), await service.status());
  told.push(await watched.store.auditEntries(1, 10_000), await service.auditReport(), watched.outcomes, lines);
  const filesNow = async () => {
    const files = await readdir(watched.folder);
    return Promise.all(files.map((file) => readFile(join(watched.folder, file))));
  };
  // The journal as it is while the store is open, and the database as the closing leaves it, with what waited to be written.
  const open = await filesNow();
  await watched.close();
  const closed = await filesNow();
  const evidence = Buffer.concat([...open, ...closed, Buffer.from(JSON.stringify(told))]);
  assert.ok(evidence.includes(Buffer.from(webId)), "the evidence is there");
  for (const [name, token] of Object.entries(tokens))
    for (const form of formsOf(token)) assert.ok(!evidence.includes(form), `${name}: ${form.toString("latin1")}`);
  const methods = new Set(watched.outcomes.map(({ method }) => method as Caller["method"] | "none"));
  assert.deepEqual([...methods].sort(), ["join-token", "jwt", "none", "operator"]);
});
