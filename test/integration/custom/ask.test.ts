import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { createProviderConnections } from "#authz/custom/connections";
import type { CustomProvider, ProviderConnections, ProviderQuestion } from "#authz/custom/contract";
import { causeOf } from "#authz/custom/grpc/call-cause";
import { systemClock } from "#platform/clock";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import { makeCertificates } from "#test/support/certificates";
import { lastingPort } from "#test/support/lasting-port";
import { checkResponseOf } from "#test/support/providers/case-answer";
import { startCaseProvider } from "#test/support/providers/case-provider";
import { startGrpcProvider } from "#test/support/providers/grpc-provider";
import { httpResponse, startHttpProvider } from "#test/support/providers/http-provider";
import { connectionQuestion, plainQuestion } from "#test/support/providers/question";
import { providersRuleSet } from "#test/support/providers/rule-set";
import { until } from "#test/support/until";

type Entry = Parameters<typeof providersRuleSet>[0][number];

function connectionsOf(t: TestContext, authorities?: Buffer): ProviderConnections {
  const connections = createProviderConnections({ clock: systemClock, ...(authorities && { authorities }) });
  t.after(() => connections.stop());
  return connections;
}

function providerOf(t: TestContext, entry: Omit<Entry, "name">, authorities?: Buffer): CustomProvider {
  const found = connectionsOf(t, authorities)
    .providersOf(providersRuleSet([{ name: "p", ...entry }]))
    .find("p");
  assert.ok(found);
  return found;
}

async function started<T extends { stop(): Promise<void> }>(t: TestContext, starting: Promise<T>): Promise<T> {
  const thing = await starting;
  t.after(() => thing.stop());
  return thing;
}

const LONG = 30_000;

for (const kind of ["http", "grpc"] as const) {
  test(`${kind}: allowed, denied and failed, as the options say`, async (t) => {
    const server = await started(t, startCaseProvider(kind));
    const closed = providerOf(t, { kind, port: server.port, options: { statusOnError: "503" } });
    const open = providerOf(t, { kind, port: server.port, options: { failOpen: true, statusOnError: "503" } });
    server.answer({});
    for (const provider of [closed, open]) {
      const outcome = await provider.ask(plainQuestion(), LONG);
      assert.deepEqual(outcome, { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: undefined });
    }
    server.answer({ status: 401, headers: [["x-why", "no"]], body: "who?" });
    for (const provider of [closed, open]) {
      const outcome = await provider.ask(plainQuestion(), LONG);
      assert.deepEqual(outcome, {
        kind: "denied",
        status: 401,
        headers: [{ name: "x-why", value: "no", add: false }],
        body: "who?",
      });
    }
    server.answer({ reset: true });
    const failed = await closed.ask(plainQuestion(), LONG);
    assert.deepEqual([failed.kind, failed.kind === "failed" && failed.status], ["failed", 503]);
    const passed = await open.ask(plainQuestion(), LONG);
    assert.ok(passed.kind === "allowed" && passed.failedOpen !== undefined);
    assert.equal(server.calls(), 6);
  });

  test(`${kind}: the provider's timeout, and the caller's time before it`, async (t) => {
    const server = await started(t, startCaseProvider(kind));
    server.answer({ hang: 60 });
    const quick = providerOf(t, { kind, port: server.port, options: { timeout: "0.05s" } });
    assert.equal((await quick.ask(plainQuestion(), LONG)).kind, "failed");
    const patient = providerOf(t, { kind, port: server.port, options: { timeout: "0s", failOpen: true } });
    const passed = await patient.ask(plainQuestion(), 60);
    assert.ok(passed.kind === "allowed" && passed.failedOpen !== undefined);
    const late = await patient.ask(plainQuestion(), 3);
    assert.ok(late.kind === "allowed" && late.failedOpen === "no time was left to ask");
    assert.equal(server.calls(), 2);
  });

  test(`${kind}: nobody listens, then somebody does`, async (t) => {
    const port = await lastingPort();
    const provider = providerOf(t, { kind, port });
    const outcome = await provider.ask(plainQuestion(), LONG);
    assert.ok(outcome.kind === "failed" && outcome.status === 403, JSON.stringify(outcome));
    const said = {
      http: `the connection failed: ECONNREFUSED (127.0.0.1:${port})`,
      grpc: `the call ended with UNAVAILABLE: connection refused (127.0.0.1:${port})`,
    };
    assert.equal(outcome.detail, said[kind]);
  });

  test(`${kind}: a provider that begins to fail and answers again is told of once each, every failure is counted`, async (t) => {
    const server = await started(t, startCaseProvider(kind));
    const told: unknown[] = [];
    const connections = createProviderConnections({
      clock: systemClock,
      onFailure: (name, consequence) => told.push([name, consequence]),
      onTurn: (status, fault) => told.push([status.name, status.failing, fault !== undefined]),
    });
    t.after(() => connections.stop());
    const options = { failOpen: kind === "http" };
    const provider = connections
      .providersOf(providersRuleSet([{ name: "p", kind, port: server.port, options }]))
      .find("p")!;
    const ask = async (answer: Parameters<typeof server.answer>[0]) => {
      server.answer(answer);
      await provider.ask(plainQuestion(), LONG);
      return connections.status()[0]?.failing;
    };
    const consequence = options.failOpen ? "failed_open" : "refused";
    assert.deepEqual([await ask({}), told], [false, []]);
    assert.equal(await ask({ reset: true }), true);
    assert.equal(await ask({ reset: true }), true);
    assert.equal(await ask({ status: 401 }), false, "a refusal is an answer");
    assert.equal(await ask({}), false);
    assert.deepEqual(told, [
      ["p", consequence],
      ["p", true, true],
      ["p", consequence],
      ["p", false, false],
    ]);
  });
}

