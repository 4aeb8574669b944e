import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { connect } from "node:http2";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import type { CallMetadata, CheckOutcome, GrpcCheck } from "#authz/check/contract";
import type { Health } from "#authz/transport/grpc/health";
import { type GrpcListenerStart, serveGrpc } from "#authz/transport/grpc/serve";
import { loadTlsMaterial } from "#platform/tls-material";
import { createAuthority } from "#test/support/service/certificates";
import { allowBytes, allowingGrpc, fakeRecord } from "#test/support/service/fake-checks";
import { bytesClient, checkPath, healthPath } from "#test/support/service/grpc-client";
import { listenerSettings, listenerStart } from "#test/support/service/listener-start";
import { tempFolder } from "#test/support/service/temp-folder";

const denial = Buffer.from("0a020807" + "12050a03089303", "hex");

function switchableHealth(): Health & { set(serving: boolean): void } {
  let serving = true;
  const listeners = new Set<() => void>();
  return {
    serving: () => serving,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      serving = next;
      for (const listener of listeners) listener();
    },
  };
}

async function served(t: TestContext, more: Partial<GrpcListenerStart> = {}) {
  const { start, records, logged } = listenerStart("grpc", more);
  const health = switchableHealth();
  const listener = await serveGrpc({ ...start, check: allowingGrpc, health, ...more });
  t.after(() => listener.stop(AbortSignal.abort()));
  return { listener, records, logged, health, reasons: () => records.map(({ decision }) => decision.reason) };
}

test("bytes and metadata reach the check as they were sent, its bytes go back", async (t) => {
  const message = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
  let seen: { bytes: Uint8Array; metadata: CallMetadata } | undefined;
  const check: GrpcCheck = (bytes, metadata, listener) => {
    seen = { bytes: Uint8Array.from(bytes), metadata };
    return { response: allowBytes, record: fakeRecord(listener, "allow") };
  };
  const { listener, reasons } = await served(t, { check });
  const client = bytesClient(listener.address);
  t.after(() => client.close());
  const metadata = new Metadata();
  metadata.add("x-garita-peer", "[10.0.0.1]");
  metadata.add("x-two", "a");
  metadata.add("x-two", "b");
  metadata.add("x-bin", Buffer.from([1, 2]));
  assert.deepEqual(new Uint8Array(await client.call(checkPath, message, metadata)), allowBytes);
  assert.deepEqual(seen?.bytes, message);
  assert.deepEqual(seen?.metadata.get("x-garita-peer"), ["[10.0.0.1]"]);
  assert.deepEqual(seen?.metadata.get("x-two").join().replaceAll(" ", ""), "a,b");
  assert.deepEqual(seen?.metadata.get("x-none"), []);
  assert.deepEqual(seen?.metadata.get("x-bin"), []);
  assert.deepEqual(reasons(), ["policy/allowed"]);
});

test("a check that throws, rejects or misses its deadline is a denial, never a gRPC error", async (t) => {
  const never = new Promise<CheckOutcome>(() => undefined);
  const checks: readonly (readonly [check: GrpcCheck, reason: string])[] = [
    [
      () => {
        throw new Error("defect");
      },
      "internal/defect",
    ],
    [() => Promise.reject(new Error("defect")), "internal/defect"],
    [() => never, "request/deadline"],
  ];
  for (const [check, reason] of checks) {
    const settings = listenerSettings("grpc", { deadlineMillis: 5 });
    const { listener, reasons } = await served(t, { check, settings });
    const client = bytesClient(listener.address);
    t.after(() => client.close());
    assert.deepEqual(await client.call(checkPath, new Uint8Array()), denial);
    assert.deepEqual(reasons(), [reason]);
  }
});

test("the call's own deadline is answered before it passes", async (t) => {
  const { listener, reasons } = await served(t, {
    check: () => new Promise(() => undefined),
    settings: listenerSettings("grpc", { deadlineMillis: 600_000 }),
  });
  const client = bytesClient(listener.address);
  t.after(() => client.close());
  assert.deepEqual(await client.call(checkPath, new Uint8Array(), undefined, 2_000), denial);
  assert.deepEqual(reasons(), ["request/deadline"]);
});

