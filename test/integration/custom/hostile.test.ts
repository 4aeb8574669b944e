import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server, type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createProviderConnections } from "#authz/custom/connections";
import type { CustomProvider, ProviderOutcome } from "#authz/custom/contract";
import { systemClock } from "#platform/clock";
import { frame } from "#test/support/hostile/grpc-frames";
import { httpResponse, startHttpProvider } from "#test/support/providers/http-provider";
import { plainQuestion } from "#test/support/providers/question";
import { providersRuleSet } from "#test/support/providers/rule-set";
import { until } from "#test/support/until";

/** Two of a kind: one closed, one that fails open, so that every failure is told from an allowance. */
function providersOf(t: TestContext, kind: "http" | "grpc", port: number): readonly [CustomProvider, CustomProvider] {
  const connections = createProviderConnections({ clock: systemClock });
  t.after(() => connections.stop());
  const entries = [
    { name: "closed", kind, port },
    { name: "open", kind, port, options: { failOpen: true } },
  ];
  const providers = connections.providersOf(providersRuleSet(entries));
  return [providers.find("closed")!, providers.find("open")!];
}

/** Milliseconds for those that would never end. */
const SHORT = 150;
const LONG = 30_000;

async function outcomes(providers: readonly CustomProvider[], millis: number): Promise<readonly ProviderOutcome[]> {
  return Promise.all(providers.map((provider) => provider.ask(plainQuestion(), millis)));
}

function assertFailed([closed, open]: readonly ProviderOutcome[], title: string): void {
  assert.ok(closed?.kind === "failed" && closed.status === 403, `${title}: ${JSON.stringify(closed)}`);
  assert.ok(open?.kind === "allowed" && open.failedOpen !== undefined, `${title}: ${JSON.stringify(open)}`);
}

/** Writes for as long as the other side takes it. */
function flood(
  socket: { write(chunk: Buffer): boolean; once(event: string, listener: () => void): unknown; destroyed: boolean },
  chunk: Buffer,
): void {
  while (!socket.destroyed && socket.write(chunk));
  if (!socket.destroyed) socket.once("drain", () => flood(socket, chunk));
}

function drip(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= bytes.length) clearInterval(timer);
    else socket.write(bytes.subarray(at, ++at));
  }, 20);
  timer.unref();
}

const MiB = 1024 * 1024;
const ok = httpResponse(200);
const hugeHeader = (bytes: number) =>
  Buffer.concat([
    Buffer.from("HTTP/1.1 200 OK\r\nx-a: "),
    Buffer.alloc(bytes, "a"),
    Buffer.from("\r\ncontent-length: 0\r\n\r\n"),
  ]);

const badHttp: Readonly<Record<string, { readonly answer: (socket: Socket) => void; readonly millis?: number }>> = {
  "nothing ever": { answer: () => {}, millis: SHORT },
  "a byte now and then": { answer: (socket) => drip(socket, ok), millis: SHORT },
  "a head without an end": { answer: (socket) => void socket.write("HTTP/1.1 200 OK\r\nx-a: 1\r\n"), millis: SHORT },
  "a body without an end": {
    answer: (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"),
    millis: SHORT,
  },
  "interim answers for ever": {
    answer: (socket) => flood(socket, Buffer.from("HTTP/1.1 100 Continue\r\n\r\n")),
    millis: SHORT,
  },
  "a body that floods": {
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      flood(socket, Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MiB), Buffer.from("\r\n")]));
    },
  },
  "16 MiB of headers": { answer: (socket) => void socket.write(hugeHeader(16 * MiB)) },
  "headers for ever": {
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      flood(socket, Buffer.from(`x-a: ${"a".repeat(1000)}\r\n`.repeat(100)));
    },
  },
  "a reset": { answer: (socket) => socket.resetAndDestroy() },
  "a close in the middle of a body": {
    answer: (socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"),
  },
  "a chunk that is none": {
    answer: (socket) => void socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
  },
  "a header that is none": { answer: (socket) => void socket.write("HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n") },
  "HTTP/2": { answer: (socket) => void socket.write(Buffer.from("0000000400000000000000", "hex")) },
  "a NUL in a header": {
    answer: (socket) => void socket.write("HTTP/1.1 200 OK\r\nx-a: a\0b\r\ncontent-length: 0\r\n\r\n"),
  },
};

