import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { HttpCheck, HttpCheckOutcome, HttpCheckRequest, HttpCheckResponse } from "#authz/check/contract";
import { defaultPatience, type HttpListenerStart, serveHttp } from "#authz/transport/http/serve";
import type { Listener } from "#authz/transport/listener";
import { loadTlsMaterial } from "#platform/tls-material";
import { createAuthority } from "#test/support/service/certificates";
import { fakeRecord } from "#test/support/service/fake-checks";
import { listenerSettings, listenerStart } from "#test/support/service/listener-start";
import { rawClient } from "#test/support/service/raw-http";
import { tempFolder } from "#test/support/service/temp-folder";

interface Served {
  readonly listener: Listener;
  readonly seen: HttpCheckRequest[];
  readonly reasons: () => string[];
}

const allowed: HttpCheckResponse = { status: 200, headers: [], body: "" };

async function served(
  t: TestContext,
  more: Partial<HttpListenerStart> & { maxMessageBytes?: number; deadlineMillis?: number } = {},
) {
  const seen: HttpCheckRequest[] = [];
  const { maxMessageBytes = 1024 * 1024, deadlineMillis = 5_000 } = more;
  const settings = listenerSettings("http", { maxMessageBytes, deadlineMillis });
  const { start, records } = listenerStart("http", { settings });
  const check: HttpCheck = (request, listener, remainingMillis) => {
    seen.push(request);
    return (
      more.check?.(request, listener, remainingMillis) ?? { response: allowed, record: fakeRecord(listener, "allow") }
    );
  };
  const { patience = defaultPatience, tls } = more;
  const listener = await serveHttp({ ...start, check, patience, tls });
  t.after(() => listener.stop(AbortSignal.abort()));
  const out: Served = { listener, seen, reasons: () => records.map(({ decision }) => decision.reason) };
  return out;
}

function answering(response: Partial<HttpCheckResponse>): HttpCheck {
  return (_request, listener) => ({ response: { ...allowed, ...response }, record: fakeRecord(listener, "deny") });
}

/** What has to reach the check as it was sent: the request as bytes, and what the check must see. */
const passing: readonly (readonly [title: string, bytes: string, seen: Partial<HttpCheckRequest>])[] = [
  [
    "names in wire case, duplicates apart, values as Latin-1",
    "GET /a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nX-B: \xe9\xff\r\nCookie: a\r\nCookie: b\r\n\r\n",
    {
      method: "GET",
      target: "/a",
      headers: [
        ["Host", "h"],
        ["X-A", "1"],
        ["x-a", "2"],
        ["X-B", "\xe9\xff"],
        ["Cookie", "a"],
        ["Cookie", "b"],
      ],
    },
  ],
  [
    "two hosts",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    {
      headers: [
        ["Host", "a"],
        ["Host", "b"],
      ],
    },
  ],
  ["no host", "GET / HTTP/1.1\r\n\r\n", { headers: [] }],
  [
    "two authorizations",
    "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    {
      headers: [
        ["Host", "h"],
        ["Authorization", "a"],
        ["Authorization", "b"],
      ],
    },
  ],
  ["an odd target", "GET //a/../%2e%zz?x=%00#f HTTP/1.1\r\nHost: h\r\n\r\n", { target: "//a/../%2e%zz?x=%00#f" }],
  ["a target in absolute form", "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", { target: "http://h/a" }],
  ["an asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", { method: "OPTIONS", target: "*" }],
  ["a CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", { method: "CONNECT", target: "h:443" }],
  ["a QUERY", "QUERY /q HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", { method: "QUERY" }],
  ["an upgrade", "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", { target: "/ws" }],
  [
    "an expectation that nobody knows",
    "POST /e HTTP/1.1\r\nHost: h\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n",
    { target: "/e" },
  ],
  [
    "an unknown media type and a broken body",
    "POST /j HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
    { body: new Uint8Array([0x7b]) },
  ],
  [
    "a chunked body",
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    { body: new Uint8Array([0x61, 0x62, 0x63]) },
  ],
  ["60 KB of headers", `GET /l HTTP/1.1\r\nHost: h\r\nX-L: ${"l".repeat(60_000)}\r\n\r\n`, { target: "/l" }],
  ["two thousand headers", `GET /m HTTP/1.1\r\nHost: h\r\n${"a: b\r\n".repeat(2_000)}\r\n`, { target: "/m" }],
];

