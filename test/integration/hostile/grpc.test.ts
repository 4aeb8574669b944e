import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { type CheckInput, seeAnswer } from "#test/support/check/check-message";
import { type ChildService, startChild } from "#test/support/hostile/child-service";
import {
  call,
  type Ending,
  endingOf,
  frame,
  openCall,
  openSession,
  shopMessage,
} from "#test/support/hostile/grpc-frames";
import { assertSteady } from "#test/support/hostile/steady";
import { Random, testSeed } from "#test/support/random";
import { until } from "#test/support/until";

const MiB = 1024 * 1024;
const ok = shopMessage({ path: "/ok" });

let service: ChildService;
before(async () => {
  service = await startChild();
});
after(async () => {
  assert.equal(service.ended(), undefined);
  assert.equal(await service.stop(), 0);
});

function open() {
  return openSession(service.address("grpc"));
}

/** The call was answered: `allow`, or a denial with its reason. Anything else is a failed call. */
function answered(ending: Ending): string {
  assert.ok(ending.message !== undefined, `failed: grpc-status ${ending.grpcStatus}, reset ${ending.reset}`);
  assert.equal(ending.grpcStatus, "0");
  const { allowed, metadata } = seeAnswer(ending.message);
  return allowed ? "allow" : String(metadata["reason"]);
}

/** The service is there, and decides as ever. */
async function assertAlive(): Promise<void> {
  assert.equal(service.ended(), undefined);
  const session = open();
  assert.equal(answered(await call(session, frame(ok))), "allow");
  assert.equal(answered(await call(session, frame(shopMessage({ path: "/ok/admin" })))), "policy/denied");
  session.destroy();
}

async function ask(message: Uint8Array, headers?: Readonly<Record<string, string | string[]>>): Promise<string> {
  const session = open();
  const ending = await call(session, frame(message), headers);
  session.destroy();
  return answered(ending);
}

/** Field 11 (`metadata_context`) of the attributes, with structs in structs: deeper than a parser may follow. */
function deepMetadata(depth: number): Uint8Array {
  const wrap = (tag: number, body: Uint8Array): Buffer => {
    let length = body.length;
    const head = [tag];
    for (; length >= 0x80; length >>>= 7) head.push((length & 0x7f) | 0x80);
    return Buffer.concat([Buffer.from([...head, length]), body]);
  };
  let value: Buffer = Buffer.from([0x1a, 0x01, 0x78]);
  for (let i = 0; i < depth; i++) value = wrap(0x2a, wrap(0x0a, wrap(0x12, value)));
  return wrap(0x0a, wrap(0x5a, wrap(0x0a, wrap(0x12, wrap(0x0a, wrap(0x12, value))))));
}

/** Whatever reaches the service as a message is decided: with the text of the answer. */
const messages: readonly (readonly [title: string, message: () => Uint8Array, answer: string])[] = [
  ["an empty message", () => new Uint8Array(), "workload/unknown"],
  ["a message of 16 MiB and a byte", () => Buffer.alloc(16 * MiB + 1), "request/too-large"],
  ["zeros as long as the limit", () => Buffer.alloc(16 * MiB), "request/unreadable"],
  ["a message just below the transport's own limit", () => Buffer.alloc(32 * MiB - 1, 0xff), "request/too-large"],
  ["a body of 15 MiB", () => Buffer.concat([ok, unknownField(15 * MiB)]), "allow"],
  ["a cut message", () => ok.subarray(0, ok.length - 3), "request/unreadable"],
  ["a hundred structs in each other", () => Buffer.concat([ok, deepMetadata(100)]), "request/unreadable"],
  ["three thousand structs in each other", () => Buffer.concat([ok, deepMetadata(3_000)]), "request/unreadable"],
  ["nine structs in each other", () => Buffer.concat([ok, deepMetadata(9)]), "allow"],
  ["10,000 headers", () => shopMessage({ path: "/ok", headers: lines(10_000) }), "allow"],
  ["10,000 headers, joined", () => shopMessage({ path: "/ok", headers: lines(10_000), joined: true }), "allow"],
  ["70,000 headers", () => shopMessage({ path: "/ok", headers: lines(70_000) }), "request/unreadable"],
  ["a header of 4 MiB", () => shopMessage({ path: "/ok", headers: [["x-role", "a".repeat(4 * MiB)]] }), "allow"],
  ["10,000 of our own headers", () => shopMessage({ path: "/ok", headers: ours(10_000) }), "allow"],
  ["bytes that are no UTF-8", () => shopMessage({ path: "/ok", headers: [["x-a", "\xff\xfe\xc0\x80"]] }), "allow"],
  ["a path that is no UTF-8", () => shopMessage({ path: "/ok/\xff\xfe" }), "allow"],
  ["a NUL in the path", () => shopMessage({ path: "/ok/\0" }), "path/invalid"],
  ["an escaped NUL", () => shopMessage({ path: "/ok/%00" }), "path/invalid"],
  ["a NUL in a header", () => shopMessage({ path: "/ok", headers: [["x-role", "guest\0"]] }), "allow"],
  ["a path of 4 MiB", () => shopMessage({ path: `/${"a/../".repeat(800_000)}ok` }), "allow"],
  ["a path of 100 KB that normalises", () => shopMessage({ path: `/${"a/../".repeat(20_000)}ok` }), "allow"],
  ["no path", () => shopMessage({ path: "" }), "path/invalid"],
  ["no host", () => shopMessage({ path: "/ok", host: null }), "request/unreadable"],
  ["a CONNECT without a path", () => shopMessage({ method: "CONNECT", path: "", host: "a:1" }), "request/unreadable"],
  ["a CONNECT with a path", () => shopMessage({ method: "CONNECT", path: "/ok" }), "request/unreadable"],
  ["a method of 1 MiB", () => shopMessage({ method: "G".repeat(MiB), path: "/ok" }), "request/unreadable"],
  [
    "labels named after what every object has",
    () => shopMessage({ path: "/ok", extensions: { "garita.dev/labels": '{"__proto__":"x","constructor":"y"}' } }),
    "allow",
  ],
  [
    "labels that are no texts",
    () => shopMessage({ path: "/ok", extensions: { "garita.dev/labels": '{"__proto__":{"app":"web"}}' } }),
    "workload/incomplete",
  ],
  [
    "headers named after what every object has",
    () =>
      shopMessage({
        path: "/roles",
        headers: [
          ["__proto__", "admin"],
          ["constructor", "admin"],
        ],
      }),
    "policy/not-allowed",
  ],
];