test("an HTTP provider that answers badly has failed, in its time and without filling the memory", async (t) => {
  const server = await startHttpProvider();
  t.after(() => server.stop());
  const providers = providersOf(t, "http", server.port);
  for (const [title, { answer, millis }] of Object.entries(badHttp)) {
    server.answer(answer);
    assertFailed(await outcomes(providers, millis ?? LONG), title);
    server.answer((socket) => void socket.write(ok));
    for (const outcome of await outcomes(providers, LONG))
      assert.deepEqual(
        outcome,
        { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: undefined },
        `after ${title}`,
      );
  }
});

test("what an HTTP provider sends beyond its answer answers no other question", async (t) => {
  const server = await startHttpProvider();
  t.after(() => server.stop());
  const [provider] = providersOf(t, "http", server.port);
  const refusal = httpResponse(403);
  for (const extra of [Buffer.concat([refusal, ok]), Buffer.concat([httpResponse(401, [], "x"), ok, ok])]) {
    for (let i = 0; i < 20; i++) {
      server.answer((socket) => void socket.write(extra));
      assert.equal((await provider.ask(plainQuestion(), LONG)).kind, "denied");
      server.answer((socket) => void socket.write(refusal));
      const next = await provider.ask(plainQuestion(), LONG);
      assert.notEqual(next.kind, "allowed", `round ${i}`);
    }
  }
});

test("nor does what it sends on a connection on which nothing was asked", async (t) => {
  const server = await startHttpProvider();
  t.after(() => server.stop());
  const [provider] = providersOf(t, "http", server.port);
  for (let i = 0; i < 10; i++) {
    let idle: Socket | undefined;
    server.answer((socket) => {
      idle = socket;
      socket.write(httpResponse(403));
    });
    assert.equal((await provider.ask(plainQuestion(), LONG)).kind, "denied");
    // What arrives together with the next question cannot be told from its answer, by no HTTP/1 client: until it is there, and the connection given up for it.
    const gone = once(idle!, "close");
    idle!.write(ok);
    await gone;
    server.answer((socket) => void socket.write(httpResponse(403)));
    const next = await provider.ask(plainQuestion(), LONG);
    assert.notEqual(next.kind, "allowed", `round ${i}`);
  }
});

test("an HTTP provider's compressed answer is no longer and no shorter than it is", async (t) => {
  const server = await startHttpProvider();
  t.after(() => server.stop());
  const [provider] = providersOf(t, "http", server.port);
  const packed = gzipSync("no");
  const head = `HTTP/1.1 403 No\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`;
  server.answer((socket) => void socket.write(Buffer.concat([Buffer.from(head), packed])));
  const outcome = await provider.ask(plainQuestion(), LONG);
  assert.ok(outcome.kind === "denied");
  assert.deepEqual(outcome.headers, [{ name: "content-encoding", value: "gzip", add: false }]);
  assert.equal(outcome.body, packed.toString("latin1"));
});

test("a refusal with a body beyond what is kept refuses all the same", async (t) => {
  const server = await startHttpProvider();
  t.after(() => server.stop());
  server.answer((socket) => void socket.write(httpResponse(429, [["x-a", "1"]], "a".repeat(2 * MiB))));
  for (const outcome of await outcomes(providersOf(t, "http", server.port), LONG))
    assert.deepEqual(outcome, {
      kind: "denied",
      status: 429,
      headers: [{ name: "x-a", value: "1", add: false }],
      body: "",
    });
});

type GrpcBehaviour = (stream: ServerHttp2Stream, session: Http2Session) => void;

function endSession(session: Http2Session): void {
  session.goaway(0, 0);
  session.destroy();
}