for (const [title, bytes, expected] of passing) {
  test(`the check sees ${title}`, async (t) => {
    const { listener, seen } = await served(t);
    const client = rawClient(t, listener.address);
    client.send(bytes);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
    assert.equal(seen.length, 1);
    for (const [key, value] of Object.entries(expected)) {
      const actual = seen[0]![key as keyof HttpCheckRequest];
      assert.deepEqual(actual instanceof Uint8Array ? new Uint8Array(actual) : actual, value);
    }
  });
}

/** What cannot be read is answered, with a denial that Envoy relays, and the connection ends. */
const refused: readonly (readonly [title: string, bytes: string, status: number])[] = [
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ["a method that the parser does not know", "FROBNICATE / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["a header without a colon", "GET / HTTP/1.1\r\nHost: h\r\nbroken\r\n\r\n", 400],
  ["a NUL in a header", "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400],
  ["a bare line feed before a header", "GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n", 400],
  ["two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["100 KB of headers", `GET / HTTP/1.1\r\nHost: h\r\nX-L: ${"l".repeat(100_000)}\r\n\r\n`, 431],
];

for (const [title, bytes, status] of refused) {
  test(`${title} is answered ${status}, and nothing is asked`, async (t) => {
    const { listener, seen, reasons } = await served(t);
    const client = rawClient(t, listener.address);
    client.send(bytes);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, status);
    await client.ended;
    assert.deepEqual(seen, []);
    assert.deepEqual(reasons(), ["request/unreadable"]);
  });
}

test("requests in a pipeline are answered in their order", async (t) => {
  const release = Promise.withResolvers<void>();
  const check: HttpCheck = async (request, listener): Promise<HttpCheckOutcome> => {
    if (request.target === "/0") await release.promise;
    if (request.target === "/2") release.resolve();
    return { response: { status: 200, headers: [], body: request.target }, record: fakeRecord(listener, "allow") };
  };
  const { listener } = await served(t, { check });
  const client = rawClient(t, listener.address);
  client.send([0, 1, 2].map((i) => `GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""));
  assert.deepEqual(
    (await client.answers(3)).map(({ body }) => body),
    ["/0", "/1", "/2"],
  );
});

test("a CONNECT behind a request that still waits gets no answer that could be taken for the other's", async (t) => {
  const { listener } = await served(t, {
    check: (request, settings) =>
      request.method === "CONNECT"
        ? { response: allowed, record: fakeRecord(settings, "allow") }
        : new Promise<HttpCheckOutcome>(() => undefined),
  });
  const client = rawClient(t, listener.address);
  client.send("GET /0 HTTP/1.1\r\nHost: h\r\n\r\nCONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n");
  assert.equal(await client.ended, "");
});

test("a body above the limit is denied, announced or not, and the connection ends", async (t) => {
  const { listener, seen, reasons } = await served(t, { maxMessageBytes: 1024 });
  const announced = rawClient(t, listener.address);
  announced.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2048\r\n\r\n${"a".repeat(2048)}`);
  assert.equal((await announced.answers(1))[0]?.status, 413);
  await announced.ended;
  const chunked = rawClient(t, listener.address);
  chunked.send(
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${"a".repeat(2048)}\r\n0\r\n\r\n`,
  );
  assert.equal((await chunked.answers(1))[0]?.status, 413);
  await chunked.ended;
  assert.deepEqual(seen, []);
  assert.deepEqual(reasons(), ["request/too-large", "request/too-large"]);
});

test("a check that throws or rejects denies", async (t) => {
  for (const check of [
    () => {
      throw new Error("defect");
    },
    () => Promise.reject(new Error("defect")),
  ] satisfies HttpCheck[]) {
    const { listener, reasons } = await served(t, { check });
    const client = rawClient(t, listener.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const [answer] = await client.answers(1);
    assert.deepEqual([answer?.status, answer?.body], [403, ""]);
    assert.deepEqual(reasons(), ["internal/defect"]);
  }
});

test("a check that never answers denies at the deadline", async (t) => {
  const { listener, reasons } = await served(t, { check: () => new Promise(() => undefined), deadlineMillis: 5 });
  const client = rawClient(t, listener.address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await client.answers(1))[0]?.status, 403);
  assert.deepEqual(reasons(), ["request/deadline"]);
});

const waits: readonly (readonly [said: string, mostMillis: number, leastMillis: number])[] = [
  ["", 60_000, 30_000],
  ["x-envoy-expected-rq-timeout-ms: 20000\r\n", 18_000, 1],
  ["x-envoy-expected-rq-timeout-ms: 900000\r\n", 60_000, 30_000],
  ["x-envoy-expected-rq-timeout-ms: 0\r\n", 0, 0],
  ["x-envoy-expected-rq-timeout-ms: soon\r\n", 60_000, 30_000],
  ["x-envoy-expected-rq-timeout-ms: 5\r\nx-envoy-expected-rq-timeout-ms: 5\r\n", 60_000, 30_000],
];

for (const [said, mostMillis, leastMillis] of waits) {
  test(`a check has nine tenths of the time that Envoy waits: ${JSON.stringify(said)}`, async (t) => {
    let given: number | undefined;
    const { listener } = await served(t, {
      deadlineMillis: 60_000,
      check: (_, settings, remainingMillis) => {
        given = remainingMillis?.();
        return { response: allowed, record: fakeRecord(settings, "allow") };
      },
    });
    const client = rawClient(t, listener.address);
    client.send(`GET / HTTP/1.1\r\nHost: h\r\n${said}\r\n`);
    assert.equal((await client.answers(1))[0]?.status, 200);
    assert.ok(given !== undefined && given <= mostMillis && given >= leastMillis, String(given));
  });
}

test("a check that never answers denies before Envoy gives up", async (t) => {
  const check: HttpCheck = () => new Promise(() => undefined);
  const { listener, reasons } = await served(t, { check, deadlineMillis: 3_600_000 });
  const client = rawClient(t, listener.address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\nx-envoy-expected-rq-timeout-ms: 20\r\n\r\n");
  assert.equal((await client.answers(1))[0]?.status, 403);
  assert.deepEqual(reasons(), ["request/deadline"]);
});

const odd: readonly (readonly [title: string, response: Partial<HttpCheckResponse>, status: number])[] = [
  ["a 500", { status: 500 }, 403],
  ["a 503", { status: 503 }, 403],
  ["an interim status", { status: 101 }, 403],
  ["no status", { status: Number.NaN }, 403],
  ["a broken name in a denial", { status: 401, headers: [["a b", "c"]] }, 401],
  ["a line break in an allowed answer", { status: 200, headers: [["x", "a\r\nx-evil: 1"]] }, 403],
  ["a length of its own in an allowed answer", { status: 200, headers: [["Content-Length", "99"]] }, 403],
];

for (const [title, response, status] of odd) {
  test(`a check that answers with ${title} is sent as ${status}`, async (t) => {
    const { listener } = await served(t, { check: answering(response) });
    const client = rawClient(t, listener.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, status);
    assert.deepEqual(
      answer?.headers.map(([name]) => name),
      ["content-length"],
    );
  });
}

test("a client gets the answer's headers and bytes and nothing more, lines of one name apart", async (t) => {
  const headers = [
    ["set-cookie", "a"],
    ["set-cookie", "b"],
    ["x-latin", "\xe9"],
  ] as const;
  const { listener } = await served(t, { check: answering({ status: 403, headers, body: "RBAC: access denied" }) });
  const client = rawClient(t, listener.address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const [answer] = await client.answers(1);
  assert.deepEqual(answer, {
    status: 403,
    headers: [...headers, ["content-length", "19"]],
    body: "RBAC: access denied",
  });
});

test("HEAD gets headers without a body", async (t) => {
  const { listener } = await served(t, { check: answering({ status: 403, body: "no" }) });
  const client = rawClient(t, listener.address);
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  assert.match(await client.ended, /^HTTP\/1\.1 403 Forbidden\r\ncontent-length: 2\r\n.*\r\n\r\n$/s);
});

test("the connection stays for the next request, until the end is announced", async (t) => {
  const { listener } = await served(t);
  const client = rawClient(t, listener.address);
  const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(request);
  await client.answers(1);
  client.send(request);
  await client.answers(2);
  listener.announceEnd();
  client.send(request);
  const answers = await client.answers(3);
  assert.deepEqual(answers[2]?.headers.at(-1), ["Connection", "close"]);
  await client.ended;
});

test("a running request is finished when the listener stops; new connections are not taken", async (t) => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { listener } = await served(t, {
    check: async (_request, settings) => {
      asked.resolve();
      await release.promise;
      return { response: allowed, record: fakeRecord(settings, "allow") };
    },
  });
  const client = rawClient(t, listener.address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await asked.promise;
  const stopped = listener.stop(new AbortController().signal);
  const late = rawClient(t, listener.address);
  assert.equal(await late.ended, "");
  release.resolve();
  assert.equal((await client.answers(1))[0]?.status, 200);
  await stopped;
});

test("a client that is too slow with its headers or its body is answered 408, and its connection ends", async (t) => {
  const patience = { headersMillis: 20, requestMillis: 20, checkMillis: 5 };
  const { listener, seen, reasons } = await served(t, { patience });
  for (const beginning of [
    "GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
  ]) {
    const client = rawClient(t, listener.address);
    client.send(beginning);
    assert.match(await client.ended, /^HTTP\/1\.1 408 /);
  }
  assert.deepEqual(seen, []);
  assert.deepEqual(reasons(), ["request/unreadable", "request/unreadable"]);
});

test("over mutual TLS only a client that is allowed by name is answered", async (t) => {
  const folder = await tempFolder(t);
  const authority = createAuthority(folder, "ca");
  const server = authority.issue("server", "DNS:localhost");
  const good = authority.issue("good", "URI:spiffe://example.org/envoy");
  const other = authority.issue("other", "URI:spiffe://example.org/other");
  const tls = await loadTlsMaterial({
    certificateFile: server.certificateFile,
    keyFile: server.keyFile,
    clientCaFile: authority.caFile,
    allowedClients: ["spiffe://example.org/envoy"],
  });
  const { listener, seen } = await served(t, { tls });
  const { address } = listener;
  assert.ok(address.kind === "tcp");
  const ask = (identity: { cert?: Buffer; key?: Buffer; session?: Buffer }) =>
    new Promise<{ text: string; session: Buffer | undefined }>((resolve, reject) => {
      let session: Buffer | undefined;
      let text = "";
      const options = {
        host: "localhost",
        port: address.port,
        ca: authority.ca,
        ALPNProtocols: ["http/1.1"],
        ...identity,
      };
      const socket = connectTls(options, () => {
        socket.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      });
      socket.on("session", (ticket: Buffer) => {
        session = ticket;
      });
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.on("error", reject);
      socket.on("close", () => resolve({ text, session }));
    });
  const { cert, key } = good;
  const first = await ask({ cert, key });
  assert.match(first.text, /^HTTP\/1\.1 200 /);
  assert.ok(first.session !== undefined);
  assert.match((await ask({ cert, key, session: first.session })).text, /^HTTP\/1\.1 200 /, "a resumed session");
  const refused = await ask({ cert: other.cert, key: other.key }).catch(() => ({ text: "" }));
  assert.equal(refused.text, "");
  assert.equal((await ask({}).catch(() => ({ text: "" }))).text, "");
  assert.equal(seen.length, 2);
});

test("a client that is too slow with its headers does not keep the listener from stopping", async (t) => {
  const { listener } = await served(t);
  const client = rawClient(t, listener.address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ");
  await once(client.socket, "connect");
  const deadline = new AbortController();
  const stopped = listener.stop(deadline.signal);
  deadline.abort();
  await stopped;
  await client.ended;
});
