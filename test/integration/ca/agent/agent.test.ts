import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityDoor } from "#test/support/ca/agent/authority-door";
import { openWorkloadStream } from "#test/support/ca/agent/workload-client";
import { webId } from "#test/support/ca/scene";

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