const grpcHead = { ":status": 200, "content-type": "application/grpc" };
const respond = (
  stream: ServerHttp2Stream,
  chunk: Buffer,
  trailers: Record<string, string> = { "grpc-status": "0" },
): void => {
  stream.respond(grpcHead, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(chunk);
};

const badGrpc: Readonly<Record<string, { readonly answer: GrpcBehaviour; readonly millis?: number }>> = {
  "nothing ever": { answer: () => {}, millis: SHORT },
  "headers and nothing more": { answer: (stream) => stream.respond(grpcHead), millis: SHORT },
  "half a message": {
    answer: (stream) => {
      stream.respond(grpcHead);
      stream.write(frame(Buffer.alloc(100)).subarray(0, 50));
    },
    millis: SHORT,
  },
  "half a message and an end": { answer: (stream) => respond(stream, frame(Buffer.alloc(100)).subarray(0, 50)) },
  "no message": { answer: (stream) => respond(stream, Buffer.of()) },
  "no CheckResponse": { answer: (stream) => respond(stream, frame(Buffer.from([0xff, 0xff, 0xff]))) },
  "a string that is no UTF-8": { answer: (stream) => respond(stream, frame(Buffer.from([0x1a, 3, 0x2a, 1, 0xff]))) },
  "a length of 4 GiB": {
    answer: (stream) => respond(stream, Buffer.concat([Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(10)])),
  },
  "a message of 5 MiB": { answer: (stream) => respond(stream, frame(Buffer.alloc(5 * MiB))) },
  "no status": { answer: (stream) => respond(stream, frame(Buffer.of()), {}) },
  "a status that denies": { answer: (stream) => respond(stream, frame(Buffer.of()), { "grpc-status": "7" }) },
  "a web page": {
    answer: (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("<html>");
    },
  },
  "status 404": {
    answer: (stream) => {
      stream.respond({ ":status": 404 });
      stream.end();
    },
  },
  "trailers alone, with an error": {
    answer: (stream) => stream.respond({ ...grpcHead, "grpc-status": "14" }, { endStream: true }),
  },
  "a reset stream": { answer: (stream) => stream.close(2) },
  GOAWAY: { answer: (_, session) => endSession(session) },
  "a closed connection": { answer: (_, session) => session.destroy() },
};

async function hostileGrpc(t: TestContext) {
  let answer: GrpcBehaviour = () => {};
  const sessions = new Set<Http2Session>();
  const server = createHttp2Server({ maxSendHeaderBlockLength: 1 << 26 });
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.resume();
    answer(stream, stream.session!);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    answer(next: GrpcBehaviour) {
      answer = next;
    },
  };
}

test("a gRPC provider that answers badly has failed, in its time", async (t) => {
  const server = await hostileGrpc(t);
  const providers = providersOf(t, "grpc", server.port);
  for (const [title, { answer, millis }] of Object.entries(badGrpc)) {
    server.answer(answer);
    assertFailed(await outcomes(providers, millis ?? LONG), title);
    server.answer((stream) => respond(stream, frame(Buffer.of())));
    await allowsAgain(providers, title);
  }
});

/** A connection that was closed is opened again after a moment. */
async function allowsAgain(providers: readonly CustomProvider[], title: string): Promise<void> {
  for (const provider of providers) {
    let outcome = await provider.ask(plainQuestion(), LONG);
    await until(async () => {
      if (outcome.kind === "allowed" && outcome.failedOpen === undefined) return true;
      outcome = await provider.ask(plainQuestion(), LONG);
      return false;
    }, `allowed after ${title}`);
    assert.deepEqual(
      outcome,
      { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: undefined },
      `after ${title}`,
    );
  }
}

test("a gRPC provider with 16 MiB of headers has failed", async (t) => {
  const server = await hostileGrpc(t);
  server.answer((stream) => {
    try {
      stream.respond({
        ...grpcHead,
        ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`x-${i}`, "a".repeat(MiB)])),
      });
      stream.end();
    } catch {
      stream.close(2);
    }
  });
  assertFailed(await outcomes(providersOf(t, "grpc", server.port), LONG), "headers");
});

test("a port that speaks something else has failed", async (t) => {
  const web = await startHttpProvider();
  t.after(() => web.stop());
  web.answer((socket) => void socket.write(ok));
  assertFailed(await outcomes(providersOf(t, "grpc", web.port), 2000), "gRPC to HTTP/1");
  const rpc = await hostileGrpc(t);
  assertFailed(await outcomes(providersOf(t, "http", rpc.port), 2000), "HTTP/1 to gRPC");
});
