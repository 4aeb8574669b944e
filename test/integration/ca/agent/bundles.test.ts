import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { authorityDoor } from "#test/support/ca/agent/authority-door";
import { localEnvoy } from "#test/support/ca/agent/local-envoy";
import { openWorkloadStream } from "#test/support/ca/agent/workload-client";
import { sceneDomain, webId } from "#test/support/ca/scene";

const hour = 3_600_000;

test("an Envoy gets key and bundle by every name, and nothing of another identity", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  const names = ["default", "ROOTCA", "ALL", `spiffe://${sceneDomain}`, webId];
  const others = [`spiffe://${sceneDomain}/ns/hello/sa/db`, "spiffe://other.example", "file-cert:x"];
  const envoy = localEnvoy(t, door.socket, [...names, ...others], { accepts: true });
  await door.until(() => names.every((name) => envoy.resources.has(name)));
  assert.deepEqual([...envoy.resources.keys()].sort(), [...names].sort());
  const key = Buffer.from(envoy.resources.get("default")!.body).toString("latin1");
  assert.match(key, /BEGIN PRIVATE KEY[\s\S]*BEGIN CERTIFICATE|BEGIN CERTIFICATE[\s\S]*BEGIN PRIVATE KEY/);
  for (const name of ["ROOTCA", "ALL"])
    assert.doesNotMatch(Buffer.from(envoy.resources.get(name)!.body).toString("latin1"), /PRIVATE/);
  const [stream] = agent.status().identities[0]!.streams;
  assert.equal(stream?.node, "sidecar~10.0.0.1~web");
  await door.until(
    () =>
      agent.status().identities[0]!.streams[0]!.names.filter(({ acknowledged }) => acknowledged !== undefined)
        .length === names.length,
  );
});

test("a bundle is acknowledged to the authority when every Envoy here has acknowledged it, and a workload was sent it", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  await door.until(
    () => agent.status().identities[0]!.kept && agent.status().identities[0]!.bundle?.acknowledged === true,
  );
  const quick = localEnvoy(t, door.socket, ["ROOTCA"], { accepts: true });
  const slow = localEnvoy(t, door.socket, ["ALL"], { accepts: false });
  const workload = openWorkloadStream(t, door.socket, "FetchX509Bundles");
  await workload.next();
  await door.until(() => slow.waiting.length === 1 && quick.resources.size === 1);
  slow.waiting.shift()!.acknowledgement.accept();

  const { service } = door.scene.authority;
  await service.root.rotate("test");
  const next = service.bundle();
  await door.until(() => slow.waiting.length === 1);
  assert.ok((await workload.next()).bundle.length > 0);
  await door.pass(5_000);
  const acknowledged = () => door.streams().some((stream) => stream.acknowledged === bundleVersion(next));
  assert.equal(acknowledged(), false);
  assert.equal(agent.status().identities[0]!.bundle?.acknowledged, false);
  slow.waiting.shift()!.acknowledgement.accept();
  await door.until(acknowledged);
  assert.equal(agent.status().identities[0]!.bundle?.acknowledged, true);
});

test("a bundle is not acknowledged before the files of the identity are written and their server has read them", async (t) => {
  const door = await authorityDoor(t);
  const block = join(door.folder, "block");
  const files = `    files: { folder: ${door.folder}, reload: { command: [test, "!", -e, ${block}] } }`;
  const agent = await door.start(await door.config("", files));
  await door.until(() => agent.status().identities[0]!.bundle?.acknowledged === true);
  await writeFile(block, "");
  const { service } = door.scene.authority;
  await service.root.rotate("test");
  const next = bundleVersion(service.bundle());
  const acknowledged = () => door.streams().some((stream) => stream.acknowledged === next);
  await door.until(() => agent.status().identities[0]!.files?.failure?.code === "agent/reload");
  await door.until(() => agent.status().identities[0]!.kept && door.streams().length > 0);
  await door.pass(5_000);
  let looks = 0;
  await door.until(() => acknowledged() || ++looks > 50);
  assert.equal(acknowledged(), false);
  await rm(block);
  // The longest first wait of a command that somebody has to put right.
  await door.pass(36_000);
  await door.until(acknowledged);
});

