import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { type AuthorityDoor, authorityDoor } from "#test/support/ca/agent/authority-door";
import { buildGoSpiffe, runGoSpiffe } from "#test/support/ca/agent/go-spiffe";
import { entry, sceneDomain, webId } from "#test/support/ca/scene";
import { tokenIn } from "#test/support/ca/scene-requests";

const dbId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const hour = 3_600_000;

before(buildGoSpiffe, { timeout: 300_000 });

/** A configuration with a second identity. */
async function withDb(door: AuthorityDoor): Promise<string> {
  const tokenFile = join(door.folder, "db-token");
  await writeFile(tokenFile, await tokenIn(door.scene, dbId), { mode: 0o600 });
  const second = `  - { spiffeId: ${dbId}, socket: ${door.folder}/db.sock, joinTokenFile: ${tokenFile} }`;
  return door.config("", second);
}

test("go-spiffe gets the identity and each update of it, and verifies them", { timeout: 60_000 }, async (t) => {
  const door = await authorityDoor(t);
  const watching = runGoSpiffe(t, door.socket, "watch");
  const yaml = await door.config();
  const agent = await door.start(yaml);
  await door.until(() => agent.status().identities[0]!.state === "valid");
  const serial = () => agent.status().identities[0]!.certificate!.serial;
  /** Failures of a watch before the socket was there are no updates. */
  const svid = async () => {
    for (let line = await watching.line(); ; line = await watching.line())
      if (line?.startsWith("error") !== true) return line;
  };
  const first = serial();
  assert.equal(await svid(), `svid ${webId} ${first.replace(/^0/, "")} 1`);
  // The agent alone takes it for half of a life later: go-spiffe has the right time, as the authority does.
  await door.time.advance(12.3 * hour);
  await door.until(() => serial() !== first);
  assert.equal(await svid(), `svid ${webId} ${serial().replace(/^0/, "")} 1`);
});

test("two programs over go-spiffe shake hands, each with the identity of its socket", {
  timeout: 60_000,
}, async (t) => {
  const door = await authorityDoor(t, { entries: [entry(webId), entry(dbId)] });
  const agent = await door.start(await withDb(door));
  await door.until(() => agent.status().identities.every(({ state }) => state === "valid"));
  const server = runGoSpiffe(t, `${door.folder}/db.sock`, "serve", webId);
  const address = (await server.line())?.replace("port ", "") ?? "";
  const good = runGoSpiffe(t, door.socket, "dial", address, dbId);
  assert.equal(await good.line(), `${webId} <nil>`);
  // The server's own identity is none that it lets in.
  const other = runGoSpiffe(t, `${door.folder}/db.sock`, "dial", address, dbId);
  assert.equal(await other.line(), undefined);
  assert.match((await server.line()) ?? "", /^error .*unexpected ID/);
});
