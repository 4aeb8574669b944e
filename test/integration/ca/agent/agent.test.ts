import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityDoor } from "#test/support/ca/agent/authority-door";
import { pemOf } from "#test/support/ca/agent/life-scene";
import { openWorkloadStream } from "#test/support/ca/agent/workload-client";
import { keysOfText } from "#test/support/ca/caller-tokens";
import { entry, webId } from "#test/support/ca/scene";
import { keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { tokenOf } from "#test/support/tokens/token-text";

const hour = 3_600_000;

test("a join token becomes a certificate, the certificate its successor, and workloads get both", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  await door.until(() => agent.status().identities[0]!.state === "valid");
  const first = agent.status().identities[0]!.certificate!.serial;
  assert.equal((await door.scene.store.issuance(first))?.method, "join-token");

  const workload = openWorkloadStream(t, door.socket, "FetchX509SVID");
  const svid = await workload.next();
  assert.equal(svid.spiffeId, webId);
  assert.equal(new X509Certificate(svid.x509Svid).serialNumber.toLowerCase().padStart(first.length, "0"), first);

  await door.pass(12.3 * hour);
  await door.until(() => agent.status().identities[0]!.certificate!.serial !== first);
  const second = agent.status().identities[0]!.certificate!.serial;
  assert.equal((await door.scene.store.issuance(second))?.method, "x509-svid");
  const next = await workload.next();
  assert.equal(new X509Certificate(next.x509Svid).serialNumber.toLowerCase().padStart(second.length, "0"), second);
  assert.notDeepEqual(next.key, svid.key);
});

test("the key is nowhere but in the state folder: not in the log, the status, or on the wire to the authority", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  await door.until(() => agent.status().identities[0]!.kept && agent.status().identities[0]!.state === "valid");
  const kept = await readFile(join(door.folder, "state", "hello.mesh~ns~hello~sa~web", "identity.pem"), "utf8");
  const secret = kept.split("\n")[1]!;
  const token = (await readFile(join(door.folder, "token"), "utf8")).trim();
  const told = JSON.stringify([door.lines, agent.status(), await door.scene.store.auditEntries(1, 10_000)]);
  assert.ok(secret.length > 40 && !told.includes(secret));
  assert.ok(!told.includes(token) && !told.includes(token.split("~")[1]!));
});

test("while the authority is away everything is served on; when it is back, what is due is renewed", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  const identity = () => agent.status().identities[0]!;
  await door.until(() => identity().bundle?.acknowledged === true);
  const first = identity().certificate!.serial;
  const openAgain = await door.closeDoor();
  await door.pass(12.3 * hour);
  await door.until(() => identity().failure?.code === "agent/unreachable");
  assert.equal(identity().state, "valid");
  const workload = openWorkloadStream(t, door.socket, "FetchX509SVID");
  assert.equal((await workload.next()).spiffeId, webId);
  await openAgain();
  await door.until(async () => {
    await door.pass(5_000);
    return identity().certificate!.serial !== first;
  });
  assert.equal(identity().failure, undefined);
  await door.until(() => door.streams().length === 1 && identity().bundle?.acknowledged === true);
});

test("a token of an issuer becomes a certificate, with the root known by its fingerprint or by a file", async (t) => {
  const issuer = "https://issuer.example";
  const keys = makeTestKeys();
  const state = keysOfText(keySetOf([keys.p256]));
  const door = await authorityDoor(t, {
    entries: [entry(webId, { callers: [{ kind: "jwt", issuer, claims: [] }] })],
    issuers: [{ issuer, audiences: undefined, keys: { kind: "inline", text: "" } }],
    keySets: { of: () => state },
  });
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: "istio-ca", sub: "web", exp: seconds + 600 };
  const jwt = tokenOf(keys.p256, "ES256", {}, JSON.stringify(claims));
  await writeFile(join(door.folder, "jwt"), jwt);
  const [root] = door.scene.authority.service.bundle().anchors;
  await writeFile(join(door.folder, "roots.pem"), pemOf([root!]));
  const yamlOf = (trust: string, name: string) => `
authority: { address: "127.0.0.1:${door.port}", serverName: localhost, ${trust} }
stateFolder: ${door.folder}/${name}
identities: [{ spiffeId: "${webId}", socket: ${door.folder}/${name}.sock, jwtFile: ${door.folder}/jwt }]
`;
  const fingerprint = createHash("sha256").update(root!.der).digest("hex");
  for (const [trust, name] of [
    [`rootFingerprint: "${fingerprint}"`, "one"],
    ["bundleFile: roots.pem", "two"],
  ] as const) {
    const agent = await door.start(yamlOf(trust, name));
    await door.until(() => agent.status().identities[0]!.state === "valid");
    const { serial } = agent.status().identities[0]!.certificate!;
    assert.equal((await door.scene.store.issuance(serial))?.method, "jwt");
  }
});