test("a gRPC provider's own words are not repeated, whatever they look like", () => {
  const cases: readonly (readonly [code: status, details: string, cause: string | undefined])[] = [
    [status.UNAVAILABLE, "hush", undefined],
    [status.UNAVAILABLE, "ECONNREFUSED hush", undefined],
    [status.INTERNAL, "No connection established. Last error: hush", undefined],
    [status.UNAVAILABLE, "No connection established. Last error: hush", "no connection"],
    [status.UNAVAILABLE, "No connection established. Last error: connect ENOENT /hush", "no such socket"],
    [status.UNAVAILABLE, "Name resolution failed for target dns:hush:1", "the name could not be resolved"],
    [status.DEADLINE_EXCEEDED, "Deadline exceeded after 0.1s,hush", "no answer in time"],
  ];
  for (const [code, details, cause] of cases) assert.equal(causeOf(code, details), cause, details);
});

test("what cannot be put to a provider is no failure of it", async (t) => {
  const server = await started(t, startCaseProvider("http"));
  const connections = connectionsOf(t);
  const provider = connections
    .providersOf(providersRuleSet([{ name: "p", kind: "http", port: server.port }]))
    .find("p");
  assert.equal((await provider?.ask(connectionQuestion, LONG))?.kind, "failed");
  const [status] = connections.status();
  assert.deepEqual([status?.failing, status?.lastFault?.message], [false, "an HTTP provider knows no connections"]);
});

test("a name that nobody knows is told as that", async (t) => {
  const base = providersRuleSet([{ name: "p", kind: "grpc", port: 9 }]);
  const [service] = base.services;
  const endpoints = service!.endpoints.map((endpoint) => ({ ...endpoint, address: "nowhere.invalid" }));
  const provider = connectionsOf(t)
    .providersOf({ ...base, services: [{ ...service!, endpoints }] })
    .find("p");
  const outcome = await provider?.ask(plainQuestion(), LONG);
  assert.ok(outcome?.kind === "failed");
  assert.match(
    outcome.detail,
    /^the call ended with UNAVAILABLE: the name could not be resolved \(nowhere\.invalid:9\)$/,
  );
});

