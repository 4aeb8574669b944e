import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { chainLimit } from "#platform/door/client-chain";
import { AgentConnection, certChainOf, certificateRequest } from "#test/support/ca/agent-calls";
import { type DoorCertificates, makeDoorCertificates, type Pair } from "#test/support/ca/door-certificates";
import { type DoorOptions, openDoor } from "#test/support/ca/doors";
import { fakeIssued } from "#test/support/ca/fake-authority";
import { framed, rawCall, rawSession } from "#test/support/ca/raw-call";

let made: DoorCertificates;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "garita-doors-"));
  made = makeDoorCertificates(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

const kinds = ["istio", "http"] as const;
type Kind = (typeof kinds)[number];
const alpn = { istio: "h2", http: "http/1.1" } as const;
const message = certificateRequest("csr", 1);

/** Asks for a certificate over one new connection of its own. */
async function ask(t: TestContext, kind: Kind, port: number, options: ConnectionOptions): Promise<void> {
  // With the root at hand, OpenSSL's client would send it along.
  const tls = { ca: [], rejectUnauthorized: false, ...options };
  if (kind === "istio") {
    const session = rawSession(port, tls);
    t.after(() => session.destroy());
    assert.equal((await rawCall(session, framed(message))).grpcStatus, "0");
    return;
  }
  assert.equal(await post(port, { ...tls, agent: false }), 200);
}

/** The status of an answer to `{csr}`. */
async function post(port: number, options: RequestOptions): Promise<number | undefined> {
  const headers = { "content-type": "application/json" };
  const asked = request({ port, host: "localhost", method: "POST", path: "/v1/certificates", headers, ...options });
  asked.end('{"csr":"PEM"}');
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}

/** Also for one that failed. */
function closed(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

function der(...pems: readonly string[]): readonly string[] {
  return pems.map((pem) => new X509Certificate(pem).raw.toString("hex"));
}

function hex(chain: readonly Uint8Array[] | undefined): readonly string[] {
  return (chain ?? []).map((one) => Buffer.from(one).toString("hex"));
}

function open(t: TestContext, kind: Kind, options: DoorOptions = {}) {
  return openDoor(t, kind, { tls: made.server, ...options });
}

for (const kind of kinds) {
  test(`${kind}: the certificates of a client come as it sent them, whoever signed them`, async (t) => {
    const { port, asked } = await open(t, kind);
    const leaf = made.leaf("a");
    const cases: readonly (readonly [cert: readonly string[], pair: Pair])[] = [
      [[leaf.cert], leaf],
      [[leaf.cert, made.issuer], leaf],
      [[leaf.cert, made.issuer, made.root], leaf],
      [[leaf.cert, made.otherRoot, made.otherRoot, made.issuer], leaf],
      [[made.selfSigned.cert], made.selfSigned],
      [[made.selfSigned.cert, made.selfSigned.cert], made.selfSigned],
      [[made.server.cert], made.server],
    ];
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      for (const [certs, { key }] of cases) {
        await ask(t, kind, port, { cert: certs.join(""), key, minVersion: version, maxVersion: version });
        assert.deepEqual(hex(asked.at(-1)?.credentials.clientCertificates), der(...certs), version);
      }
      await ask(t, kind, port, { minVersion: version, maxVersion: version });
      assert.deepEqual(asked.at(-1)?.credentials.clientCertificates, []);
    }
  });

  test(`${kind}: of a chain of twenty, no more is read than any chain of ours has`, async (t) => {
    const { port, asked } = await open(t, kind);
    const leaf = made.leaf("a");
    const certs = [leaf.cert, ...Array.from({ length: 19 }, (_, i) => (i % 2 === 0 ? made.issuer : made.root))];
    await ask(t, kind, port, { cert: certs.join(""), key: leaf.key });
    assert.deepEqual(hex(asked[0]?.credentials.clientCertificates), der(...certs.slice(0, chainLimit)));
  });

  test(`${kind}: a chain of a hundred ends its connection, and its address is not heard for a while`, async (t) => {
    const { port, asked, logged } = await open(t, kind);
    const leaf = made.leaf("a");
    await ask(t, kind, port, leaf);
    const large = { ...leaf, cert: leaf.cert + made.issuer.repeat(99) };
    await assert.rejects(ask(t, kind, port, large));
    await assert.rejects(ask(t, kind, port, leaf));
    assert.equal(asked.length, 1);
    assert.match(logged(), /"remote":"127\.0\.0\.1",.*its address is not heard for a while/);
  });

  test(`${kind}: nothing is negotiated anew on a connection`, async (t) => {
    const { port } = await open(t, kind);
    const socket = connect({
      port,
      host: "localhost",
      ca: made.root,
      maxVersion: "TLSv1.2",
      ALPNProtocols: [alpn[kind]],
    });
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    const fault = await new Promise<Error | null>((resolve) => {
      socket.once("error", resolve);
      socket.renegotiate({}, resolve);
    });
    assert.match(String(fault), /no.renegotiation/i);
  });

  test(`${kind}: a chain that OpenSSL does not read ends its connection alone`, async (t) => {
    const { port, asked, logged } = await open(t, kind, { limits: { barMillis: 0 } });
    const leaf = made.leaf("a");
    const cert = leaf.cert + made.issuer.repeat(400);
    const socket = connect({
      port,
      host: "localhost",
      ca: made.root,
      cert,
      key: leaf.key,
      ALPNProtocols: [alpn[kind]],
    });
    socket.on("error", () => undefined);
    socket.resume();
    await closed(socket);
    await ask(t, kind, port, leaf);
    assert.equal(asked.length, 1);
    assert.match(logged(), /excessive message size/);
  });

  test(`${kind}: no session is resumed, so that no client is without its certificates`, async (t) => {
    const { port } = await open(t, kind);
    const leaf = made.leaf("a");
    const shake = async (options: ConnectionOptions) => {
      const socket = connect({
        port,
        host: "localhost",
        ca: made.root,
        ...leaf,
        ALPNProtocols: [alpn[kind]],
        ...options,
      });
      t.after(() => socket.destroy());
      let session: Buffer | undefined;
      socket.on("session", (next: Buffer) => {
        session = next;
      });
      socket.on("error", () => undefined);
      await once(socket, "secureConnect");
      // What a server has to say of sessions came before its first answer.
      socket.write(
        kind === "istio" ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "GET /v1/bundle HTTP/1.1\r\nHost: a\r\n\r\n",
      );
      await once(socket, "data");
      const resumed = socket.isSessionReused();
      socket.destroy();
      return { session, resumed };
    };
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { minVersion: version, maxVersion: version } as const;
      const { session } = await shake(options);
      assert.ok(session !== undefined, version);
      assert.equal((await shake({ ...options, session })).resumed, false, version);
    }
  });

  test(`${kind}: TLS before 1.2 is not spoken, and no protocol but the door's own`, async (t) => {
    const { port, asked } = await open(t, kind);
    const shake = async (options: ConnectionOptions) => {
      const socket = connect({ port, host: "localhost", ca: made.root, ...options });
      t.after(() => socket.destroy());
      let answered = "";
      socket.on("error", () => undefined);
      socket.on("secureConnect", () => socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"));
      socket.on("data", (chunk: Buffer) => {
        answered += chunk.toString("latin1");
        socket.destroy();
      });
      await closed(socket);
      return answered;
    };
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    assert.equal(await shake({ ...old, ALPNProtocols: ["h2"] }), "");
    assert.equal(await shake({ ALPNProtocols: ["spdy/1"] }), "");
    if (kind === "istio") assert.equal(await shake({}), "");
    assert.equal(asked.length, 0);
  });

  test(`${kind}: a new server certificate is shown from the next connection on, and the client is asked for its own as before`, async (t) => {
    const { port, door, asked } = await open(t, kind, { tls: made.misnamed });
    const shown = async (servername: string) => {
      const socket = connect({ port, host: "localhost", ca: made.root, servername, ALPNProtocols: [alpn[kind]] });
      t.after(() => socket.destroy());
      await once(socket, "secureConnect");
      return { socket, name: socket.getPeerCertificate().subject["CN"] };
    };
    const first = await shown("ca.example");
    assert.equal(first.name, "misnamed");
    door.updateTls(made.server);
    const second = await shown("localhost");
    assert.equal(second.name, "server");
    assert.equal(first.socket.destroyed, false);
    const leaf = made.leaf("a");
    await ask(t, kind, port, leaf);
    assert.deepEqual(hex(asked[0]?.credentials.clientCertificates), der(leaf.cert));
  });
}

test("istio: each call has the certificates of the very connection that it came over, however they are interleaved", async (t) => {
  const waiting: (() => void)[] = [];
  const { port, asked } = await open(t, "istio", {
    answer: async ({ csrPem, credentials: { clientCertificates } }) => {
      // All calls are inside at once before the first is answered.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 60) for (const release of waiting.splice(0).reverse()) release();
      });
      return { ...fakeIssued, chain: [csrPem, hex(clientCertificates)[0] ?? "none"] };
    },
  });
  const pairs: readonly (Pair | undefined)[] = [made.leaf("a"), made.leaf("b"), undefined];
  const agents = [0, 1, 2, 0, 1, 2].map((which) => {
    const pair = pairs[which];
    const [key, cert] = pair === undefined ? [null, null] : [Buffer.from(pair.key), Buffer.from(pair.cert)];
    const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root), key, cert));
    t.after(() => connection.close());
    return { connection, certificate: pair === undefined ? "none" : der(pair.cert)[0]! };
  });
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: 60 }, async (_, i) => {
      const { connection, certificate } = agents[i % agents.length]!;
      const name = `${round}/${i}`;
      assert.deepEqual(certChainOf(await connection.call(certificateRequest(name, 1))), [name, certificate]);
    });
    await Promise.all(calls);
  }
  assert.equal(asked.length, 180);
});