test("a bundle that an Envoy rejects is rejected to the authority, with Envoy's words", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  await door.until(() => agent.status().identities[0]!.bundle?.acknowledged === true);
  const envoy = localEnvoy(t, door.socket, ["ROOTCA"], { accepts: false });
  await door.until(() => envoy.waiting.length === 1);
  envoy.waiting.shift()!.acknowledgement.accept();
  await door.scene.authority.service.root.rotate("test");
  await door.until(() => envoy.waiting.length === 1);
  envoy.waiting.shift()!.acknowledgement.reject("Invalid trusted CA: unknown curve");
  await door.until(() => door.streams().some(({ rejected }) => rejected !== undefined));
  assert.match(
    door.streams().find(({ rejected }) => rejected !== undefined)!.rejected!.message,
    /Invalid trusted CA: unknown curve/,
  );
  assert.match(agent.status().identities[0]!.bundle!.rejected!, /unknown curve/);
});

test("after a renewal the authority sees the new certificate, and the old one's stream is gone", async (t) => {
  const door = await authorityDoor(t);
  const agent = await door.start(await door.config());
  await door.until(() => door.streams().length === 1 && agent.status().identities[0]!.bundle?.acknowledged === true);
  const [before] = door.streams();
  await door.pass(12.3 * hour);
  await door.until(() => door.streams().length === 1 && door.streams()[0]!.fingerprint !== before!.fingerprint);
  await door.until(() => door.streams()[0]!.acknowledged !== undefined);
  assert.equal(door.streams()[0]!.spiffeId, webId);
});

test("a root is replaced: the agent lets it be used when everybody here has it, and moves to it before the old one goes", async (t) => {
  const door = await authorityDoor(t);
  const { authorities, rotation, service } = door.scene.authority;
  const agent = await door.start(await door.config());
  const identity = () => agent.status().identities[0]!;
  await door.until(() => identity().bundle?.acknowledged === true);
  const envoy = localEnvoy(t, door.socket, ["ROOTCA", "default"], { accepts: false });
  await door.until(() => envoy.resources.size === 2);
  for (const { acknowledgement } of envoy.waiting.splice(0)) acknowledgement.accept();
  const rootOf = () => Buffer.from(authorities.current().issuing!.root.der);
  const oldRoot = rootOf();
  const isReplaced = async () => {
    await rotation.lookAfter();
    return !rootOf().equals(oldRoot);
  };

  await service.root.rotate("test");
  await door.until(() => envoy.waiting.length === 1);
  assert.equal(await isReplaced(), false);
  for (const { acknowledgement } of envoy.waiting.splice(0)) acknowledgement.accept();
  const shown = door.scene.authority.serverCertificate?.certPem;
  await door.until(isReplaced);
  await door.until(() => door.scene.authority.serverCertificate?.certPem !== shown);
  door.updateTls();

  const first = identity().certificate!.serial;
  await door.pass(12.3 * hour);
  await door.until(() => identity().certificate!.serial !== first);
  await door.until(() => envoy.waiting.length > 0);
  for (const { acknowledgement } of envoy.waiting.splice(0)) acknowledgement.accept();
  await door.until(() => identity().bundle?.acknowledged === true);
  // Nothing of the old root is in use any more.
  await door.pass(11.9 * hour);
  await door.until(async () => {
    await rotation.lookAfter();
    return service.bundle().anchors.length === 1;
  });
  await door.until(() => envoy.waiting.some(({ resources }) => resources.some(({ name }) => name === "ROOTCA")));
  for (const { acknowledgement } of envoy.waiting.splice(0)) acknowledgement.accept();
  await door.until(() => identity().bundle?.anchors === 1 && identity().bundle?.acknowledged === true);
  assert.equal(identity().state, "valid");
  assert.equal(identity().failure, undefined);
});
