import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { defaultDoorLimits } from "#platform/door/door";
import { certificateRequest, createCertificatePath } from "#test/support/ca/agent-calls";
import { type DoorCertificates, makeDoorCertificates } from "#test/support/ca/door-certificates";
import { type DoorOptions, type OpenDoor, openDoor } from "#test/support/ca/doors";
import { endingOf, framed, openCall, pinged, rawCall, rawSession } from "#test/support/ca/raw-call";
import { createFakeTime } from "#test/support/keys/fake-time";
import { Random, testSeed } from "#test/support/random";
import { until } from "#test/support/until";

let made: DoorCertificates;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "garita-doors-"));
  made = makeDoorCertificates(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const KiB = 1024;
const message = certificateRequest("csr", 1);
const fit = framed(message);

function open(t: TestContext, options: DoorOptions = {}): Promise<OpenDoor> {
  return openDoor(t, "istio", { tls: made.server, ...options });
}

function session(t: TestContext, port: number): ClientHttp2Session {
  const opened = rawSession(port, { ca: made.root });
  t.after(() => opened.destroy());
  return opened;
}

/** The door is there, and serves as ever. */
async function assertServes(t: TestContext, port: number): Promise<void> {
  assert.equal((await rawCall(session(t, port), fit)).grpcStatus, "0");
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** A TLS connection whose handshake is done, to be written by hand. */
async function secured(t: TestContext, port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: "localhost", ca: made.root, ALPNProtocols: ["h2"] });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => undefined);
  socket.resume();
  return socket;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const settingsFrame = http2Frame(4, 0, 0, Buffer.alloc(0));
const cancel = Buffer.from([0, 0, 0, 8]);
/** RFC 7541: POST and https by their index, then :authority, :path and content-type as literals. */
const callFields = Buffer.concat([
  Buffer.from([0x83, 0x87, 0x01, 1, 0x61]),
  Buffer.from([0x04, createCertificatePath.length]),
  Buffer.from(createCertificatePath),
  Buffer.from([0x0f, 0x10, 16]),
  Buffer.from("application/grpc"),
]);

