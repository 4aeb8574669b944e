import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type RefusalCode, refusals } from "#ca/refusals";
import { outsideOf } from "#ca/transport/refusal-status";
import { CodedError } from "#platform/coded-error";
import { askHttp } from "#test/support/ca/ask-http";
import { type DoorCertificates, makeDoorCertificates } from "#test/support/ca/door-certificates";
import { openDoor } from "#test/support/ca/doors";
import { fakeIssued } from "#test/support/ca/fake-authority";
import { openSocketDoor } from "#test/support/ca/open-socket-door";

let made: DoorCertificates;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "garita-doors-"));
  made = makeDoorCertificates(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const at = "2030-01-01T00:00:00.000Z";
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("a certificate is issued to who brings a token or a certificate", async (t) => {
  const door = await openDoor(t, "http", { tls: made.server });
  const leaf = made.leaf("web");
  const answer = await askHttp(
    door,
    "POST /v1/certificates",
    { csr: "PEM", ttlSeconds: 60, spiffeId: "spiffe://cluster.local/web" },
    { ca: made.root, ...leaf, ...bearer("a.token") },
  );
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, {
    serial: "0a1b",
    spiffeId: fakeIssued.spiffeId,
    notBefore: at,
    notAfter: "2030-01-02T00:00:00.000Z",
    chain: ["leaf\n", "issuer\n", "roots\n"],
  });
  assert.equal(answer.headers["cache-control"], "no-store");
  const { credentials, ...asked } = door.asked[0]!;
  assert.deepEqual(asked, {
    csrPem: "PEM",
    ttlSeconds: 60,
    spiffeId: "spiffe://cluster.local/web",
    door: "http",
    certSigner: undefined,
    impersonatedIdentity: undefined,
  });
  assert.equal(credentials.bearer, "a.token");
  assert.equal(credentials.clientCertificates.length, 1);
  assert.equal(credentials.operatorSocket, false);
});

for (const code of Object.keys(refusals) as RefusalCode[]) {
  test(`${code} is answered ${outsideOf(code).http} with its code and the id of the explanation`, async (t) => {
    const door = await openDoor(t, "http", {
      answer: { ok: false, code, explanationId: "ABCDEF123456", retryAfterMillis: undefined },
    });
    const answer = await askHttp(door, "POST /v1/certificates", { csr: "PEM" }, bearer("a.token"));
    assert.equal(answer.status, outsideOf(code).http);
    assert.deepEqual(answer.json, { code, message: refusals[code].message, id: "ABCDEF123456" });
    assert.equal(answer.headers["www-authenticate"] !== undefined, answer.status === 401);
    assert.equal(answer.headers["retry-after"], undefined);
  });
}

test("who is to wait is told so in whole seconds, at least one", async (t) => {
  for (const [millis, seconds] of [
    [0, "1"],
    [1, "1"],
    [1001, "2"],
  ] as const) {
    const door = await openDoor(t, "http", {
      answer: { ok: false, code: "rate/caller", explanationId: "A", retryAfterMillis: millis },
    });
    assert.equal((await askHttp(door, "POST /v1/certificates", { csr: "" })).headers["retry-after"], seconds);
  }
});