test("http: each request has the certificates of its own connection, kept alive or not", async (t) => {
  const { port, asked } = await open(t, "http");
  const agents = [made.leaf("a"), made.leaf("b")].map((pair) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2, ca: made.root, ...pair });
    t.after(() => agent.destroy());
    return { agent, certificate: der(pair.cert)[0]! };
  });
  for (let round = 0; round < 4; round++) {
    for (const { agent, certificate } of agents) {
      assert.equal(await post(port, { agent }), 200);
      assert.deepEqual(hex(asked.at(-1)?.credentials.clientCertificates), [certificate]);
    }
  }
});

test("istio: an address has as many connections as it may; one that ends makes room", async (t) => {
  const { port, logged } = await open(t, "istio", { limits: { connectionsPerAddress: 3 } });
  const shake = async (): Promise<TLSSocket | undefined> => {
    const socket = connect({ port, host: "localhost", ca: made.root, ALPNProtocols: ["h2"] });
    t.after(() => socket.destroy());
    socket.on("error", () => undefined);
    return new Promise((resolve) => {
      socket.once("secureConnect", () => resolve(socket));
      socket.once("close", () => resolve(undefined));
    });
  };
  const sockets = [await shake(), await shake(), await shake()];
  assert.ok(sockets.every((socket) => socket !== undefined));
  assert.equal(await shake(), undefined);
  assert.match(logged(), /too many connections of this address/);
  sockets[0]?.destroy();
  // The door hears of the end some time after the client.
  let again: TLSSocket | undefined;
  for (let i = 0; i < 100 && again === undefined; i++) again = await shake();
  assert.ok(again !== undefined);
});

test("istio: a client that names no host of the certificate is told so by its own TLS", async (t) => {
  const { port } = await open(t, "istio", { tls: made.misnamed });
  const connection = new AgentConnection(port, credentials.createSsl(Buffer.from(made.root)));
  t.after(() => connection.close());
  const fault = (await connection.call(message).catch((thrown: unknown) => thrown)) as ServiceError;
  assert.equal(fault.code, status.UNAVAILABLE);
  assert.match(fault.details, /altnames/);
});
