import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { askHttp } from "#test/support/ca/ask-http";
import { type DoorCertificates, makeDoorCertificates } from "#test/support/ca/door-certificates";
import { type DoorOptions, type OpenDoor, openDoor } from "#test/support/ca/doors";
import { Random, testSeed } from "#test/support/random";
import { rawClient } from "#test/support/service/raw-http";

let made: DoorCertificates;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "garita-doors-"));
  made = makeDoorCertificates(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const KiB = 1024;

function open(t: TestContext, options: DoorOptions = {}): Promise<OpenDoor> {
  return openDoor(t, "http", options);
}

async function assertServes(door: OpenDoor, options = {}): Promise<void> {
  assert.equal((await askHttp(door, "GET /v1/bundle", undefined, options)).status, 200);
}

/** What comes back for bytes: the status, and the code of the fault. */
async function said(t: TestContext, door: OpenDoor, bytes: string): Promise<string> {
  const client = rawClient(t, door.door.address);
  client.send(bytes);
  const [answer] = await client.answers(1);
  client.socket.destroy();
  if (answer === undefined) return "nothing";
  const { code } = (answer.body === "" ? {} : JSON.parse(answer.body)) as { code?: string };
  return `${answer.status} ${code}`;
}

function post(body: string, fields: readonly string[] = []): string {
  const head = ["POST /v1/certificates HTTP/1.1", "Host: localhost", "Content-Type: application/json", ...fields];
  return `${head.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const odd: readonly (readonly [title: string, bytes: () => string, expected: string])[] = [
  ["a body above 64 KiB", () => post(JSON.stringify({ csr: "a".repeat(64 * KiB) })), "413 admin/request"],
  ["a header above 32 KiB", () => post('{"csr":"x"}', [`X-A: ${"a".repeat(33 * KiB)}`]), "431 admin/request"],
  [
    "20 KiB of authorization",
    () => post("{}", [`Authorization: Bearer ${"a".repeat(20 * KiB)}`]),
    "401 ca-door/authorization",
  ],
  [
    "two authorizations",
    () => post("{}", ["Authorization: Bearer a", "authorization: Bearer b"]),
    "401 ca-door/authorization",
  ],
  ["another media type", () => post("{}").replace("application/json", "text/plain"), "415 admin/request"],
  ["a form", () => post("csr=x").replace("application/json", "application/x-www-form-urlencoded"), "415 admin/request"],
  ["no media type", () => post("{}").replace("Content-Type: application/json\r\n", ""), "415 admin/request"],
  ["ten thousand brackets", () => post("[".repeat(10_000)), "400 admin/request"],
  ["deep objects", () => post(`${'{"csr":'.repeat(5000)}1${"}".repeat(5000)}`), "400 admin/request"],
  ["a prototype", () => post('{"csr":"x","__proto__":{"a":1}}'), "400 admin/request"],
  ["a constructor", () => post('{"csr":"x","constructor":{"prototype":{"a":1}}}'), "400 admin/request"],
  ["an escape that is none", () => "GET /v1/%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400 admin/request"],
  ["a path of 8 KiB", () => `GET /${"a".repeat(8 * KiB)} HTTP/1.1\r\nHost: a\r\n\r\n`, "404 admin/not-found"],
  ["another version", () => "GET / HTTP/3.7\r\nHost: a\r\n\r\n", "400 admin/request"],
  ["two lengths", () => post("{}", ["Content-Length: 3"]), "400 admin/request"],
  ["a length and chunks", () => post("{}", ["Transfer-Encoding: chunked"]), "400 admin/request"],
  ["HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 admin/request"],
  ["no host", () => "GET /v1/bundle HTTP/1.1\r\n\r\n", "400 undefined"],
];

for (const [title, bytes, expected] of odd) {
  test(`${title}: ${expected}`, async (t) => {
    const door = await open(t);
    assert.equal(await said(t, door, bytes()), expected);
    assert.equal(door.asked.length, 0);
    await assertServes(door);
  });
}

test("requests that do not come to their end are answered 408, or ended", async (t) => {
  const door = await open(t, { limits: { requestMillis: 100 } });
  const clients = ["", "GET /v1/bun", "GET /v1/bundle HTTP/1.1\r\nHost: a\r\n", post('{"csr":"x"}').slice(0, -4)].map(
    (text) => {
      const client = rawClient(t, door.door.address);
      if (text !== "") client.send(text);
      return client;
    },
  );
  for (const [i, { ended }] of clients.entries()) {
    const text = await ended;
    if (i > 0) assert.match(text, /^HTTP\/1\.1 408 /, String(i));
  }
  assert.equal(door.asked.length, 0);
  await assertServes(door);
});

test("handshakes that are begun and not finished are ended, garbage instead of one too", async (t) => {
  const door = await open(t, { tls: made.server, limits: { handshakeMillis: 1_000 } });
  const random = new Random(testSeed("garbage"));
  const sockets = Array.from({ length: 60 }, (_, i) => {
    const socket: Socket = connectTcp(door.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.resume();
    const noise = Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
    const head = random.pick(["", "160301", "1603010200010001fc0303", "504f5354202f"]);
    if (i % 3 > 0) socket.write(Buffer.concat([Buffer.from(head, "hex"), noise]));
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))));
  await assertServes(door, { ca: made.root });
});

test("two hundred connections that say nothing leave room for who does", async (t) => {
  const door = await open(t, { tls: made.server });
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = connect({ port: door.port, host: "localhost", ca: made.root, ALPNProtocols: ["http/1.1"] });
      t.after(() => socket.destroy());
      await once(socket, "secureConnect");
      socket.on("error", () => undefined);
    }),
  );
  await assertServes(door, { ca: made.root });
});
