import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type AuthorityDoor, authorityDoor } from "#test/support/ca/agent/authority-door";
import { webId } from "#test/support/ca/scene";
import { cli, main } from "#test/support/cli/run-cli";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";

/** The program as its own process, and the lines of its log. */
function runProgram(t: TestContext, file: string) {
  const child = spawn(process.execPath, [main, "agent", "--config", file, "--drain", "1"]);
  endsWithTest(t, child);
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => {
    log += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk;
  });
  return { child, log: () => log, closed: once(child, "close") as Promise<[number | null, string | null]> };
}

const statusOf = (door: AuthorityDoor, format: "text" | "json" = "json") =>
  cli(["agent", "status", "--socket", join(door.folder, "status.sock"), "--format", format]);

describe("garita agent", () => {
  it("runs, says how it is, reads its configuration again, and ends when it is told to", {
    timeout: 60_000,
  }, async (t) => {
    const door = await authorityDoor(t);
    const file = join(door.folder, "agent.yaml");
    const yaml = await door.config(`statusSocket: ${door.folder}/status.sock`);
    await writeFile(file, yaml);
    const { child, log, closed } = runProgram(t, file);
    await door.until(async () => (await statusOf(door)).status === 0);

    const json = JSON.parse((await statusOf(door)).out);
    assert.deepEqual([json.identities[0].spiffeId, json.identities[0].state], [webId, "valid"]);
    const text = (await statusOf(door, "text")).out;
    assert.match(text, new RegExp(`^${webId} {2}valid\n`));
    for (const word of ["serial", "since", "until", "next", "bundle", "socket"])
      assert.match(text, new RegExp(`^ {2}${word} `, "m"));
    assert.ok(text.includes(json.identities[0].certificate.serial));

    await writeFile(file, `${yaml}proxy: x\n`);
    child.kill("SIGHUP");
    await door.until(() => log().includes("the configuration has a fault: nothing was changed"));
    await writeFile(file, `${yaml}logging: { level: debug }\n`);
    child.kill("SIGHUP");
    await door.until(() => log().includes("configuration reloaded"));
    await door.until(async () => (await statusOf(door)).status === 0);
    assert.equal(
      JSON.parse((await statusOf(door)).out).identities[0].certificate.serial,
      json.identities[0].certificate.serial,
    );

    // A socket that cannot be opened is found out when the old ones are closed: they are opened again.
    await writeFile(file, yaml.replace(door.socket, join(door.folder, "nothing-here", "web.sock")));
    child.kill("SIGHUP");
    await door.until(() => log().includes("the new configuration cannot be started: the old one runs on"));
    await door.until(async () => (await statusOf(door)).status === 0);

    const serialOf = (out: string) => JSON.parse(out).identities[0].certificate.serial as string;
    const before = serialOf((await statusOf(door)).out);
    const renew = (...more: string[]) =>
      cli(["agent", "renew", "--socket", join(door.folder, "status.sock"), "--format", "json", ...more]);
    const renewed = await renew();
    assert.deepEqual([renewed.status, renewed.err], [0, ""]);
    assert.notEqual(serialOf(renewed.out), before);
    assert.equal(JSON.parse(renewed.out).identities[0].kept, true);
    const again = await renew("--id", webId);
    assert.equal(again.status, 0);
    assert.notEqual(serialOf(again.out), serialOf(renewed.out));
    assert.equal(serialOf((await statusOf(door)).out), serialOf(again.out));
    const other = await renew("--id", "spiffe://hello.mesh/other");
    assert.deepEqual([other.status, other.err.includes("[agent/identity]")], [1, true]);

    child.kill("SIGTERM");
    assert.deepEqual(await closed, [0, null]);
    const gone = await statusOf(door);
    assert.equal(gone.status, 1);
    assert.match(gone.err, /no agent answers at `.*status\.sock` \(`--socket` names its `statusSocket`\)/);
  });

  it("ends with 10 from `renew` where the authority gave nothing, and goes on with what it has", async (t) => {
    const door = await authorityDoor(t);
    const agent = await door.start(await door.config(`statusSocket: ${door.folder}/status.sock`));
    await door.until(() => agent.status().identities[0]!.state === "valid");
    const before = agent.status().identities[0]!.certificate?.serial;
    await door.scene.authority.service.revoke({ kind: "identity", spiffeId: webId }, "a test", "a test");
    const { status, out } = await cli(["agent", "renew", "--socket", join(door.folder, "status.sock")]);
    assert.equal(status, 10);
    assert.match(out, /\n {2}failed /);
    assert.deepEqual(
      [agent.status().identities[0]!.state, agent.status().identities[0]!.certificate?.serial],
      ["valid", before],
    );
  });

  it("ends with 5 from `status` where an identity has no valid certificate, and says why", async (t) => {
    const door = await authorityDoor(t);
    const yaml = await door.config(`statusSocket: ${door.folder}/status.sock`);
    await rm(join(door.folder, "token"));
    const agent = await door.start(yaml);
    await door.until(() => agent.status().identities[0]!.failure !== undefined);
    const { status, out } = await statusOf(door, "text");
    assert.equal(status, 5);
    assert.match(out, new RegExp(`^${webId} {2}waiting\n`));
    assert.match(out, /failed .*no join token: cannot read the secret .* \[agent\/attestation\], once, last /);
  });

  it("says what is wrong with a configuration, with its place", async (t) => {
    const folder = await tempFolder(t);
    const file = join(folder, "agent.yaml");
    await writeFile(file, 'authority: { address: "x" }\nstateFolder: s\nidentities: []\n');
    for (const args of [
      ["agent", "check-config", "--config", file],
      ["agent", "--config", file],
    ]) {
      const { status, err } = await cli(args);
      assert.equal(status, 3, args.join(" "));
      assert.match(err, /agent\.yaml:3:13: .*\[config\/value\]/);
    }
    assert.equal((await cli(["agent", "check-config", "--config", join(folder, "none.yaml")])).status, 2);
    await writeFile(
      file,
      'authority: { address: "ca:1" }\nstateFolder: s\nidentities: [{ spiffeId: "spiffe://t/a", socket: s.sock, joinTokenFile: t }]\n',
    );
    const good = await cli(["agent", "check-config", "--config", file]);
    assert.deepEqual([good.status, good.out], [0, `\`${file}\` is in order: 1 identity\n`]);
  });

  it("is told from what else may answer at its socket", async (t) => {
    const folder = await tempFolder(t);
    const socket = join(folder, "other.sock");
    const server = createServer((_request, response) => response.end("hello"));
    server.listen(socket);
    t.after(() => server.close());
    await once(server, "listening");
    const { status, err } = await cli(["agent", "status", "--socket", socket]);
    assert.equal(status, 1);
    assert.match(err, /is no agent of Garita \[service\/answer\]/);
    assert.match(
      (await cli(["agent", "status", "--socket", join(folder, "none.sock")])).err,
      /\[service\/unreachable\]/,
    );
  });
});
