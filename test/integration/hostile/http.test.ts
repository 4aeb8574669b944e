import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import { type ChildService, startChild } from "#test/support/hostile/child-service";
import { assertSteady } from "#test/support/hostile/steady";
import { Random, testSeed } from "#test/support/random";
import { rawClient } from "#test/support/service/raw-http";

const MiB = 1024 * 1024;

let service: ChildService;
before(async () => {
  service = await startChild();
});
after(async () => {
  assert.equal(service.ended(), undefined);
  assert.equal(await service.stop(), 0);
});

/** The status of the answer to bytes that are sent as they are; 0: the connection ended without one. */
async function statusOf(t: TestContext, bytes: string | Buffer): Promise<number> {
  const client = rawClient(t, service.address("http"));
  client.send(bytes);
  const [answer] = await client.answers(1);
  client.socket.destroy();
  return answer?.status ?? 0;
}

async function assertAlive(t: TestContext): Promise<void> {
  assert.equal(service.ended(), undefined);
  assert.equal(await statusOf(t, "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
  assert.equal(await statusOf(t, "GET /ok/admin HTTP/1.1\r\nHost: a\r\n\r\n"), 403);
}

function get(target: string, more = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
}

function post(sizeBytes: number, more = ""): Buffer {
  return Buffer.concat([
    Buffer.from(`POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: ${sizeBytes}\r\n${more}\r\n`),
    Buffer.alloc(sizeBytes),
  ]);
}

/** Bytes, and the status of the answer: 200 allows, what is else denies. */
const requests: readonly (readonly [title: string, bytes: () => string | Buffer, status: number])[] = [
  ["a body of 16 MiB", () => post(16 * MiB), 200],
  ["a body of 16 MiB and a byte", () => post(16 * MiB + 1), 413],
  ["a body of 40 MiB", () => post(40 * MiB), 413],
  [
    "a body that is said to be longer than numbers go",
    () => get("/ok", "Content-Length: 99999999999999999999999\r\n"),
    400,
  ],
  [
    "a chunk that is said to be longer than numbers go",
    () => `${get("/ok", "Transfer-Encoding: chunked\r\n")}fffffffffffffffff\r\n`,
    400,
  ],
  ["10,000 headers", () => get("/ok", "a: b\r\n".repeat(10_000)), 200],
  ["70 KB of headers", () => get("/ok", `a: ${"b".repeat(100)}\r\n`.repeat(700)), 431],
  ["a target of 60 KB", () => get(`/ok/${"a".repeat(60_000)}`), 200],
  ["a target of 70 KB", () => get(`/ok/${"a".repeat(70_000)}`), 431],
  ["60 KB of commas in a header that rules read", () => get("/ok", `x-role: ${",".repeat(60_000)}\r\n`), 403],
  ["bytes that are no UTF-8 in a header", () => get("/ok", "x-a: \xff\xc0\x80\r\n"), 200],
  ["bytes that are no UTF-8 in the target", () => get("/ok/\xff"), 400],
  ["a NUL in a header", () => get("/ok", "x-a: a\0b\r\n"), 400],
  ["a NUL in the target", () => get("/ok/\0"), 400],
  ["an escaped NUL", () => get("/ok/%00"), 400],
  ["a line break, escaped", () => get("/no%0d%0aHost:%20inside.example"), 403],
  ["no host", () => "GET /ok HTTP/1.1\r\n\r\n", 400],
  ["two hosts", () => "GET /inside HTTP/1.1\r\nHost: inside.example\r\nHost: a\r\n\r\n", 403],
  ["a CONNECT", () => "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 403],
  ["a CONNECT without a target", () => "CONNECT HTTP/1.1\r\nHost: a\r\n\r\n", 403],
  ["an asterisk", () => "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404],
  ["HTTP/0.9", () => "GET /ok\r\n\r\n", 400],
  ["HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["TLS", () => Buffer.from("16030100c8010000c40303", "hex"), 400],
  ["a length beside chunks", () => get("/ok", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400],
  ["a folded header", () => get("/roles", "x-role: gu\r\n est\r\n"), 400],
  ["a space before the colon", () => get("/roles", "x-role : admin\r\n"), 400],
  ["a pseudo header", () => get("/no", ":path: /ok\r\n"), 400],
  ["headers that every object has", () => get("/roles", "__proto__: admin\r\nconstructor: admin\r\n"), 403],
];

for (const [title, bytes, status] of requests) {
  test(`${title} is answered ${status}`, async (t) => {
    assert.equal(await statusOf(t, bytes()), status);
    await assertAlive(t);
  });
}

/** Ways to reach what is denied, or what another host or caller may reach. None is allowed. */
const attempts: readonly (readonly [title: string, request: string])[] = [
  ...[
    "/ok/./admin",
    "/ok/../ok/admin",
    "//ok/admin",
    "/ok/admin/..%2f",
    "/ok%2fadmin",
    "/ok\\admin",
    "/no;/ok",
    "/no?/ok",
    "/no#/ok",
    "/OK",
    "/ok%00",
    "/%6fk/admin",
    "/ok/%61dmin",
    "ok",
    "*",
  ].map((target) => [target, get(target)] as const),
  ["a target with another host", "GET http://inside.example/inside HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target with a user's name", "GET http://a@inside.example/inside HTTP/1.1\r\nHost: inside.example\r\n\r\n"],
  ["a host with a user's name", "GET /inside HTTP/1.1\r\nHost: a@inside.example\r\n\r\n"],
  ["a host with a port", "GET /inside HTTP/1.1\r\nHost: inside.example:80\r\n\r\n"],
  ["a host with a dot at its end", "GET /inside HTTP/1.1\r\nHost: inside.example.\r\n\r\n"],
  ["a forwarded host", get("/inside", "X-Forwarded-Host: inside.example\r\nForwarded: host=inside.example\r\n")],
  [
    "another path in headers",
    get("/no", "X-Original-URL: /ok\r\nX-Rewrite-URL: /ok\r\nX-Envoy-Original-Path: /ok\r\n"),
  ],
  ["another method", get("/no", "X-HTTP-Method-Override: GET\r\n")],
  [
    "an identity in headers",
    get("/friends", "X-Garita-Uris: [spiffe://cluster.local/ns/shop/sa/friend]\r\nX-Garita-Tls: [TLSv1.3]\r\n"),
  ],
  ["an identity in underscores", get("/friends", "x_garita_uris: [spiffe://cluster.local/ns/shop/sa/friend]\r\n")],
  ["a role in capitals", get("/roles", "X-Role: Admin\r\n")],
  ["a role with another", get("/roles", "X-Role: admin,guest\r\n")],
  ["a role on two lines", get("/roles", "X-Role: admin\r\nX-Role: guest\r\n")],
  ["a guest on the second line", get("/ok", "X-Role: a\r\nx-role: guest\r\n")],
  ["a guest between commas", get("/ok", "X-Role: a,guest,b\r\n")],
  ["a guest behind very many commas", get("/ok", `X-Role: ${"a,".repeat(5_000)}guest\r\n`)],
];

for (const [title, request] of attempts) {
  test(`not allowed: ${title}`, async (t) => {
    const status = await statusOf(t, request);
    assert.ok(status >= 400 && status < 500, String(status));
  });
}

test("what these attempt is allowed to those who may", async (t) => {
  assert.equal(await statusOf(t, "GET /inside HTTP/1.1\r\nHost: inside.example\r\n\r\n"), 200);
  assert.equal(await statusOf(t, "GET http://INSIDE.example/inside HTTP/1.1\r\nHost: inside.example\r\n\r\n"), 200);
  assert.equal(await statusOf(t, get("/roles", "X-Role: admin\r\n")), 200);
});

test("many large bodies leave nothing behind", async (t) => {
  await assertSteady(service, { rounds: 5, growthBytes: 48 * MiB }, async () => {
    const statuses = await Promise.all([1, 2, 3, 4].map((i) => statusOf(t, post(i === 4 ? 20 * MiB : 8 * MiB))));
    assert.deepEqual(statuses, [200, 200, 200, 413]);
  });
});

test("clients that vanish in the middle leave nothing behind", async (t) => {
  const beginnings = [
    "",
    "GET /o",
    "GET /ok HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc",
    "POST /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    get("/ok"),
  ];
  const { host, port } = service.address("http");
  await assertSteady(service, { rounds: 6, growthBytes: 16 * MiB }, async () => {
    await Promise.all(
      Array.from({ length: 140 }, async (_, i) => {
        const socket = connect(port, host);
        socket.on("error", () => undefined);
        await once(socket, "connect");
        const beginning = beginnings[i % beginnings.length]!;
        const gone = once(socket, "close");
        if (i % 2 === 0) socket.write(beginning, "latin1", () => socket.resetAndDestroy());
        else socket.end(beginning, "latin1", () => socket.destroy());
        await gone;
      }),
    );
  });
  await assertAlive(t);
});

test("a client that asks ten thousand times and reads nothing is not answered into memory", async (t) => {
  const { host, port } = service.address("http");
  const before = await service.held();
  const socket = connect(port, host);
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  const many = get("/ok", `x-pad: ${"p".repeat(400)}\r\n`).repeat(100);
  for (let i = 0; i < 200 && socket.write(many); i++);
  await assertAlive(t);
  const after = await service.held();
  assert.ok(after.heapUsed + after.external - before.heapUsed - before.external < 16 * MiB);
});

test("a client that writes one byte at a time is answered", async (t) => {
  const client = rawClient(t, service.address("http"));
  client.socket.setNoDelay(true);
  for (const byte of get("/ok/admin")) client.send(byte);
  assert.equal((await client.answers(1))[0]?.status, 403);
});

test("a half-closed client is answered", async (t) => {
  const client = rawClient(t, service.address("http"));
  client.socket.end(get("/ok"), "latin1");
  assert.equal((await client.answers(1))[0]?.status, 200);
});

test("garbage is answered 400 or not at all", async (t) => {
  const random = new Random(testSeed("garbage"));
  for (let i = 0; i < 200; i++) {
    const noise = Array.from({ length: 1 + random.below(300) }, () => random.below(256));
    const client = rawClient(t, service.address("http"));
    client.socket.end(
      Buffer.concat([Buffer.from(random.pick(["", "GET /ok HTTP/1.1\r\n", "POST / "])), Buffer.from(noise)]),
    );
    const text = await client.ended;
    assert.match(text, /^(HTTP\/1\.1 4[0-9][0-9] |$)/);
  }
  await assertAlive(t);
});

test("ten thousand paths, hosts and methods make no more metrics", async (t) => {
  const { host, port } = service.address("admin");
  const metrics = async () => (await fetch(`http://${host}:${port}/metrics`)).text();
  const series = (text: string) => text.split("\n").filter((line) => line.startsWith("garita_decisions_total")).length;
  await assertAlive(t);
  const before = series(await metrics());
  const client = rawClient(t, service.address("http"));
  const count = 500;
  for (let i = 0; i < count; i++) client.send(`GET /no/${i} HTTP/1.1\r\nHost: h${i}\r\nX-A${i}: ${i}\r\n\r\n`);
  assert.equal((await client.answers(count)).length, count);
  const text = await metrics();
  assert.ok(series(text) <= before + 1);
  assert.doesNotMatch(text, /h499|no\/499/);
});
