import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { renderJoinToken } from "#ca/callers/join-token-text";
import { issuanceDefaults } from "#ca/issuance/settings";
import { authorityDoor } from "#test/support/ca/agent/authority-door";

const hour = 3_600_000;

test("a server that does not show the root of the token is told nothing", async (t) => {
  const door = await authorityDoor(t);
  const yaml = await door.config();
  await writeFile(join(door.folder, "token"), renderJoinToken(new Uint8Array(32).fill(1), "ab".repeat(32)));
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/root");
  assert.equal(door.scene.outcomes.length, 0);
});

test("a server of the same root that is not the authority is not believed", async (t) => {
  const door = await authorityDoor(t);
  const yaml = (await door.config()).replace(
    "serverName: localhost",
    'serverName: localhost, serverSpiffeId: "spiffe://hello.mesh/other"',
  );
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/unreachable");
  assert.match(agent.status().identities[0]!.failure!.message, /the server is not `spiffe:\/\/hello.mesh\/other`/);
  assert.equal(door.scene.outcomes.length, 0);
});

test("a server without the name that was asked for is not believed", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(
    (await door.config()).replace("serverName: localhost", "serverName: elsewhere.example"),
  );
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/unreachable");
  assert.equal(door.scene.outcomes.length, 0);
});

test("a join token that is used already is refused, with the authority's words, and the status says so", async (t) => {
  const door = await authorityDoor(t);
  const yaml = await door.config();
  const first = await door.start(yaml);
  await door.until(() => first.status().identities[0]!.state === "valid");
  await first.stop(0);
  const agent = await door.start(yaml.replace("/state", "/other-state"));
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/refused");
  assert.match(
    agent.status().identities[0]!.failure!.message,
    /no credential was accepted \(caller\/refused, explanation/,
  );
});

test("a token file that others can read is not used", async (t) => {
  const door = await authorityDoor(t);
  const yaml = await door.config();
  await chmod(join(door.folder, "token"), 0o644);
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/attestation");
  assert.match(agent.status().identities[0]!.failure!.message, /0644/);
});

test("an identity that ended while the machine was off comes back by the grace of the authority, for its own key", async (t) => {
  const door = await authorityDoor(t, {
    configuration: { issuance: { ...issuanceDefaults, renewalGraceSeconds: 7 * 24 * 3600 } },
  });
  const yaml = await door.config();
  const first = await door.start(yaml);
  await door.until(() => first.status().identities[0]!.kept && first.status().identities[0]!.state === "valid");
  await first.stop(0);
  door.time.jump(30 * hour);
  door.scene.shiftMillis += 30 * hour;
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.state === "valid");
  const { serial } = agent.status().identities[0]!.certificate!;
  assert.equal((await door.scene.store.issuance(serial))?.method, "ended-x509-svid");
});

test("an identity that ended, without a grace, says what it would take", async (t) => {
  const door = await authorityDoor(t);
  const yaml = await door.config();
  const first = await door.start(yaml);
  await door.until(() => first.status().identities[0]!.kept && first.status().identities[0]!.state === "valid");
  await first.stop(0);
  door.time.jump(30 * hour);
  door.scene.shiftMillis += 30 * hour;
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.failure?.code === "agent/refused");
  assert.equal(agent.status().identities[0]!.state, "ended");
  // A new token, put where the old one was, is taken without a restart.
  await door.config();
  await door.until(async () => {
    await door.pass(10_000);
    return agent.status().identities[0]!.state === "valid";
  });
});

test("an agent that cannot open one of its sockets leaves nothing open", async (t) => {
  const door = await authorityDoor(t);
  const yaml = (await door.config()).replace(door.socket, join(door.folder, "no-such-folder", "web.sock"));
  await assert.rejects(door.start(yaml), { code: "listen/failed" });
  await mkdir(join(door.folder, "no-such-folder"));
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.state === "valid");
});