function lines(count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`x-${i}`, "v"]);
}

function ours(count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`x-garita-${i}`, "v"]);
}

/** A field that no message has, of so many bytes. */
function unknownField(sizeBytes: number): Buffer {
  const varint: number[] = [];
  let rest = sizeBytes;
  for (; rest >= 0x80; rest >>>= 7) varint.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([0xfa, 0x01, ...varint, rest]), Buffer.alloc(sizeBytes)]);
}

for (const [title, message, expected] of messages) {
  test(`${title}: ${expected}`, async () => {
    assert.equal(await ask(message()), expected);
    await assertAlive();
  });
}

/** What can be inside of a frame, and is a message all the same. */
const frames: readonly (readonly [
  title: string,
  body: () => Buffer,
  headers: Record<string, string>,
  answer: string,
])[] = [
  ["gzip", () => frame(gzipSync(ok), 1), { "grpc-encoding": "gzip" }, "allow"],
  ["deflate", () => frame(deflateSync(ok), 1), { "grpc-encoding": "deflate" }, "allow"],
  [
    "31 MiB, compressed",
    () => frame(gzipSync(Buffer.alloc(31 * MiB)), 1),
    { "grpc-encoding": "gzip" },
    "request/too-large",
  ],
  ["an announced encoding that is not used", () => frame(ok), { "grpc-encoding": "br" }, "allow"],
  ["a deadline that has passed", () => frame(ok), { "grpc-timeout": "1n" }, "allow"],
  ["a deadline that is none", () => frame(ok), { "grpc-timeout": "soon" }, "allow"],
];

for (const [title, body, headers, expected] of frames) {
  test(`${title}: ${expected}`, async () => {
    const session = open();
    assert.equal(answered(await call(session, body(), headers)), expected);
    session.destroy();
  });
}

/** What is no message that could be decided on is answered all the same, with a denial: a failed call is subject to the proxy's fail-open. */
const unreadable: readonly (readonly [
  title: string,
  body: () => Buffer,
  headers: Record<string, string>,
  reason: string,
])[] = [
  ["a message above 32 MiB", () => frame(Buffer.alloc(32 * MiB + 1)), {}, "request/too-large"],
  [
    "a message that unpacks to 256 MiB",
    () => frame(gzipSync(Buffer.alloc(256 * MiB)), 1),
    { "grpc-encoding": "gzip" },
    "request/too-large",
  ],
  ["a broken gzip", () => frame(ok, 1), { "grpc-encoding": "gzip" }, "request/unreadable"],
  ["half a gzip", () => frame(gzipSync(ok).subarray(0, 30), 1), { "grpc-encoding": "gzip" }, "request/unreadable"],
  ["an encoding that nobody knows", () => frame(ok, 1), { "grpc-encoding": "br" }, "request/unreadable"],
  ["a compressed message of no encoding", () => frame(gzipSync(ok), 1), {}, "request/unreadable"],
  ["a message that is neither compressed nor not", () => frame(ok, 2), {}, "request/unreadable"],
  ["no message", () => Buffer.alloc(0), {}, "request/unreadable"],
  ["half a message", () => frame(ok).subarray(0, 20), {}, "request/unreadable"],
  ["two messages", () => Buffer.concat([frame(ok), frame(ok)]), {}, "request/unreadable"],
];