test("an observer that fails changes no answer", async (t) => {
  const { listener, logged } = await served(t, {
    observe() {
      throw new Error("full");
    },
  });
  const client = bytesClient(listener.address);
  t.after(() => client.close());
  assert.deepEqual(new Uint8Array(await client.call(checkPath, new Uint8Array())), allowBytes);
  assert.match(logged(), /could not be recorded/);
});

test("a message above 32 MiB is a denial; unknown methods and other media types are refused by the transport", async (t) => {
  const { listener } = await served(t);
  const client = bytesClient(listener.address, credentials.createInsecure(), { "grpc.max_send_message_length": -1 });
  t.after(() => client.close());
  const large = new Uint8Array(32 * 1024 * 1024 + 1);
  assert.deepEqual(await client.call(checkPath, large), denial);
  const fits = await client.call(checkPath, large.subarray(0, 32 * 1024 * 1024));
  assert.deepEqual(new Uint8Array(fits), allowBytes);
  await assert.rejects(client.call("/a.B/C", new Uint8Array()), { code: status.UNIMPLEMENTED });
  assert.ok(listener.address.kind === "tcp");
  const session = connect(`http://127.0.0.1:${listener.address.port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": checkPath, "content-type": "text/plain" });
  const code = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  assert.equal(code, 415);
});

test("health answers as the ready-made client reads it, and follows changes", async (t) => {
  const { listener, health } = await served(t);
  const client = bytesClient(listener.address);
  t.after(() => client.close());
  const { requestSerialize, responseDeserialize } = healthService["Check"]!;
  const ask = async (name: string) =>
    responseDeserialize(await client.call(healthPath, requestSerialize({ service: name }))) as { status: string };
  for (const name of ["", "envoy.service.auth.v3.Authorization"]) assert.equal((await ask(name)).status, "SERVING");
  await assert.rejects(ask("other"), { code: status.NOT_FOUND });
  await assert.rejects(client.call(healthPath, Uint8Array.from([0x0a, 0x7f, 0x41])), { code: status.INVALID_ARGUMENT });
  health.set(false);
  assert.equal((await ask("")).status, "NOT_SERVING");
});

test("a Unix socket has the mode it is given, replaces a dead one and is gone afterwards", async (t) => {
  const path = join(await tempFolder(t), "g.sock");
  const address = { kind: "unix", path } as const;
  const { listener } = await served(t, { address, unixMode: 0o600 });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const client = bytesClient(address);
  t.after(() => client.close());
  assert.deepEqual(new Uint8Array(await client.call(checkPath, new Uint8Array())), allowBytes);
  await assert.rejects(served(t, { address }), { code: "listen/failed" });
  client.close();
  await listener.stop(new AbortController().signal);
  await assert.rejects(stat(path), { code: "ENOENT" });
});

test("mutual TLS lets in who is allowed by name, and nobody else", async (t) => {
  const folder = await tempFolder(t);
  const authority = createAuthority(folder, "ca");
  const stranger = createAuthority(folder, "stranger");
  const server = authority.issue("server", "DNS:localhost");
  const good = authority.issue("good", "DNS:x.example,URI:spiffe://example.org/ns/edge/sa/envoy");
  const tls = await loadTlsMaterial({
    certificateFile: server.certificateFile,
    keyFile: server.keyFile,
    clientCaFile: authority.caFile,
    allowedClients: ["spiffe://example.org/ns/edge/sa/envoy"],
  });
  const { listener, logged, records } = await served(t, { tls });
  const call = async (key: Buffer | null, cert: Buffer | null) => {
    const client = bytesClient(listener.address, credentials.createSsl(authority.ca, key, cert));
    try {
      return new Uint8Array(await client.call(checkPath, new Uint8Array(), undefined, 5_000));
    } finally {
      client.close();
    }
  };
  assert.deepEqual(await call(good.key, good.cert), allowBytes);
  const others = [
    authority.issue("near", "URI:spiffe://example.org/ns/edge/sa/envoy2"),
    authority.issue("dns", "DNS:spiffe.example.org"),
    stranger.issue("forged", "URI:spiffe://example.org/ns/edge/sa/envoy"),
  ];
  for (const { key, cert } of others) await assert.rejects(call(key, cert), { code: status.UNAVAILABLE });
  await assert.rejects(call(null, null), { code: status.UNAVAILABLE });
  const plain = bytesClient(listener.address);
  t.after(() => plain.close());
  await assert.rejects(plain.call(checkPath, new Uint8Array(), undefined, 5_000), { code: status.UNAVAILABLE });
  assert.equal(records.length, 1);
  assert.match(logged(), /spiffe:\/\/example\.org\/ns\/edge\/sa\/envoy2/);
});

test("another certificate is used from the next connection on", async (t) => {
  const folder = await tempFolder(t);
  const [old, next] = [createAuthority(folder, "old"), createAuthority(folder, "next")];
  const material = (authority: typeof old, name: string) => {
    const { certificateFile, keyFile } = authority.issue(name, "DNS:localhost");
    return loadTlsMaterial({ certificateFile, keyFile });
  };
  const { listener } = await served(t, { tls: await material(old, "one") });
  const first = bytesClient(listener.address, credentials.createSsl(old.ca));
  t.after(() => first.close());
  await first.call(checkPath, new Uint8Array());
  listener.update(listenerSettings("grpc"), await material(next, "two"));
  await first.call(checkPath, new Uint8Array());
  const second = bytesClient(listener.address, credentials.createSsl(next.ca));
  t.after(() => second.close());
  await second.call(checkPath, new Uint8Array());
});

test("settings change from the next request on", async (t) => {
  const seen: string[] = [];
  const check: GrpcCheck = (_bytes, _metadata, listener) => {
    seen.push(String(listener.peerIdentity));
    return { response: allowBytes, record: fakeRecord(listener, "allow") };
  };
  const { listener } = await served(t, { check });
  const client = bytesClient(listener.address);
  t.after(() => client.close());
  await client.call(checkPath, new Uint8Array());
  listener.update(listenerSettings("grpc", { peerIdentity: "none" }), undefined);
  await client.call(checkPath, new Uint8Array());
  assert.deepEqual(seen, ["verified", "none"]);
});

test("running checks are finished when the listener stops; those that never end are cut off at the deadline", async (t) => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let count = 0;
  const { listener } = await served(t, {
    check: async (bytes, _metadata, settings) => {
      if (++count === 2) asked.resolve();
      await (bytes.length === 0 ? release.promise : new Promise(() => undefined));
      return { response: allowBytes, record: fakeRecord(settings, "allow") };
    },
    settings: listenerSettings("grpc", { deadlineMillis: 600_000 }),
  });
  const [one, two] = [
    bytesClient(listener.address),
    bytesClient(listener.address, undefined, { "grpc.use_local_subchannel_pool": 1 }),
  ];
  t.after(() => one.close());
  t.after(() => two.close());
  const finished = one.call(checkPath, new Uint8Array());
  const cut = two.call(checkPath, Uint8Array.from([1]));
  cut.catch(() => undefined);
  await asked.promise;
  const deadline = new AbortController();
  const stopped = listener.stop(deadline.signal);
  release.resolve();
  assert.deepEqual(new Uint8Array(await finished), allowBytes);
  deadline.abort();
  await stopped;
  await assert.rejects(cut);
});

test("reflection tells the services that are served, their definitions with what they import, and nothing else", async (t) => {
  const { listener } = await served(t);
  const address = listener.address;
  assert.ok(address.kind === "tcp");
  for (const version of ["v1", "v1alpha"]) {
    const client = new Client(`localhost:${address.port}`, credentials.createInsecure());
    t.after(() => client.close());
    const ask = (request: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
        const stream = client.makeBidiStreamRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
        );
        stream.on("data", resolve);
        stream.on("error", reject);
        stream.write(request);
        stream.end();
      });
    const field = (number: number, text: string) =>
      Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);
    const list = (await ask(field(7, "*"))).toString("latin1");
    assert.match(list, /envoy\.service\.auth\.v3\.Authorization/);
    assert.match(list, /grpc\.health\.v1\.Health/);
    assert.doesNotMatch(list, /discovery/);
    const definition = (await ask(field(4, "envoy.service.auth.v3.Authorization"))).toString("latin1");
    assert.match(definition, /envoy\/service\/auth\/v3\/external_auth\.proto/);
    const foreign = (await ask(field(4, "envoy.service.discovery.v3.AggregatedDiscoveryService"))).toString("latin1");
    assert.match(foreign, /not found/i);
    await assert.rejects(ask(Buffer.from([0x3f])), { code: status.INVALID_ARGUMENT });
  }
});
