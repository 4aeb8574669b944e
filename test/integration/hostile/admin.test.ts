import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import { type ChildService, startChild } from "#test/support/hostile/child-service";
import { assertSteady } from "#test/support/hostile/steady";
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

async function answerOf(t: TestContext, bytes: string | Buffer) {
  const client = rawClient(t, service.address("admin"));
  client.send(bytes);
  const [answer] = await client.answers(1);
  client.socket.destroy();
  return answer;
}

function get(path: string, host: string, more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
}

function post(path: string, body: string, more = "Content-Type: application/json\r\n"): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** What a page in a browser on this machine can make the browser send, and other ways to get in. Nothing is told, nothing done. */
const refused: readonly (readonly [title: string, bytes: () => string, status: number, code: string])[] = [
  ["a rebound name", () => get("/v1/status", "evil.example"), 403, "admin/foreign-host"],
  [
    "a rebound name with our port",
    () => get("/v1/status", `evil.example:${service.address("admin").port}`),
    403,
    "admin/foreign-host",
  ],
  ["a name that begins like ours", () => get("/metrics", "localhost.evil.example"), 403, "admin/foreign-host"],
  ["our name as a user", () => get("/metrics", "localhost@evil.example"), 403, "admin/foreign-host"],
  ["our address in another notation", () => get("/metrics", "2130706433"), 403, "admin/foreign-host"],
  ["all addresses", () => get("/metrics", "0.0.0.0"), 403, "admin/foreign-host"],
  ["no name", () => "GET /metrics HTTP/1.0\r\n\r\n", 403, "admin/foreign-host"],
  [
    "a page elsewhere",
    () => get("/v1/status", "localhost", "Origin: http://evil.example\r\n"),
    403,
    "admin/foreign-origin",
  ],
  ["a page without an origin", () => get("/v1/status", "localhost", "Origin: null\r\n"), 403, "admin/foreign-origin"],
  [
    "an image on a page",
    () => get("/metrics", "127.0.0.1", "Sec-Fetch-Site: cross-site\r\n"),
    403,
    "admin/foreign-origin",
  ],
  [
    "a page of another port here",
    () => get("/metrics", "127.0.0.1", "Sec-Fetch-Site: same-site\r\n"),
    403,
    "admin/foreign-origin",
  ],
  [
    "a preflight",
    () =>
      "OPTIONS /v1/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    403,
    "admin/foreign-origin",
  ],
  ["a write", () => post("/v1/reload", "{}"), 403, "admin/closed"],
  [
    "a write with a token, where there is none",
    () => post("/v1/reload", "{}", "Authorization: Bearer x\r\n"),
    403,
    "admin/closed",
  ],
  [
    "a write by another method",
    () => get("/v1/reload", "localhost", "X-HTTP-Method-Override: POST\r\n"),
    404,
    "admin/not-found",
  ],
  ["a write by another path", () => post("//v1/reload", "{}"), 404, "admin/not-found"],
  ["a write by an escaped path", () => post("/v1/x/%2e%2e/reload", "{}"), 404, "admin/not-found"],
  ["a write in capitals", () => post("/V1/RELOAD", "{}"), 404, "admin/not-found"],
  [
    "a form",
    () => post("/v1/explain", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n"),
    415,
    "admin/request",
  ],
  [
    "JSON as text, as a page may send it",
    () => post("/v1/explain", "{}", "Content-Type: text/plain\r\n"),
    415,
    "admin/request",
  ],
  ["a prototype", () => post("/v1/explain", '{"__proto__":{"tcp":true}}'), 400, "admin/request"],
  ["a constructor", () => post("/v1/explain", '{"constructor":{"prototype":{"tcp":true}}}'), 400, "admin/request"],
  ["a key that is none", () => post("/v1/explain", '{"toString":1}'), 400, "admin/request"],
  ["a text for a flag", () => post("/v1/explain", '{"tcp":"true"}'), 400, "admin/request"],
  ["two MiB", () => post("/v1/explain", " ".repeat(2 * MiB)), 413, "admin/request"],
  ["ten thousand lists in each other", () => post("/v1/explain", "[".repeat(10_000)), 400, "admin/request"],
];

for (const [title, bytes, status, code] of refused) {
  test(`the admin API refuses ${title}: ${status}`, async (t) => {
    const answer = await answerOf(t, bytes());
    assert.equal(answer?.status, status);
    assert.equal((JSON.parse(answer.body) as { error: { code: string } }).error.code, code);
    assert.ok(!answer.headers.some(([name]) => name.toLowerCase().startsWith("access-control")));
  });
}

test("what these attempt is answered to those who may", async (t) => {
  for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:9"]) {
    assert.equal((await answerOf(t, get("/v1/status", host)))?.status, 200, host);
  }
  assert.equal((await answerOf(t, post("/v1/explain", "{}")))?.status, 200);
});

test("an explanation takes labels and headers that are named after what every object has as what they are", async (t) => {
  const labels = { constructor: "a", toString: "b", hasOwnProperty: "c" };
  const headers = ["__proto__: x", "constructor: y"];
  const question = { workload: { namespace: "shop", labels }, request: { path: "/ok", headers } };
  const answer = await answerOf(t, post("/v1/explain", JSON.stringify(question)));
  assert.equal(answer?.status, 200);
  const { outcome, workload } = JSON.parse(answer.body) as { outcome: string; workload: { labels: object } };
  assert.equal(outcome, "allow");
  assert.deepEqual(workload.labels, labels);
});

test("the admin socket is its owner's alone, and takes writes", async () => {
  assert.equal(statSync(service.adminSocket).mode & 0o777, 0o600);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const call = request({ socketPath: service.adminSocket, path: "/v1/reload", method: "POST" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject);
    call.end();
  });
  assert.equal(status, 200);
});

test("garbage and clients that vanish leave nothing behind at either door", async (t) => {
  const { host, port } = service.address("admin");
  const beginnings = [
    "",
    "\0\xff\x16\x03\x01",
    "GET /v1/st",
    "POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{",
    get("/metrics", "localhost"),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ];
  await assertSteady(service, { rounds: 6, growthBytes: 16 * MiB }, async () => {
    await Promise.all(
      Array.from({ length: 120 }, (_, i) => {
        const socket = i % 2 === 0 ? connect(port, host) : connect(service.adminSocket);
        socket.on("error", () => undefined);
        const beginning = beginnings[(i >> 1) % beginnings.length]!;
        return new Promise<void>((resolve) => {
          socket.on("close", () => resolve());
          socket.on("connect", () => socket.end(beginning, "latin1", () => socket.destroy()));
        });
      }),
    );
  });
  assert.equal((await answerOf(t, get("/healthz", "localhost")))?.status, 200);
});

test("no answer tells what lies in files", async (t) => {
  for (const path of [
    "/v1/status",
    "/v1/rulesets",
    "/metrics",
    "/v1/openapi.json",
    "/../garita.yaml",
    "/%2e%2e/garita.yaml",
    "/v1/..%2f..%2fgarita.yaml",
  ]) {
    const answer = await answerOf(t, get(path, "localhost"));
    assert.doesNotMatch(answer?.body ?? "", /listeners:|BEGIN|kind: AuthorizationPolicy/);
  }
});