for (const [title, body, headers, reason] of unreadable) {
  test(`${title} is a denial, ${reason}, and nothing else`, async () => {
    const session = open();
    const before = service.log().length;
    const { message, grpcStatus } = await call(session, body(), headers);
    assert.deepEqual([message?.toString("hex"), grpcStatus], ["0a02080712050a03089303", "0"]);
    await until(() => service.log().slice(before).includes(`"reason":"${reason}"`));
    assert.equal(answered(await call(session, frame(ok))), "allow");
    session.destroy();
  });
}

test("a message that is longer than may be, and goes on: the denial arrives, with its status, before the stream is reset", async () => {
  const session = open();
  const endless = openCall(session);
  const body = frame(Buffer.alloc(48 * MiB));
  endless.write(body.subarray(0, 40 * MiB));
  const { message, grpcStatus } = await endingOf(endless);
  assert.deepEqual([message?.toString("hex"), grpcStatus], ["0a02080712050a03089303", "0"]);
  assert.equal(answered(await call(session, frame(ok))), "allow");
  session.destroy();
});

/** What is no check: a failed call, of which nothing is decided. The lists in `docs/limits.md` are these. */
const failures: readonly (readonly [
  title: string,
  body: () => Buffer,
  headers: Record<string, string>,
  ending: string,
])[] = [
  ["another content type", () => frame(ok), { "content-type": "text/plain" }, "grpc-status undefined"],
  ["another service", () => frame(ok), { ":path": "/a.B/C" }, "grpc-status 12"],
  ["200 entries of metadata", () => frame(ok), Object.fromEntries(lines(200)), "reset 11"],
];

for (const [title, body, headers, expected] of failures) {
  test(`${title} fails the call (${expected}) and nothing else`, async () => {
    const session = open();
    const { message, grpcStatus, reset } = await call(session, body(), headers);
    assert.equal(message, undefined);
    assert.equal(reset === 0 ? `grpc-status ${grpcStatus}` : `reset ${reset}`, expected);
    assert.equal(answered(await call(session, frame(ok))), "allow");
    session.destroy();
  });
}

test("70 KB in one entry of metadata arrive; 300 KB end the connection", async () => {
  const uris = (size: number) => ({ "x-garita-uris": `[${"spiffe://a/".padEnd(size, "x")}]` });
  assert.equal(await ask(ok, uris(70_000)), "allow");
  const session = open();
  const { message, reset } = await call(session, frame(ok), uris(300_000));
  assert.deepEqual([message, reset], [undefined, 9]);
  await assertAlive();
});

/** Metadata that is nobody's word: an ALLOW rule that names the peer must not match. */
const forged: readonly (readonly [title: string, input: CheckInput, metadata: Record<string, string | string[]>])[] = [
  ["no brackets", {}, { "x-garita-uris": "spiffe://cluster.local/ns/shop/sa/friend" }],
  ["underscores", {}, { x_garita_uris: "[spiffe://cluster.local/ns/shop/sa/friend]" }],
  ["two values", {}, { "x-garita-uris": ["[spiffe://cluster.local/ns/shop/sa/friend]", "[]"] }],
  ["two values in one text", {}, { "x-garita-uris": "[spiffe://cluster.local/ns/shop/sa/friend], [x]" }],
  ["a request header", { headers: [["x-garita-uris", "[spiffe://cluster.local/ns/shop/sa/friend]"]] }, {}],
  ["XFCC", { headers: [["x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/friend"]] }, {}],
  [
    "a name that the connection's own does not confirm",
    { source: { principal: "spiffe://cluster.local/ns/shop/sa/foe" } },
    { "x-garita-uris": "[spiffe://cluster.local/ns/shop/sa/friend]" },
  ],
];

for (const [title, input, metadata] of forged) {
  test(`an identity by ${title} is none`, async () => {
    assert.equal(await ask(shopMessage({ path: "/friends", ...input }), metadata), "policy/not-allowed");
  });
}

test("the identity that these forge is one that the service believes when the connection has it", async () => {
  const principal = "spiffe://cluster.local/ns/shop/sa/friend";
  assert.equal(
    await ask(shopMessage({ path: "/friends", source: { principal } }), { "x-garita-uris": `[${principal}]` }),
    "allow",
  );
});