test("the bundle is everybody's, in both forms, and not sent twice", async (t) => {
  const door = await openDoor(t, "http");
  for (const [path, type, text] of [
    ["/v1/bundle", "application/x-pem-file", "PEM 7\n"],
    ["/v1/bundle.json", "application/json; charset=utf-8", '{"keys":[],"spiffe_sequence":7}'],
  ] as const) {
    const answer = await askHttp(door, `GET ${path}`);
    assert.deepEqual([answer.status, answer.text, answer.headers["content-type"]], [200, text, type]);
    const { etag } = answer.headers;
    for (const condition of [etag!, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await askHttp(door, `GET ${path}`, undefined, { headers: { "if-none-match": condition } });
      assert.deepEqual([again.status, again.text, again.headers.etag], [304, "", etag]);
    }
    const other = await askHttp(door, `GET ${path}`, undefined, { headers: { "if-none-match": '"x"' } });
    assert.equal(other.status, 200);
    assert.deepEqual((await askHttp(door, `HEAD ${path}`)).headers.etag, etag);
  }
});

test("why a caller is no administrator is for the log alone", async (t) => {
  const door = await openDoor(t, "http");
  const answer = await askHttp(door, "GET /v1/ca/status", undefined, bearer("a.workload"));
  assert.deepEqual(answer.json, { code: "ca-door/role", message: "the caller is no administrator of the authority" });
  assert.match(door.logged(), /"who":"nobody","reason":"a test says so"/);
  assert.doesNotMatch(door.logged(), /a\.workload/);
});

test("who asks at the socket is told to the core so", async (t) => {
  const socket = await openSocketDoor(t);
  await askHttp(socket, "POST /v1/certificates", { csr: "PEM" });
  const { credentials, door } = socket.asked[0]!;
  assert.equal(door, "socket");
  assert.deepEqual(credentials, {
    clientCertificates: [],
    bearer: undefined,
    operatorSocket: true,
    remoteAddress: undefined,
  });
});

const unfit: readonly (readonly [target: string, body: unknown])[] = [
  ["POST /v1/certificates", {}],
  ["POST /v1/certificates", { csr: 1 }],
  ["POST /v1/certificates", { csr: "x", ttlSeconds: "60" }],
  ["POST /v1/certificates", { csr: "x", ttlSeconds: 1.5 }],
  ["POST /v1/certificates", { csr: "x", ttlSeconds: -1 }],
  ["POST /v1/certificates", { csr: "x", spiffeId: "a".repeat(2049) }],
  ["POST /v1/certificates", { csr: "x", other: 1 }],
  ["POST /v1/certificates", []],
  ["POST /v1/certificates", null],
  ["POST /v1/certificates", "{"],
  ["POST /v1/certificates", '{"csr":"x","__proto__":{}}'],
  ["POST /v1/ca/tokens", { spiffeId: "" }],
  ["POST /v1/ca/tokens", { spiffeId: "spiffe://a/b", ttlSeconds: 0 }],
  ["POST /v1/ca/tokens", { spiffeId: "spiffe://a/b", sourceCidrs: Array.from({ length: 65 }, () => "10.0.0.0/8") }],
  ["POST /v1/ca/revocations", { serial: "0a" }],
  ["POST /v1/ca/revocations", { reason: "x" }],
  ["POST /v1/ca/revocations", { serial: "0a", spiffeId: "spiffe://a/b", reason: "x" }],
  ["POST /v1/ca/revocations", { serial: "0A", reason: "x" }],
  ["POST /v1/ca/revocations", { serial: "0a", reason: "two\nlines" }],
  ["POST /v1/ca/try", { csr: "x" }],
  ["POST /v1/ca/backup", { file: "relative" }],
  ["POST /v1/ca/backup", { file: "/a\0b" }],
  ["GET /v1/ca/certificates/0A1B", undefined],
  ["GET /v1/ca/certificates/..%2f..%2fetc", undefined],
  ["GET /v1/ca/explanations/%27", undefined],
];

test("what is not as its schema says is refused, and nothing of it told or done", async (t) => {
  const socket = await openSocketDoor(t);
  for (const [target, body] of unfit) {
    const answer = await askHttp(socket, target, body);
    assert.deepEqual([answer.status, answer.json["code"]], [400, "admin/request"], `${target} ${JSON.stringify(body)}`);
  }
  const secret = await askHttp(socket, "POST /v1/certificates", '{"csr": "theSecret');
  assert.equal(secret.status, 400);
  assert.doesNotMatch(secret.text, /Secret/);
  assert.deepEqual([...socket.calls, ...socket.asked], []);
});

test("what is not there is said so, to whom it is for", async (t) => {
  const door = await openDoor(t, "http");
  for (const target of ["GET /", "GET /v2/ca", "POST /v1/bundle", "DELETE /v1/ca/tokens", "GET /v1/ca/status/"]) {
    const answer = await askHttp(door, target, undefined, bearer("auditor"));
    assert.deepEqual([answer.status, answer.json["code"]], [404, "admin/not-found"], target);
  }
  for (const path of ["/v1/ca/certificates/0b", "/v1/ca/explanations/X"]) {
    assert.equal((await askHttp(door, `GET ${path}`)).status, 401);
    const answer = await askHttp(door, `GET ${path}`, undefined, bearer("auditor"));
    assert.deepEqual([answer.status, answer.json["code"]], [404, "admin/not-found"]);
  }
});

test("web pages and foreign names of the door are refused, before anybody is asked who they are", async (t) => {
  let roles = 0;
  const door = await openDoor(t, "http", {
    hosts: new Set(["localhost"]),
    service: {
      roleOf: async () => {
        roles++;
        return { role: "operator", who: "x", reason: "" };
      },
    },
  });
  const ask = async (headers: Record<string, string>) =>
    (await askHttp(door, "POST /v1/ca/issuer", undefined, { headers })).json["code"];
  assert.equal(await ask({ origin: "https://evil.example" }), "admin/foreign-origin");
  assert.equal(await ask({ origin: "null", authorization: "Bearer operator" }), "admin/foreign-origin");
  assert.equal(await ask({ "sec-fetch-site": "cross-site", authorization: "Bearer operator" }), "admin/foreign-origin");
  assert.equal(await ask({ host: "evil.example" }), "admin/foreign-host");
  assert.equal(roles, 0);
  assert.equal(await ask({ host: "evil.example", authorization: "Bearer operator" }), undefined);
  const bundle = await askHttp(door, "GET /v1/bundle", undefined, { headers: { host: "evil.example" } });
  assert.equal(bundle.status, 403);
  assert.equal((await askHttp(door, "GET /v1/bundle")).status, 200);
});

test("several authorizations, and what is no token, are refused at every path", async (t) => {
  const door = await openDoor(t, "http");
  const twice = ["host", "localhost", "authorization", "Bearer operator", "Authorization", "Bearer operator"];
  for (const headers of [twice, { authorization: "Basic operator" }, { authorization: "Bearer a b" }]) {
    for (const target of ["GET /v1/ca/status", "GET /v1/bundle", "POST /v1/certificates"]) {
      const answer = await askHttp(door, target, undefined, { headers });
      assert.deepEqual([answer.status, answer.json["code"]], [401, "ca-door/authorization"], target);
    }
  }
});

test("what the authority cannot do is told by its code, a defect of ours is not", async (t) => {
  const cases: readonly (readonly [fault: Error, status: number, code: string])[] = [
    [new Error("the secret reason"), 500, "admin/failed"],
    [new CodedError("tls/unusable", "the secret reason"), 500, "admin/failed"],
  ];
  for (const [fault, status, code] of cases) {
    const door = await openDoor(t, "http", {
      service: {
        rotateIssuer: async () => {
          throw fault;
        },
      },
    });
    const answer = await askHttp(door, "POST /v1/ca/issuer", undefined, bearer("operator"));
    assert.deepEqual([answer.status, answer.json["code"]], [status, code]);
    assert.doesNotMatch(answer.text, /secret/);
    assert.match(door.logged(), /the secret reason/);
  }
});

test("the OpenAPI page lists every route", async (t) => {
  const door = await openDoor(t, "http");
  const { json } = await askHttp(door, "GET /v1/openapi.json");
  const paths = json["paths"] as Record<string, object>;
  assert.deepEqual(
    Object.entries(paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
      .filter((route) => !route.startsWith("HEAD "))
      .sort(),
    [
      "GET /v1/bundle",
      "GET /v1/bundle.json",
      "GET /v1/ca/audit",
      "GET /v1/ca/certificates",
      "GET /v1/ca/certificates/{serial}",
      "GET /v1/ca/entries",
      "GET /v1/ca/explanations/{id}",
      "GET /v1/ca/forecast",
      "GET /v1/ca/revocations",
      "GET /v1/ca/root",
      "GET /v1/ca/root/plan",
      "GET /v1/ca/status",
      "GET /v1/ca/tokens",
      "POST /v1/ca/backup",
      "POST /v1/ca/issuer",
      "POST /v1/ca/revocations",
      "POST /v1/ca/root/abort",
      "POST /v1/ca/root/force",
      "POST /v1/ca/root/rotate",
      "POST /v1/ca/root/waivers",
      "POST /v1/ca/tokens",
      "POST /v1/ca/try",
      "POST /v1/certificates",
    ],
  );
});

test("a door that ends finishes what runs", async (t) => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const door = await openDoor(t, "http", {
    answer: async () => {
      entered.resolve();
      await release.promise;
      return fakeIssued;
    },
  });
  const running = askHttp(door, "POST /v1/certificates", { csr: "PEM" });
  await entered.promise;
  const stopped = door.door.stop(new AbortController().signal);
  release.resolve();
  assert.equal((await running).status, 200);
  await stopped;
  await assert.rejects(askHttp(door, "GET /v1/bundle"), { code: "ECONNREFUSED" });
});