test("a provider that came back is found again", async (t) => {
  const first = await startGrpcProvider({ port: await lastingPort() });
  const provider = providerOf(t, { kind: "grpc", port: first.port });
  assert.equal((await provider.ask(plainQuestion(), LONG)).kind, "allowed");
  await first.stop();
  assert.equal((await provider.ask(plainQuestion(), LONG)).kind, "failed");
  await started(t, startGrpcProvider({ port: first.port }));
  await until(async () => (await provider.ask(plainQuestion(), LONG)).kind === "allowed");
});

test("a connection: gRPC providers are told its peers and server name, HTTP providers are not asked", async (t) => {
  const server = await started(t, startGrpcProvider());
  const provider = providerOf(t, { kind: "grpc", port: server.port });
  assert.equal((await provider.ask(connectionQuestion, LONG)).kind, "allowed");
  const [asked] = server.take();
  const { source, destination, request, metadataContext } = asked!.request.attributes!;
  assert.equal(source?.principal, "spiffe://cluster.local/ns/foo/sa/a");
  assert.deepEqual(source?.address?.address.value, destination && { ...source?.address?.address.value });
  assert.equal(destination?.service, "db.example");
  assert.equal(request, undefined);
  assert.ok(metadataContext !== undefined);
  server.answer(() => checkResponseOf({ status: 403 }));
  assert.equal((await provider.ask(connectionQuestion, LONG)).kind, "denied");
  const web = providerOf(t, { kind: "http", port: server.port });
  assert.equal((await web.ask(connectionQuestion, LONG)).kind, "failed");
});

test("what the asking Envoy tells Garita alone is told to nobody", async (t) => {
  const headers = { "x-garita-secret": ["s"], "x-garita-body": ["9"], "x-a": ["1"] };
  const grpc = await started(t, startGrpcProvider());
  await providerOf(t, { kind: "grpc", port: grpc.port }).ask(plainQuestion(headers), LONG);
  const told = Object.keys(grpc.take()[0]!.request.attributes!.request!.http!.headers);
  assert.deepEqual(told.toSorted(), [":authority", ":method", ":path", ":scheme", "x-a"]);
  const http = await started(t, startHttpProvider());
  const options = {
    includeRequestHeadersInCheck: ["x-*"],
    includeAdditionalHeadersInCheck: { "x-s": "%REQ(x-garita-secret)%" },
  };
  await providerOf(t, { kind: "http", port: http.port, options }).ask(plainQuestion(headers), LONG);
  assert.deepEqual(
    http.take()[0]?.headers.map(([name]) => name),
    ["host", "content-length", "x-a"],
  );
});

test("edits of the stage before are what a provider is asked about", async (t) => {
  const question = plainQuestion({ "x-a": ["1"], "x-b": ["2"] });
  question.http!.request.set("x-a", ["new"]);
  question.http!.request.set("x-c", ["c", "d"]);
  question.http!.request.set(":authority", ["other.example"]);
  question.http!.request.remove("x-b");
  question.http!.request.target = "/b";
  const http = await started(t, startHttpProvider());
  const options = { includeRequestHeadersInCheck: ["x-*"] };
  await providerOf(t, { kind: "http", port: http.port, options }).ask(question, LONG);
  const [asked] = http.take();
  assert.equal(asked?.requestLine, "GET /b HTTP/1.1");
  assert.deepEqual(asked?.headers, [
    ["host", "other.example"],
    ["content-length", "0"],
    ["x-a", "new"],
    ["x-c", "c,d"],
  ]);
  const grpc = await started(t, startGrpcProvider());
  await providerOf(t, { kind: "grpc", port: grpc.port }).ask(question, LONG);
  const told = grpc.take()[0]!.request.attributes!.request!.http!;
  assert.deepEqual(
    [told.path, told.host, told.headers[":path"], told.headers["x-b"]],
    ["/b", "other.example", "/b", undefined],
  );
});