test("thousands of checks reset in flight leave the others on their connection alone, and nothing behind", async () => {
  const session = open();
  const bystander = openCall(session);
  await assertSteady(service, { rounds: 6, growthBytes: 24 * MiB }, async () => {
    for (let i = 0; i < 900; i++) {
      const stream = openCall(session);
      if (i % 2 === 0) stream.end(frame(ok));
      else stream.write(frame(ok).subarray(0, 10));
      stream.close(8);
    }
    assert.equal(answered(await call(session, frame(ok))), "allow");
  });
  bystander.end(frame(ok));
  assert.equal(answered(await endingOf(bystander)), "allow");
  session.destroy();
});

test("connections that are cut off with calls open leave nothing behind", async () => {
  await assertSteady(service, { rounds: 6, growthBytes: 24 * MiB }, async () => {
    const sessions = Array.from({ length: 20 }, open);
    await Promise.all(
      sessions.map(async (session) => {
        await once(session, "remoteSettings");
        for (let i = 0; i < 40; i++) openCall(session).write(frame(ok).subarray(0, 30));
        assert.equal(answered(await call(session, frame(ok))), "allow");
        session.socket.destroy();
      }),
    );
  });
  await assertAlive();
});

test("watchers of health that vanish make room for others", async () => {
  const watch = { ":path": "/grpc.health.v1.Health/Watch" };
  for (let round = 0; round < 3; round++) {
    const session = open();
    for (let i = 0; i < 90; i++) {
      const stream = openCall(session, watch);
      stream.end(frame(new Uint8Array()));
      const [first] = await once(stream, "data");
      assert.deepEqual([...(first as Buffer).subarray(5)], [8, 1]);
    }
    session.destroy();
    // The next connection's first answer comes after the end of this one was noticed.
    await assertAlive();
  }
});

test("large messages, workloads of a thousand kinds and odd certificates leave nothing behind", async () => {
  const session = open();
  let round = 0;
  await assertSteady(service, { rounds: 5, growthBytes: 48 * MiB }, async () => {
    round++;
    for (let i = 0; i < 40; i++) {
      const labels = JSON.stringify({ app: `a${round}-${i}`, pad: "p".repeat(1000) });
      const message = shopMessage({
        path: "/ok",
        extensions: { "garita.dev/labels": labels },
        source: { principal: "spiffe://a/b", certificate: `-----${round}-${i}`.padEnd(20_000, "c") },
      });
      const ending = await call(session, frame(Buffer.concat([message, unknownField(MiB)])));
      assert.equal(answered(ending), "allow");
    }
    assert.equal(answered(await call(session, frame(Buffer.alloc(16 * MiB)))), "request/unreadable");
  });
  session.destroy();
});

test("garbage, half-open and silent connections end or stay silent, and never end the service", async () => {
  const random = new Random(testSeed("garbage"));
  const { host, port } = service.address("grpc");
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  await assertSteady(service, { rounds: 4, growthBytes: 24 * MiB }, async () => {
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const socket = connect(port, host);
        socket.on("error", () => undefined);
        socket.resume();
        await once(socket, "connect");
        const noise = Buffer.from(Array.from({ length: 1 + random.below(2000) }, () => random.below(256)));
        if (i % 6 === 0) socket.end(noise);
        else if (i % 6 === 1) socket.end(Buffer.concat([preface, noise]));
        else if (i % 6 === 2) socket.end(Buffer.concat([preface, settings, noise]));
        else if (i % 6 === 3) socket.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        else if (i % 6 === 4) socket.end(preface.subarray(0, 10));
        else socket.resetAndDestroy();
        if (!socket.destroyed) {
          socket.once("end", () => socket.destroy());
          // Half of them go without waiting for what the other side says.
          if (i % 2 === 0) socket.destroySoon();
          await once(socket, "close");
        }
      }),
    );
  });
  await assertAlive();
});

test("a client that writes one byte at a time is answered", async () => {
  const session = open();
  const stream = openCall(session);
  for (const byte of frame(ok)) stream.write(Buffer.from([byte]));
  stream.end();
  assert.equal(answered(await endingOf(stream)), "allow");
  session.destroy();
});

test("what clients write is one line of the log each, with no header and no query in it", async () => {
  const secrets = {
    authorization: "Bearer hunter2hunter2",
    cookie: "session=hunter3",
    "x-forwarded-client-cert": "hunter4",
  };
  const path = '/no/%0d%0a\r\n{"msg":"forged"}?access_token=hunter5';
  const before = service.log().length;
  const headers = Object.entries(secrets);
  assert.equal(await ask(shopMessage({ path, headers, host: "user:hunter6@a.example" })), "policy/not-allowed");
  await assertAlive();
  // The log is another process's output: it comes when it comes.
  await until(() => /"path":"\/no\/.*\n/.test(service.log().slice(before)));
  const added = service.log().slice(before).split("\n").slice(0, -1);
  for (const line of added) assert.notEqual((JSON.parse(line) as { msg: string }).msg, "forged");
  assert.doesNotMatch(added.join(""), /hunter/);
  assert.match(added.join(""), /"path":"\/no\//);
});
