import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { HeldCertificate, ServedIdentity } from "#ca/agent/contract";
import { createStateFolder } from "#ca/agent/state-folder";
import type { TrustBundle } from "#ca/authorities/contract";
import { generateKey } from "#ca/authorities/generate-key";
import { buildBundle, bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundleDer } from "#ca/bundle/render-der";
import { serveAgentDoor } from "#ca/transport/agent-door/serve-agent-door";
import { systemClock } from "#platform/clock";
import { systemTimers } from "#platform/timers";
import { agentId } from "#test/support/ca/agent/life-scene";
import { openWorkloadStream, workloadHeader } from "#test/support/ca/agent/workload-client";
import { makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { tempFolder } from "#test/support/service/temp-folder";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const other = makeAuthority({ kind: "P-384", profile: "root" }, { commonName: "another root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const bundle = buildBundle(agentId.trustDomain, 1, [root.certificate]);
const both = buildBundle(agentId.trustDomain, 2, [root.certificate, other.certificate]);

async function newHeld(changes: Parameters<typeof makeLeaf>[1] = {}): Promise<HeldCertificate> {
  const { privateKey, publicKey } = await generateKey("P-256");
  const leaf = makeLeaf(issuing, { subjectPublicKeyDer: publicKey.spkiDer, uri: agentId.toString(), ...changes });
  return { privateKey, chain: [leaf, issuing.certificate], receivedMillis: Date.now() };
}

/** The door of an identity that the test decides for. */
async function openDoor(
  t: TestContext,
  start: { held?: HeldCertificate; bundle?: TrustBundle; unregistered?: boolean } = {},
) {
  const folder = await tempFolder(t);
  const socket = join(folder, "web.sock");
  const listeners = new Set<() => void>();
  const state = { ...start };
  const served: ServedIdentity = {
    spiffeId: agentId,
    certificate: () => state.held,
    bundle: () => state.bundle,
    isUnregistered: () => state.unregistered ?? false,
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
  const { log } = recordLog();
  const parts = {
    served,
    socket,
    socketMode: 0o640,
    onChange: () => undefined,
    clock: systemClock,
    timers: systemTimers,
    log,
  };
  const door = await serveAgentDoor(parts);
  t.after(() => door.stop(AbortSignal.abort()));
  return {
    socket,
    door,
    change(next: typeof start) {
      Object.assign(state, next);
      for (const changed of listeners) changed();
    },
  };
}

/** The status of a unary call. */
function statusOf(socket: string, path: string, metadata = workloadHeader()): Promise<number> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const bytes = (value: Buffer) => value;
  return new Promise<number>((resolve) => {
    client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), metadata, (fault) =>
      resolve(fault?.code ?? status.OK),
    );
  }).finally(() => client.close());
}

const refusedWith = (code: number) => (fault: ServiceError) => fault.code === code;

describe("the Workload API", () => {
  it("gives key, chain and bundle at once, and everything again at each change", async (t) => {
    const held = await newHeld();
    const { socket, change, door } = await openDoor(t, { held, bundle });
    const stream = openWorkloadStream(t, socket, "FetchX509SVID");
    const first = await stream.next();
    assert.equal(first.spiffeId, agentId.toString());
    assert.deepEqual(first.x509Svid, Buffer.concat(held.chain.map(({ der }) => der)));
    assert.deepEqual(first.key, held.privateKey.export({ type: "pkcs8", format: "der" }));
    assert.deepEqual(first.bundle, Buffer.from(renderBundleDer(bundle)));
    assert.deepEqual(door.standing(bundleVersion(bundle)), { waiting: 0, rejected: undefined });

    // What is the same is not sent again.
    change({});
    change({ bundle: both });
    const second = await stream.next();
    assert.deepEqual(second.bundle, Buffer.from(renderBundleDer(both)));
    const next = await newHeld();
    change({ held: next });
    assert.deepEqual((await stream.next()).x509Svid, Buffer.concat(next.chain.map(({ der }) => der)));
  });

  it("gives bundles under the ID of their trust domain", async (t) => {
    const { socket, change } = await openDoor(t, { held: await newHeld(), bundle });
    const stream = openWorkloadStream(t, socket, "FetchX509Bundles");
    const first = await stream.next();
    assert.deepEqual(
      [first.spiffeId, first.bundle],
      [`spiffe://${agentId.trustDomain}`, Buffer.from(renderBundleDer(bundle))],
    );
    change({ bundle: both });
    assert.deepEqual((await stream.next()).bundle, Buffer.from(renderBundleDer(both)));
  });

  it("wants the header, in lower case, with exactly the value `true`, once", async (t) => {
    const { socket } = await openDoor(t, { held: await newHeld(), bundle });
    for (const values of [[], ["True"], ["1"], ["true", "true"], ["true "].map((text) => `${text}x`)]) {
      const metadata = new Metadata();
      for (const value of values) metadata.add("workload.spiffe.io", value);
      const stream = openWorkloadStream(t, socket, "FetchX509SVID", metadata);
      await assert.rejects(stream.next(), refusedWith(status.INVALID_ARGUMENT), JSON.stringify(values));
      assert.equal(await statusOf(socket, "/SpiffeWorkloadAPI/FetchJWTSVID", metadata), status.INVALID_ARGUMENT);
    }
  });

  it("is UNAVAILABLE until a certificate was issued, and after it has ended", async (t) => {
    const { socket, change } = await openDoor(t);
    await assert.rejects(openWorkloadStream(t, socket, "FetchX509SVID").next(), refusedWith(status.UNAVAILABLE));
    await assert.rejects(openWorkloadStream(t, socket, "FetchX509Bundles").next(), refusedWith(status.UNAVAILABLE));
    change({ held: await newHeld({ notAfterMillis: Date.now() - 1_000 }), bundle });
    await assert.rejects(openWorkloadStream(t, socket, "FetchX509SVID").next(), refusedWith(status.UNAVAILABLE));
    change({ held: await newHeld() });
    assert.equal((await openWorkloadStream(t, socket, "FetchX509SVID").next()).spiffeId, agentId.toString());
  });

  it("is PERMISSION_DENIED while no registration gives the identity", async (t) => {
    const { socket } = await openDoor(t, { unregistered: true });
    await assert.rejects(openWorkloadStream(t, socket, "FetchX509SVID").next(), refusedWith(status.PERMISSION_DENIED));
  });

  it("is UNIMPLEMENTED for JWT-SVIDs and WIT-SVIDs", async (t) => {
    const { socket } = await openDoor(t, { held: await newHeld(), bundle });
    for (const method of ["FetchJWTBundles", "FetchWITSVID"] as const)
      await assert.rejects(openWorkloadStream(t, socket, method).next(), refusedWith(status.UNIMPLEMENTED), method);
    for (const method of ["FetchJWTSVID", "ValidateJWTSVID", "Nothing"])
      assert.equal(await statusOf(socket, `/SpiffeWorkloadAPI/${method}`), status.UNIMPLEMENTED, method);
  });

  it("tells streams to go when the door stops", async (t) => {
    const { socket, door } = await openDoor(t, { held: await newHeld(), bundle });
    const stream = openWorkloadStream(t, socket, "FetchX509SVID");
    await stream.next();
    const stopped = door.stop(AbortSignal.timeout(2_000));
    await assert.rejects(stream.next(), refusedWith(status.UNAVAILABLE));
    await stopped;
  });

  it("has a health check, and a socket with the mode that it was given", async (t) => {
    const { socket } = await openDoor(t);
    assert.equal(await statusOf(socket, "/grpc.health.v1.Health/Check", new Metadata()), status.OK);
    assert.equal((await stat(socket)).mode & 0o777, 0o640);
  });
});

it("a state folder that cannot be made is told", async (t) => {
  const folder = await tempFolder(t);
  const state = createStateFolder(join(folder, "\0"), agentId);
  await assert.rejects(state.load(), { code: "agent/state" });
});
