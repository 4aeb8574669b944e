import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { type RefusalCode, refusals } from "#ca/refusals";
import { outsideOf } from "#ca/transport/refusal-status";
import { AgentConnection, certificateRequest } from "#test/support/ca/agent-calls";
import { type DoorCertificates, makeDoorCertificates } from "#test/support/ca/door-certificates";
import { type DoorOptions, openDoor } from "#test/support/ca/doors";
import { fakeIssued } from "#test/support/ca/fake-authority";
import {
  AgentFailure,
  type AgentSettings,
  agentRetries,
  parseAsZtunnel,
  pilotAgentSign,
  ztunnelSign,
} from "#test/support/ca/pilot-agent";
import { framed, rawCall, rawSession } from "#test/support/ca/raw-call";
import { RetryInfoSchema } from "../../../ca/transport/istio-api/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../ca/transport/istio-api/gen/google/rpc/status_pb.ts";

let made: DoorCertificates;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "garita-doors-"));
  made = makeDoorCertificates(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

/** A door with TLS, and an agent's settings for it. `waits`: how long the agent waited between attempts. */
async function served(t: TestContext, options: DoorOptions = {}) {
  const opened = await openDoor(t, "istio", { tls: made.server, ...options });
  const waits: number[] = [];
  const agent: AgentSettings = {
    port: opened.port,
    channel: credentials.createSsl(Buffer.from(made.root)),
    token: "a.token",
    wait: async (millis) => {
      waits.push(millis);
    },
  };
  return { ...opened, agent, waits };
}

const refused = (code: RefusalCode, retryAfterMillis?: number) => ({
  ok: false as const,
  code,
  explanationId: "ABCDEF123456",
  retryAfterMillis,
});

test("an agent's request reaches the core as it was sent, and the answer the agent", async (t) => {
  const { agent, asked } = await served(t);
  const csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
  const certificates = await pilotAgentSign(agent, csr, 3600);
  assert.deepEqual(certificates, { chain: "leaf\nissuer\nroots\n", roots: "roots\n", attempts: 1 });
  assert.deepEqual(asked, [
    {
      csrPem: csr,
      ttlSeconds: 3600,
      spiffeId: undefined,
      credentials: { clientCertificates: [], bearer: "a.token", operatorSocket: false, remoteAddress: "127.0.0.1" },
      door: "istio",
      certSigner: undefined,
      impersonatedIdentity: undefined,
    },
  ]);
});

test("ztunnel reads each intermediate and all roots, and refuses another's leaf", async (t) => {
  const leaf = made.leaf("ns/shop/sa/web");
  const chain = [leaf.cert, made.issuer, made.root + made.otherRoot];
  const { agent, asked } = await served(t, { answer: { ...fakeIssued, chain } });
  const identity = "spiffe://cluster.local/ns/shop/sa/web";
  const seen = await ztunnelSign(agent, "csr", identity);
  assert.deepEqual([seen.intermediates.length, seen.roots.length], [1, 2]);
  assert.ok(seen.leaf.checkIssued(seen.intermediates[0]!) && seen.intermediates[0]!.checkIssued(seen.roots[0]!));
  assert.equal(asked[0]?.impersonatedIdentity, identity);
  await assert.rejects(ztunnelSign(agent, "csr", `${identity}2`), /another's/);
  // The rule that the order of the answer is about: two intermediates in one element would be one.
  const joined = parseAsZtunnel([leaf.cert, made.issuer + made.otherRoot, made.root], identity);
  assert.equal(joined.intermediates.length, 1);
});

test("an agent takes no chain of one element", async (t) => {
  const { agent } = await served(t, { answer: { ...fakeIssued, chain: ["leaf\n"] } });
  await assert.rejects(pilotAgentSign(agent, "csr"), /empty chain/);
});

for (const code of Object.keys(refusals) as RefusalCode[]) {
  const expected = outsideOf(code).grpc;
  const again = agentRetries.has(expected);
  test(`${code}: ${status[expected]}, ${again ? "asked for again" : "asked for once"}`, async (t) => {
    const { agent, waits, asked, logged } = await served(t, { answer: refused(code) });
    const fault = await pilotAgentSign(agent, "csr").catch((thrown: unknown) => thrown);
    assert.ok(fault instanceof AgentFailure);
    assert.equal(fault.code, expected);
    assert.equal(fault.message, `${refusals[code].message} (${code}, explanation ABCDEF123456)`);
    assert.deepEqual(waits, again ? [100, 200, 400, 800] : []);
    assert.equal(asked.length, again ? 5 : 1);
    assert.doesNotMatch(logged(), /a\.token/);
  });
}

test("an agent that is refused for a moment has its certificate at the next attempt", async (t) => {
  let attempts = 0;
  const { agent, waits } = await served(t, {
    answer: () => (++attempts < 3 ? refused("rate/overload", 50) : fakeIssued),
  });
  assert.equal((await pilotAgentSign(agent, "csr")).attempts, 3);
  assert.deepEqual(waits, [100, 200]);
});

test("whoever reads details is told how long to wait", async (t) => {
  const { port } = await served(t, { answer: refused("rate/caller", 2500) });
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  const fault = (await connection
    .call(certificateRequest("csr", 1))
    .catch((thrown: unknown) => thrown)) as ServiceError;
  assert.equal(fault.code, status.RESOURCE_EXHAUSTED);
  const details = fromBinary(StatusSchema, fault.metadata.get("grpc-status-details-bin")[0] as Buffer);
  assert.equal(details.code, status.RESOURCE_EXHAUSTED);
  assert.equal(details.message, fault.details);
  const delay = anyUnpack(details.details[0]!, RetryInfoSchema)?.retryDelay;
  assert.deepEqual([delay?.seconds, delay?.nanos], [2n, 500_000_000]);
});

test("a core that fails is INTERNAL, and its reason is in the log alone", async (t) => {
  const { agent, logged } = await served(t, {
    answer: () => {
      throw new Error("the secret reason");
    },
  });
  await assert.rejects(pilotAgentSign(agent, "csr"), {
    code: status.INTERNAL,
    message: "the call failed",
    attempts: 5,
  });
  assert.match(logged(), /the secret reason/);
});

test("metadata is told, and a signer that is no text refused", async (t) => {
  const { port, asked } = await served(t);
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  await connection.call(certificateRequest("csr", 0, { CertSigner: "clusterissuers.x/y", ImpersonatedIdentity: "z" }));
  assert.deepEqual([asked[0]?.certSigner, asked[0]?.impersonatedIdentity], ["clusterissuers.x/y", "z"]);
  assert.equal(asked[0]?.ttlSeconds, 0);
  for (const bytes of [Buffer.from("0a05", "hex"), Buffer.from("220f0a0d0a0a436572745369676e6572", "hex")])
    await assert.rejects(connection.call(bytes), { code: status.INVALID_ARGUMENT });
  assert.equal(asked.length, 1);
});

test("several authorizations are refused, none of them told", async (t) => {
  const { port, asked, logged } = await served(t);
  const session = rawSession(port, { ca: made.root });
  t.after(() => session.destroy());
  const message = framed(certificateRequest("csr", 1));
  for (const authorization of [
    ["Bearer aSecret", "Bearer bSecret"],
    ["Basic aSecret"],
    [`Bearer ${"aSecret".repeat(2500)}`],
  ]) {
    const { grpcStatus, grpcMessage } = await rawCall(session, message, { authorization });
    assert.equal(grpcStatus, String(status.UNAUTHENTICATED), authorization[0]);
    assert.doesNotMatch(grpcMessage + logged(), /Secret/);
  }
  assert.equal(asked.length, 0);
  assert.equal((await rawCall(session, message, { authorization: "Bearer aSecret" })).grpcStatus, "0");
  assert.equal(asked[0]?.credentials.bearer, "aSecret");
});

test("an agent refuses a door whose certificate names another host", async (t) => {
  const { agent, asked } = await served(t, { tls: made.misnamed });
  await assert.rejects(pilotAgentSign(agent, "csr"), { code: status.UNAVAILABLE, attempts: 5 });
  assert.equal(asked.length, 0);
});

test("an agent refuses a door of another authority", async (t) => {
  const { agent, asked } = await served(t);
  const channel = credentials.createSsl(Buffer.from(made.otherRoot));
  await assert.rejects(pilotAgentSign({ ...agent, channel }, "csr"), { code: status.UNAVAILABLE, attempts: 5 });
  assert.equal(asked.length, 0);
});

test("in plain text, when so configured, this machine's agents are served with their tokens", async (t) => {
  const { port, asked } = await openDoor(t, "istio");
  const connection = new AgentConnection(port, credentials.createInsecure());
  t.after(() => connection.close());
  await connection.call(certificateRequest("csr", 1), [["authorization", "Bearer a.token"]]);
  assert.deepEqual(asked[0]?.credentials, {
    clientCertificates: [],
    bearer: "a.token",
    operatorSocket: false,
    remoteAddress: "127.0.0.1",
  });
});

test("a door in plain text that others would reach does not open", async (t) => {
  await assert.rejects(openDoor(t, "istio", { address: { kind: "tcp", host: "0.0.0.0", port: 0 } }), {
    code: "door/plain-text",
  });
});

test("health is told to everybody", async (t) => {
  let healthy = true;
  const { port } = await served(t, { serving: () => healthy });
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  const { Check } = healthService as unknown as Record<
    string,
    { requestSerialize(value: unknown): Buffer; responseDeserialize(bytes: Buffer): { status: string } }
  >;
  const check = async (name: string) => {
    const bytes = await connection.call(Check!.requestSerialize({ service: name }), [], "/grpc.health.v1.Health/Check");
    return Check!.responseDeserialize(Buffer.from(bytes)).status;
  };
  assert.equal(await check(""), "SERVING");
  healthy = false;
  assert.equal(await check("istio.v1.auth.IstioCertificateService"), "NOT_SERVING");
  await assert.rejects(check("other.Service"), { code: status.NOT_FOUND });
  await assert.rejects(connection.call(Buffer.from("0bff", "hex"), [], "/grpc.health.v1.Health/Check"), {
    code: status.INVALID_ARGUMENT,
  });
  await assert.rejects(connection.call(new Uint8Array(), [], "/grpc.health.v1.Health/Watch"), {
    code: status.UNIMPLEMENTED,
  });
});

test("a door that ends lets its calls finish, and sends the clients away", async (t) => {
  let release: (() => void) | undefined;
  const entered = Promise.withResolvers<void>();
  const { port, door } = await served(t, {
    answer: async () => {
      entered.resolve();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return fakeIssued;
    },
  });
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  const running = connection.call(certificateRequest("csr", 1));
  await entered.promise;
  const stopped = door.stop(new AbortController().signal);
  release?.();
  assert.ok((await running).length > 0);
  await stopped;
  await assert.rejects(connection.call(certificateRequest("csr", 1)), { code: status.UNAVAILABLE });
});

test("a door whose time is up cuts off what still runs: UNAVAILABLE, which agents take for a reason to go on", async (t) => {
  const entered = Promise.withResolvers<void>();
  const { port, door } = await served(t, {
    answer: () => {
      entered.resolve();
      return new Promise(() => undefined);
    },
  });
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  const running = connection.call(certificateRequest("csr", 1));
  const failed = assert.rejects(running, { code: status.UNAVAILABLE });
  await entered.promise;
  await door.stop(AbortSignal.abort());
  await failed;
});

test("of agents that keep their connection and ask nothing the one that has asked longest ago is told to go, and comes again", async (t) => {
  const { agent, asked } = await served(t, { limits: { idleConnections: 2 } });
  const message = certificateRequest("csr", 0);
  const agents = Array.from({ length: 3 }, () => new AgentConnection(agent.port, agent.channel));
  t.after(() => {
    for (const each of agents) each.close();
  });
  for (const each of agents) await each.call(message, [["authorization", "Bearer a.token"]]);
  // Its connection is gone by now, or is told to go: either way the call is answered, over another one.
  for (const each of agents) {
    await each.call(message, [["authorization", "Bearer a.token"]]).catch((fault: ServiceError) => {
      assert.equal(fault.code, status.UNAVAILABLE);
      return each.call(message, [["authorization", "Bearer a.token"]]);
    });
  }
  assert.equal(asked.length, 6);
});
