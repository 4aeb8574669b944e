import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from "node:tls";
import { serveGrpc } from "#authz/transport/grpc/serve";
import { serveHttp } from "#authz/transport/http/serve";
import type { Listener, ListenerStart } from "#authz/transport/listener";
import { loadTlsMaterial } from "#platform/tls-material";
import { Random, testSeed } from "#test/support/random";
import { createAuthority } from "#test/support/service/certificates";
import { allowingGrpc, tellingHttp } from "#test/support/service/fake-checks";
import { listenerStart } from "#test/support/service/listener-start";
import { tempFolder } from "#test/support/service/temp-folder";

const health = { serving: () => true, onChange: () => () => undefined };

const doors: readonly (readonly [
  name: "grpc" | "http",
  alpn: string,
  serve: (start: ListenerStart) => Promise<Listener>,
])[] = [
  ["grpc", "h2", (start) => serveGrpc({ ...start, check: allowingGrpc, health })],
  ["http", "http/1.1", (start) => serveHttp({ ...start, check: tellingHttp })],
];

async function material(t: TestContext) {
  const folder = await tempFolder(t);
  const [ours, theirs] = [createAuthority(folder, "ours"), createAuthority(folder, "theirs")];
  const server = ours.issue("server", "DNS:localhost");
  const load = (clientCaFile: string) =>
    loadTlsMaterial({ ...server, clientCaFile, allowedClients: ["spiffe://a/envoy", "envoy.example"] });
  return { ours, theirs, load, tls: await load(ours.caFile) };
}

/** Connects, says something, and tells whether the other side ever answered. */
async function isServed(t: TestContext, listener: Listener, alpn: string, options: ConnectionOptions) {
  assert.ok(listener.address.kind === "tcp");
  const { host, port } = listener.address;
  const socket: TLSSocket = tlsConnect({ host, port, rejectUnauthorized: false, ALPNProtocols: [alpn], ...options });
  t.after(() => socket.destroy());
  let session: Buffer | undefined;
  socket.on("session", (next: Buffer) => {
    session = next;
  });
  socket.on("error", () => undefined);
  socket.on("secureConnect", () => socket.write(alpn === "h2" ? preface : "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const served = await new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
  const resumed = socket.isSessionReused();
  socket.destroy();
  return { served, session, resumed };
}

const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

for (const [name, alpn, serve] of doors) {
  test(`${name}: only clients with a name that is allowed, of our authority, are served`, async (t) => {
    const { ours, theirs, tls } = await material(t);
    const listener = await serve({ ...listenerStart(name).start, tls });
    t.after(() => listener.stop(AbortSignal.abort()));
    const served = async (options: ConnectionOptions) => (await isServed(t, listener, alpn, options)).served;
    assert.equal(await served(ours.issue("uri", "URI:spiffe://a/envoy")), true);
    assert.equal(await served(ours.issue("dns", "DNS:envoy.example")), true);
    assert.equal(await served({}), false);
    assert.equal(await served(theirs.issue("foreign", "URI:spiffe://a/envoy")), false);
    for (const [i, names] of [
      "URI:spiffe://a/other",
      "URI:spiffe://a/envoy/x",
      "URI:SPIFFE://a/envoy",
      "DNS:x.envoy.example",
      "email:envoy.example@x",
    ].entries()) {
      assert.equal(await served(ours.issue(`odd${i}`, names)), false, names);
    }
  });

  test(`${name}: a session of a client is not resumed after its authority or its name was taken away`, async (t) => {
    const { ours, theirs, load, tls } = await material(t);
    const { start } = listenerStart(name);
    const listener = await serve({ ...start, tls });
    t.after(() => listener.stop(AbortSignal.abort()));
    const client = ours.issue("client", "URI:spiffe://a/envoy");
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const options: ConnectionOptions = { ...client, minVersion: version, maxVersion: version };
      listener.update(start.settings, tls);
      const first = await isServed(t, listener, alpn, options);
      assert.ok(first.served && first.session !== undefined, version);
      const again = await isServed(t, listener, alpn, { ...options, session: first.session });
      assert.equal(again.served, true, version);
      listener.update(start.settings, await load(theirs.caFile));
      assert.equal((await isServed(t, listener, alpn, { ...options, session: first.session })).served, false, version);
      listener.update(start.settings, { ...tls, allowedClients: new Set(["spiffe://a/other"]) });
      assert.equal((await isServed(t, listener, alpn, { ...options, session: first.session })).served, false, version);
    }
  });

  test(`${name}: garbage instead of a handshake ends its connection alone`, async (t) => {
    const { ours, tls } = await material(t);
    const listener = await serve({ ...listenerStart(name).start, tls });
    t.after(() => listener.stop(AbortSignal.abort()));
    assert.ok(listener.address.kind === "tcp");
    const { host, port } = listener.address;
    const random = new Random(testSeed("garbage"));
    for (let i = 0; i < 60; i++) {
      const noise = Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
      const socket = connect(port, host);
      socket.on("error", () => undefined);
      socket.resume();
      const closed = new Promise((resolve) => socket.once("close", resolve));
      const head = random.pick(["", "160301", "1603010200010001fc0303", "150301000202", "504f5354202f"]);
      // A handshake that was begun is waited for, for ten seconds: nobody stays so long.
      socket.write(Buffer.concat([Buffer.from(head, "hex"), noise]), () => {
        if (i % 3 === 0) socket.resetAndDestroy();
        else socket.destroySoon();
      });
      await closed;
    }
    const client = ours.issue("client", "URI:spiffe://a/envoy");
    assert.equal((await isServed(t, listener, alpn, client)).served, true);
  });
}
