import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type FileSettings, writeCertificateFiles } from "#ca/agent/certificate-files";
import type { HeldCertificate, ServedIdentity } from "#ca/agent/contract";
import type { TrustBundle } from "#ca/authorities/contract";
import { generateKey } from "#ca/authorities/generate-key";
import { buildBundle, bundleVersion } from "#ca/bundle/build-bundle";
import type { CommandOutcome } from "#platform/run-command";
import { agentId } from "#test/support/ca/agent/life-scene";
import { makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const other = makeAuthority({ kind: "P-384", profile: "root" }, { commonName: "another root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });

async function newHeld(): Promise<HeldCertificate> {
  const { privateKey, publicKey } = await generateKey("P-256");
  const leaf = makeLeaf(issuing, { subjectPublicKeyDer: publicKey.spkiDer, uri: agentId.toString() });
  return { privateKey, chain: [leaf, issuing.certificate], receivedMillis: 0 };
}

async function filesScene(t: TestContext, change: Partial<FileSettings> = {}) {
  const folder = await tempFolder(t);
  const time = createFakeTime();
  const listeners = new Set<() => void>();
  const state: { held: HeldCertificate | undefined; bundle: TrustBundle | undefined } = {
    held: undefined,
    bundle: undefined,
  };
  const served: ServedIdentity = {
    spiffeId: agentId,
    certificate: () => state.held,
    bundle: () => state.bundle,
    isUnregistered: () => false,
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
  const ran: (readonly string[])[] = [];
  const scene = {
    folder,
    time,
    ran,
    outcome: { ok: true } as CommandOutcome,
    open() {
      const settings: FileSettings = {
        folder,
        names: { key: "key.pem", chain: "chain.pem", bundle: "roots.pem" },
        keyMode: 0o640,
        mode: 0o644,
        reload: { command: ["reload", "web; rm"], timeoutMillis: 1_000 },
        ...change,
      };
      const files = writeCertificateFiles({
        settings,
        served,
        async run(command) {
          ran.push(command);
          return scene.outcome;
        },
        nowMillis: time.nowMillis,
        timers: time,
        chance: () => 0.5,
        log: recordLog().log,
      });
      t.after(() => files.stop());
      return files;
    },
    change(next: Partial<typeof state>) {
      Object.assign(state, next);
      for (const changed of listeners) changed();
    },
  };
  return scene;
}

describe("the files of an identity", () => {
  it("are written with their modes when there is something to write, and the command is run once", async (t) => {
    const scene = await filesScene(t);
    const files = scene.open();
    scene.change({ bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    assert.deepEqual(readdirSync(scene.folder), []);
    scene.change({ held: await newHeld() });
    await until(() => files.status().reloadedMillis !== undefined);
    assert.deepEqual(readdirSync(scene.folder).sort(), ["chain.pem", "key.pem", "roots.pem"]);
    const mode = (name: string) => statSync(join(scene.folder, name)).mode & 0o777;
    const umask = process.umask();
    assert.deepEqual(
      [mode("key.pem"), mode("chain.pem"), mode("roots.pem")],
      [0o640 & ~umask, 0o644 & ~umask, 0o644 & ~umask],
    );
    assert.equal(readFileSync(join(scene.folder, "chain.pem"), "utf8").match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.deepEqual(scene.ran, [["reload", "web; rm"]]);
  });

  it("that are right already are left alone, and nothing is run for them", async (t) => {
    const scene = await filesScene(t);
    const first = scene.open();
    scene.change({ held: await newHeld(), bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    await until(() => first.status().reloadedMillis !== undefined);
    await first.stop();
    const second = scene.open();
    await until(() => second.status().writtenMillis !== undefined);
    await second.stop();
    assert.equal(scene.ran.length, 1);
    const third = scene.open();
    scene.change({ bundle: buildBundle("cluster.local", 2, [root.certificate, other.certificate]) });
    await until(() => third.status().reloadedMillis !== undefined);
    assert.equal(scene.ran.length, 2);
  });

  it("that others may read who should not are written anew, though their text is right", async (t) => {
    const scene = await filesScene(t, { keyMode: 0o600 });
    const first = scene.open();
    scene.change({ held: await newHeld(), bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    await until(() => first.status().reloadedMillis !== undefined);
    await first.stop();
    const key = join(scene.folder, "key.pem");
    chmodSync(key, 0o644);
    const second = scene.open();
    await until(() => second.status().writtenMillis !== undefined);
    assert.equal(statSync(key).mode & 0o777, 0o600);
  });

  it("that cannot be written are told with agent/files, and tried again", async (t) => {
    const scene = await filesScene(t);
    chmodSync(scene.folder, 0o755);
    rmSync(scene.folder, { recursive: true });
    const files = scene.open();
    scene.change({ held: await newHeld(), bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    await until(() => files.status().failure !== undefined);
    assert.equal(files.status().failure?.code, "agent/files");
    assert.equal(files.status().failure?.message, `the folder \`${scene.folder}\` is not there`);
    assert.deepEqual(scene.ran, []);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(scene.folder);
    await scene.time.advance(30_000);
    await until(() => files.status().reloadedMillis !== undefined);
    assert.equal(files.status().failure, undefined);
  });

  it("whose command fails are told with agent/reload, and it is run again without writing anew", async (t) => {
    const scene = await filesScene(t);
    scene.outcome = { ok: false, message: "it ended with the status 1: no such service" };
    const files = scene.open();
    scene.change({ held: await newHeld(), bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    await until(() => files.status().failure !== undefined);
    assert.deepEqual(
      [files.status().failure?.code, files.status().failure?.message],
      ["agent/reload", "it ended with the status 1: no such service"],
    );
    scene.outcome = { ok: true };
    await scene.time.advance(30_000);
    await until(() => files.status().reloadedMillis !== undefined);
    assert.equal(scene.ran.length, 2);
    assert.equal(files.status().failure, undefined);
  });

  it("whose command failed have it run by the next start, and are not in use before", async (t) => {
    const scene = await filesScene(t);
    scene.outcome = { ok: false, message: "it ended with the status 1" };
    const first = scene.open();
    const bundle = buildBundle("cluster.local", 1, [root.certificate]);
    scene.change({ held: await newHeld(), bundle });
    await until(() => first.status().failure !== undefined);
    await first.stop();
    const second = scene.open();
    await until(() => second.status().failure !== undefined || second.bundleInUse() !== undefined);
    assert.deepEqual([scene.ran.length, second.bundleInUse()], [2, undefined]);
    scene.outcome = { ok: true };
    await scene.time.advance(30_000);
    await until(() => second.bundleInUse() === bundleVersion(bundle));
    assert.deepEqual(readdirSync(scene.folder).sort(), ["chain.pem", "key.pem", "roots.pem"]);
  });

  it("without a command are written all the same", async (t) => {
    const scene = await filesScene(t, { reload: undefined });
    const files = scene.open();
    scene.change({ held: await newHeld(), bundle: buildBundle("cluster.local", 1, [root.certificate]) });
    await until(() => files.status().writtenMillis !== undefined);
    assert.equal(files.status().reloadedMillis, undefined);
  });
});