function http2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What is no call of ours: status of gRPC, or of HTTP where it is not gRPC at all. */
const calls: readonly (readonly [
  title: string,
  body: () => Buffer,
  headers: Record<string, string>,
  ending: string,
])[] = [
  ["a message of 64 KiB and a byte", () => framed(Buffer.alloc(64 * KiB + 1)), {}, "grpc 3"],
  ["a message of 10 MiB", () => framed(Buffer.alloc(10 * KiB * KiB)), {}, "grpc 3"],
  ["a message of 64 KiB of nothing", () => framed(Buffer.alloc(64 * KiB)), {}, "grpc 3"],
  ["no message", () => Buffer.alloc(0), {}, "grpc 3"],
  ["half a message", () => fit.subarray(0, 12), {}, "grpc 3"],
  ["two messages", () => Buffer.concat([fit, fit]), {}, "grpc 3"],
  ["a length of 4 GiB", () => Buffer.from("00ffffffff0a", "hex"), {}, "grpc 3"],
  ["garbage", () => framed(Buffer.from("ffffffffffffffff", "hex")), {}, "grpc 3"],
  [
    "gzip",
    () => Buffer.concat([Buffer.from([1]), framed(gzipSync(message)).subarray(1)]),
    { "grpc-encoding": "gzip" },
    "grpc 12",
  ],
  ["another method", () => fit, { ":path": "/istio.v1.auth.IstioCertificateService/Other" }, "grpc 12"],
  ["a path like what objects have", () => fit, { ":path": "/__proto__" }, "grpc 12"],
  ["another content type", () => fit, { "content-type": "application/json" }, "http 415"],
  ["a content type that begins alike", () => fit, { "content-type": "application/grpcx" }, "http 415"],
  ["a GET", () => Buffer.alloc(0), { ":method": "GET" }, "http 405"],
  ["a deadline that has passed", () => fit, { "grpc-timeout": "1n" }, "grpc 0"],
  ["a deadline that is none", () => fit, { "grpc-timeout": "soon" }, "grpc 0"],
  ["20 KiB of authorization", () => fit, { authorization: `Bearer ${"a".repeat(20 * KiB)}` }, "grpc 16"],
  ["33 KiB of fields", () => fit, { "x-a": "a".repeat(33 * KiB) }, "reset 11"],
  ["300 fields", () => fit, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-${i}`, "a"])), "reset 11"],
];

for (const [title, body, headers, expected] of calls) {
  test(`${title}: ${expected}, and the next call of the connection is served`, async (t) => {
    const { port, asked } = await open(t);
    const opened = session(t, port);
    // A limit is ours when the client has heard that we know its own.
    await rawCall(opened, fit);
    const ending = await rawCall(opened, body(), headers);
    const seen =
      ending.grpcStatus !== undefined
        ? `grpc ${ending.grpcStatus}`
        : ending.status !== undefined
          ? `http ${ending.status}`
          : `reset ${ending.reset}`;
    assert.equal(seen, expected);
    assert.equal((await rawCall(opened, fit)).grpcStatus, "0");
    assert.equal(asked.length, expected === "grpc 0" ? 3 : 2);
  });
}

test("fields of 300 KiB end their connection alone", async (t) => {
  const { port } = await open(t);
  const ending = await rawCall(session(t, port), fit, { "x-a": "a".repeat(300 * KiB) });
  assert.deepEqual([ending.status, ending.grpcStatus], [undefined, undefined]);
  await assertServes(t, port);
});

test("a message that does not come to its end is given up: UNAVAILABLE", async (t) => {
  const time = createFakeTime();
  const { port, asked } = await open(t, { timers: time });
  const opened = session(t, port);
  const streams = Array.from({ length: 20 }, (_, i) => {
    const stream = openCall(opened);
    if (i % 2 === 0) stream.write(fit.subarray(0, 1 + i));
    return endingOf(stream);
  });
  await pinged(opened);
  await time.advance(defaultDoorLimits.requestMillis);
  for (const { grpcStatus, reset } of await Promise.all(streams)) assert.deepEqual([grpcStatus, reset], ["14", 0]);
  assert.equal(asked.length, 0);
  assert.equal((await rawCall(opened, fit)).grpcStatus, "0");
});

test("calls that are begun and not ended take no more room than there is for all connections together, and give it back", async (t) => {
  const { port } = await open(t, { limits: { callBytes: 128 * KiB } });
  const other = session(t, port);
  const fields = { "x-large": "a".repeat(30 * KiB) };
  const answeredWith = async (status: string) => {
    let ending = await rawCall(other, fit, fields);
    while (ending.grpcStatus !== status) ending = await rawCall(other, fit, fields);
    assert.equal((await rawCall(other, fit)).grpcStatus, "0");
  };
  await answeredWith("0");
  const sessions = [session(t, port), session(t, port)];
  // Whichever comes when there is no room is refused: these come again until they are in.
  const hold = (one: ClientHttp2Session) => {
    const stream = openCall(one);
    stream.write(Buffer.alloc(60 * KiB));
    stream.once("close", () => {
      if (!one.destroyed) hold(one);
    });
  };
  for (const one of sessions) hold(one);
  await answeredWith("8");
  for (const one of sessions) one.destroy();
  await answeredWith("0");
});

test("a client that goes away in the middle leaves the others alone", async (t) => {
  const release = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  let entered = 0;
  const { port, logged } = await open(t, {
    answer: async () => {
      if (++entered === 20) inside.resolve();
      await release.promise;
      return { ok: false, code: "csr/pem", explanationId: "A", retryAfterMillis: undefined };
    },
  });
  const [leaving, staying] = [session(t, port), session(t, port)];
  const gone = Array.from({ length: 10 }, () => rawCall(leaving, fit));
  const kept = Array.from({ length: 10 }, () => rawCall(staying, fit));
  await inside.promise;
  leaving.socket.destroy();
  await Promise.all(gone);
  release.resolve();
  for (const { grpcStatus } of await Promise.all(kept)) assert.equal(grpcStatus, "3");
  await assertServes(t, port).catch(() => undefined);
  assert.doesNotMatch(logged(), /"level":"error"/);
});

test("more streams than a connection may have are refused, and none is lost", async (t) => {
  const { port } = await open(t);
  const opened = session(t, port);
  await rawCall(opened, fit);
  const endings = await Promise.all(Array.from({ length: 500 }, () => rawCall(opened, fit)));
  // Node's client waits for a stream to be free: the server's limit reached it.
  assert.equal(opened.remoteSettings.maxConcurrentStreams, 100);
  assert.ok(endings.every(({ grpcStatus }) => grpcStatus === "0"));
});

test("a flood of resets ends its connection alone", async (t) => {
  const { port } = await open(t);
  const bystander = session(t, port);
  await rawCall(bystander, fit);
  const flooding = await secured(t, port);
  flooding.write(Buffer.concat([preface, settingsFrame]));
  // As many as a client may send in ten minutes, at once.
  for (let id = 1; id < 120_000; id += 2) {
    if (flooding.destroyed) break;
    const went = flooding.write(Buffer.concat([http2Frame(1, 4, id, callFields), http2Frame(3, 0, id, cancel)]));
    if (!went) await Promise.race([once(flooding, "drain"), closed(flooding)]);
  }
  await closed(flooding);
  assert.equal((await rawCall(bystander, fit)).grpcStatus, "0");
});

test("garbage instead of HTTP/2 ends its connection alone", async (t) => {
  const { port, asked } = await open(t);
  const random = new Random(testSeed("garbage"));
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const socket = await secured(t, port);
      const noise = Buffer.from(Array.from({ length: 1 + random.below(2000) }, () => random.below(256)));
      const head = [[], [preface], [preface, settingsFrame], [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]][
        i % 4
      ]!;
      socket.write(Buffer.concat([...head, noise]), () => {
        if (i % 3 === 0) socket.destroy();
        // A frame that was begun may be waited for: nobody stays so long.
        else socket.destroySoon();
      });
      await closed(socket);
    }),
  );
  assert.equal(asked.length, 0);
  await assertServes(t, port);
});

test("handshakes that are begun and not finished are ended", async (t) => {
  const { port } = await open(t, { limits: { handshakeMillis: 1_000 } });
  const sockets = Array.from({ length: 50 }, (_, i) => {
    const socket = connectTcp(port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.resume();
    // The first bytes of a ClientHello, or nothing at all.
    if (i % 2 === 0) socket.write(Buffer.from("1603010200010001fc0303", "hex"));
    return socket;
  });
  await Promise.all(sockets.map(closed));
  await assertServes(t, port);
});

test("two hundred connections that say nothing leave room for who does, and are ended when they do not answer", async (t) => {
  const time = createFakeTime();
  const { port } = await open(t, { timers: time });
  const sockets = await Promise.all(Array.from({ length: 200 }, () => secured(t, port)));
  await assertServes(t, port);
  await until(async () => {
    await time.advance(defaultDoorLimits.keepaliveMillis);
    return sockets.every((socket) => socket.closed);
  });
});

test("a client that answers pings stays, and may ping as well", async (t) => {
  const time = createFakeTime();
  const { port } = await open(t, { timers: time });
  const opened = session(t, port);
  await once(opened, "remoteSettings");
  for (let i = 0; i < 10; i++) {
    const asked = once(opened, "ping");
    await time.advance(defaultDoorLimits.keepaliveMillis);
    await asked;
    await pinged(opened);
  }
  assert.equal((await rawCall(opened, fit)).grpcStatus, "0");
});

test("more connections than the door bears are refused, and the others served", async (t) => {
  const { port, logged } = await open(t, { limits: { connections: 5 } });
  const sockets = await Promise.all(Array.from({ length: 4 }, () => secured(t, port)));
  const opened = session(t, port);
  assert.equal((await rawCall(opened, fit)).grpcStatus, "0");
  const late = connectTcp(port, "127.0.0.1");
  late.on("error", () => undefined);
  late.resume();
  await closed(late);
  assert.match(logged(), /there are too many/);
  assert.equal((await rawCall(opened, fit)).grpcStatus, "0");
  assert.ok(sockets.every((socket) => !socket.destroyed));
});