test("what cannot be put to an HTTP provider is not allowed, whatever failOpen says", async (t) => {
  const http = await started(t, startHttpProvider());
  const options = { failOpen: true, includeRequestHeadersInCheck: ["x-*"] };
  const provider = providerOf(t, { kind: "http", port: http.port, options });
  const question = plainQuestion();
  const changed = (target: string, more: object = {}): ProviderQuestion => {
    const request = question.http!.request.copy();
    request.target = target;
    return { ...question, http: { ...question.http!, request, ...more } };
  };
  const nul = plainQuestion({ "x-a": ["a\0b"] });
  for (const asked of [
    changed("/a b"),
    changed("/a\r\nx: y"),
    changed("/\0"),
    changed("/a", { method: "CONNECT" }),
    changed("/a", { method: "GE T" }),
    changed("/a", { authority: "a\r\nx: y" }),
    connectionQuestion,
    nul,
  ]) {
    const outcome = await provider.ask(asked, LONG);
    assert.ok(outcome.kind === "failed" && outcome.status === 403, JSON.stringify(outcome));
  }
  assert.deepEqual(http.take(), []);
  assert.equal((await provider.ask(changed("/caf\xe9"), LONG)).kind, "allowed");
  assert.equal(http.take()[0]?.requestLine, "GET /caf! HTTP/1.1");
});

test("connections are kept from one question to the next", async (t) => {
  const http = await started(t, startHttpProvider());
  const provider = providerOf(t, { kind: "http", port: http.port });
  for (let i = 0; i < 10; i++) assert.equal((await provider.ask(plainQuestion(), LONG)).kind, "allowed");
  assert.equal(http.connections(), 1);
  await Promise.all(Array.from({ length: 20 }, () => provider.ask(plainQuestion(), LONG)));
  assert.ok(http.connections() <= 20);
});

test("endpoints take turns, and one that is gone is passed over", async (t) => {
  const here = await started(t, startCaseProvider("http"));
  const gone = await lastingPort();
  const base = providersRuleSet([{ name: "p", kind: "http", port: here.port }]);
  const [service] = base.services;
  const ruleSet: RuleSet = {
    ...base,
    services: [{ ...service!, endpoints: [{ address: "127.0.0.1", ports: [["p", gone]] }, ...service!.endpoints] }],
  };
  const provider = connectionsOf(t).providersOf(ruleSet).find("p");
  const kinds: (string | undefined)[] = [];
  for (let i = 0; i < 6; i++) kinds.push((await provider?.ask(plainQuestion(), LONG))?.kind);
  assert.deepEqual(kinds, ["failed", "allowed", "allowed", "allowed", "allowed", "allowed"]);
});

test("a change of rules keeps the connections of what stays, and closes those of what goes when they are idle", async (t) => {
  const http = await started(t, startHttpProvider());
  const connections = connectionsOf(t);
  const stays: Entry = { name: "stays", kind: "http", port: http.port };
  const goes: Entry = { name: "goes", kind: "http", port: http.port, options: { timeout: "9s" } };
  const before = connections.providersOf(providersRuleSet([stays, goes]));
  const ask = (provider: CustomProvider | undefined) => provider?.ask(plainQuestion(), LONG);
  await ask(before.find("stays"));
  let release: (socket: Socket) => void = () => {};
  const held = new Promise<Socket>((resolve) => {
    release = resolve;
  });
  http.answer((socket) => release(socket));
  const pending = ask(before.find("goes"));
  const socket = await held;
  const after = connections.providersOf(providersRuleSet([stays]));
  assert.equal(after.find("stays"), before.find("stays"));
  assert.equal(after.find("goes"), undefined);
  assert.equal(after.why("goes"), "provider `goes` is not defined");
  assert.deepEqual(
    connections.status().map(({ name }) => name),
    ["stays", "goes"],
  );
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(httpResponse(200));
  assert.equal((await pending)?.kind, "allowed");
  await closed;
  assert.deepEqual(
    connections.status().map(({ name }) => name),
    ["stays"],
  );
  http.answer((again) => void again.write(httpResponse(200)));
  assert.equal((await ask(before.find("goes")))?.kind, "allowed", "an older rule set can still ask");
  assert.equal((await ask(after.find("stays")))?.kind, "allowed");
  assert.equal(http.connections(), 3);
});

