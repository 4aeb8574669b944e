import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import type { ChannelTls } from "#platform/grpc/client-contract";
import { grpcCodes } from "#platform/grpc/codes";
import type { StreamMethod, UnaryMethod } from "#platform/grpc/contract";
import { openChannel } from "#platform/grpc/open-channel";
import { type DoorCertificates, makeDoorCertificates } from "#test/support/ca/door-certificates";
import { followStream } from "#test/support/grpc/follow-stream";
import { openGrpcDoor } from "#test/support/grpc/open-door";
import { until } from "#test/support/until";

let made: DoorCertificates;
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "garita-channel-"));
  made = makeDoorCertificates(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const [unaryPath, streamPath] = ["/test.Echo/Unary", "/test.Echo/Stream"];
const echo: UnaryMethod = ({ message }) => ({ ok: true, message });
const echoStream: StreamMethod = (call) => ({
  message: (message) => void call.send(message),
  finished: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
});
const options = { metadata: {}, deadlineMillis: 10_000 };
const digest = (der: Uint8Array) => createHash("sha256").update(der).digest("hex");

async function opened(t: TestContext, method: UnaryMethod = echo) {
  return openGrpcDoor(
    t,
    { unary: new Map([[unaryPath, method]]), streams: new Map([[streamPath, echoStream]]) },
    { tls: made.server },
  );
}

function channelTo(t: TestContext, port: number, tls: Partial<ChannelTls> = {}) {
  const all: ChannelTls = {
    rootsPem: made.root,
    serverName: undefined,
    client: undefined,
    serverFault: () => undefined,
    ...tls,
  };
  const address = { kind: "tcp", host: "localhost", port } as const;
  const channel = openChannel({ address, tls: all, keepaliveMillis: 60_000 });
  t.after(() => channel.close());
  return channel;
}

test("a call brings its message, its metadata and the client's certificate", async (t) => {
  const seen: unknown[] = [];
  const { port, logged } = await opened(t, ({ message, headers, connection }) => {
    seen.push(headers("authorization"), connection.clientCertificates.map(digest));
    return { ok: true, message };
  });
  const leaf = made.leaf("a");
  const client = { certPem: leaf.cert + made.issuer, keyPem: leaf.key };
  const channel = channelTo(t, port, { client });
  const answer = await channel.call(unaryPath, Uint8Array.of(1, 2), {
    metadata: { authorization: "Bearer aSecret" },
    deadlineMillis: 10_000,
  });
  assert.ok(answer.ok);
  assert.deepEqual([...answer.message], [1, 2]);
  const chain = [leaf.cert, made.issuer].map((each) => digest(new X509Certificate(each).raw));
  assert.deepEqual(seen, [["Bearer aSecret"], chain]);
  assert.doesNotMatch(logged(), /aSecret/);
});

test("a status reaches the caller, its message as one line of 1 KiB at most", async (t) => {
  const { port } = await opened(t, () => ({
    ok: false,
    code: grpcCodes.permissionDenied,
    message: `no:\n${"é".repeat(2_000)}`,
  }));
  const answer = await channelTo(t, port).call(unaryPath, new Uint8Array(), options);
  assert.ok(!answer.ok);
  assert.equal(answer.end.code, 7);
  assert.match(answer.end.message, /^no: é+…$/);
  assert.ok(Buffer.byteLength(answer.end.message) <= 1024);
});

/** Servers that are not spoken to: the call is UNAVAILABLE, and the method never called. */
const strangers: readonly (readonly [title: string, tls: () => Partial<ChannelTls>, says: RegExp])[] = [
  ["another authority", () => ({ rootsPem: made.otherRoot }), /^unable to verify the first certificate/],
  [
    "another name",
    () => ({ serverName: "ca.example" }),
    /^the server's certificate is not for `ca\.example`, but for DNS:localhost, IP Address:127\.0\.0\.1$/,
  ],
  ["a leaf that is found at fault", () => ({ serverFault: () => "it is somebody else's" }), /^it is somebody else's$/],
];
for (const [title, tls, says] of strangers)
  test(`a server of ${title} is not spoken to`, async (t) => {
    let called = 0;
    const { port } = await opened(t, () => {
      called++;
      return { ok: true, message: new Uint8Array() };
    });
    const channel = channelTo(t, port, tls());
    const answer = await channel.call(unaryPath, new Uint8Array(), {
      metadata: { authorization: "Bearer aSecret" },
      deadlineMillis: 10_000,
    });
    assert.ok(!answer.ok);
    assert.equal(answer.end.code, 14);
    assert.match(answer.end.message, says);
    assert.equal((await followStream(channel, streamPath).ended).code, 14);
    assert.equal(called, 0);
  });

test("the leaf that is looked at is the server's", async (t) => {
  const { port } = await opened(t);
  const seen: string[] = [];
  const channel = channelTo(t, port, {
    serverName: "localhost",
    rootsPem: made.otherRoot + made.root,
    serverFault: (leafDer) => {
      seen.push(digest(leafDer));
      return undefined;
    },
  });
  assert.ok((await channel.call(unaryPath, new Uint8Array(), options)).ok);
  assert.deepEqual(seen, [digest(new X509Certificate(made.server.cert).raw)]);
});

test("without roots, or with a key of another certificate, nothing is opened", (t) => {
  const client = { certPem: made.leaf("a").cert, keyPem: made.leaf("b").key };
  for (const tls of [{ rootsPem: "" }, { rootsPem: "no certificate" }, { client }])
    assert.throws(() => channelTo(t, 1, tls), { code: "tls/unusable" });
});

test("nobody at the address: UNAVAILABLE at once, and served when somebody is", async (t) => {
  const path = join(folder, "late.sock");
  const channel = openChannel({ address: { kind: "unix", path }, tls: undefined, keepaliveMillis: 60_000 });
  t.after(() => channel.close());
  const before = await channel.call(unaryPath, new Uint8Array(), options);
  assert.ok(!before.ok);
  assert.deepEqual(before.end, { code: 14, message: `connect ENOENT ${path}` });
  await openGrpcDoor(t, { unary: new Map([[unaryPath, echo]]) }, { address: { kind: "unix", path } });
  await until(async () => (await channel.call(unaryPath, new Uint8Array(), options)).ok, "an answer");
});

test("a call whose time is up ends with DEADLINE_EXCEEDED", async (t) => {
  const { port } = await opened(t, () => new Promise(() => undefined));
  const answer = await channelTo(t, port).call(unaryPath, new Uint8Array(), { metadata: {}, deadlineMillis: 50 });
  assert.deepEqual(answer.ok || answer.end.code, 4);
});

test("a channel that is closed ends its calls", async (t) => {
  const { port } = await opened(t, () => new Promise(() => undefined));
  const channel = channelTo(t, port);
  const stream = followStream(channel, streamPath);
  stream.send(Uint8Array.of(1));
  await stream.next();
  const call = channel.call(unaryPath, new Uint8Array(), options);
  channel.close();
  assert.equal((await stream.ended).code, 1);
  const answer = await call;
  assert.ok(!answer.ok && (answer.end.code === 1 || answer.end.code === 14));
  // Nothing of it is an error afterwards.
  stream.send(Uint8Array.of(2));
  stream.cancel();
  assert.deepEqual(await channel.call(unaryPath, new Uint8Array(), options), {
    ok: false,
    end: { code: 14, message: "the channel is closed" },
  });
  assert.equal((await followStream(channel, streamPath).ended).code, 14);
});