test("status tells targets and the last fault, nothing that a provider wrote", async (t) => {
  const server = await started(t, startCaseProvider("http"));
  server.answer({ status: 500, headers: [["x-secret", "hush"]], body: "hush" });
  const connections = connectionsOf(t);
  const provider = connections
    .providersOf(providersRuleSet([{ name: "p", kind: "http", port: server.port }]))
    .find("p");
  assert.equal(connections.status()[0]?.lastFault, undefined);
  const outcome = await provider?.ask(plainQuestion({ authorization: ["Bearer hush"] }), LONG);
  const [status] = connections.status();
  assert.equal(status?.target, `http://p.foo.svc.cluster.local:9000 (127.0.0.1:${server.port})`);
  assert.equal(status?.lastFault?.message, "an answer with status 500");
  assert.ok(!JSON.stringify([outcome, connections.status()]).includes("hush"));
});

test("an unresolved provider says why", (t) => {
  const ruleSet = providersRuleSet([{ name: "p", kind: "http", port: 1, options: { pathPrefix: "x" } }]);
  const providers = connectionsOf(t).providersOf(ruleSet);
  assert.equal(providers.find("p"), undefined);
  assert.equal(
    providers.why("p"),
    "provider `p`: expected a `pathPrefix` that begins with `/` and is part of a URL, found `x`",
  );
});

test("bodies: not sent is a failure, too large is 413 whatever the options say", async (t) => {
  const server = await started(t, startCaseProvider("http"));
  const includeRequestBodyInCheck = { maxRequestBytes: 8 };
  const provider = providerOf(t, {
    kind: "http",
    port: server.port,
    options: { includeRequestBodyInCheck, failOpen: true },
  });
  assert.ok(provider.wantsBody);
  const withBody = (body: Uint8Array | undefined): ProviderQuestion => {
    const question = plainQuestion({ "content-length": ["9"] });
    return { ...question, http: { ...question.http!, method: "POST", body } };
  };
  const missing = await provider.ask(withBody(undefined), LONG);
  assert.ok(
    missing.kind === "failed" && missing.detail.includes("with_request_body"),
    "what a client sends opens nothing",
  );
  const large = await provider.ask(withBody(Buffer.from("123456789")), LONG);
  assert.deepEqual(large, { kind: "bodyTooLarge" });
  assert.equal(server.calls(), 0);
});

test("TLS where the port says so: the name of the service, by an authority that is trusted, whatever the environment thinks of it", async (t) => {
  const certificates = await makeCertificates();
  t.after(() => certificates.remove());
  const [key, cert, authority] = ["server.key", "server.crt", "ca.crt"].map((name) =>
    readFileSync(join(certificates.directory, name)),
  );
  const web = createHttpsServer({ key, cert }, (_, response) => response.end());
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    web.closeAllConnections();
    web.close();
  });
  const rpc = await started(t, startGrpcProvider({ tls: { certificate: cert!, key: key! } }));
  const webPort = (web.address() as { port: number }).port;
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  t.after(() => {
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  });
  for (const [trusted, host, outcome] of [
    [authority, "garita.internal", "allowed"],
    [authority, "other.internal", "failed"],
    [undefined, "garita.internal", "failed"],
  ] as const) {
    for (const [kind, port, protocol] of [
      ["http", webPort, "HTTPS"],
      ["grpc", rpc.port, "TLS"],
    ] as const) {
      const provider = providerOf(t, { kind, port, protocol, host }, trusted);
      const { kind: came } = await provider.ask(plainQuestion(), LONG);
      assert.equal(came, outcome, `${kind} ${host} ${trusted !== undefined}`);
    }
  }
  assert.deepEqual(
    rpc.take().map(({ authority: told }) => told),
    ["garita.internal"],
  );
});
