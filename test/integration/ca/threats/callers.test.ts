import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { credentials as ChannelCredentials } from "@grpc/grpc-js";
import type { RegistrationEntry } from "#ca/registration/contract";
import { serveHttp } from "#ca/transport/http/serve";
import { serveIstio } from "#ca/transport/istio/serve";
import { type SvidFault, svidFaults } from "#ca/x509/svid-faults";
import { defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { AgentConnection, certificateRequest } from "#test/support/ca/agent-calls";
import { clientAuth, dnsName, extensions, keyIdOf, serverAuth, uriName } from "#test/support/ca/certificate-parts";
import * as d from "#test/support/ca/der-builder";
import {
  endScene,
  entry,
  newCsr,
  nobody,
  openScene,
  type Scene,
  sceneDomain,
  testScene,
  webId,
} from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { issueIn, presenting, recordsIn, refuseIn, tokenIn } from "#test/support/ca/scene-requests";

const databaseId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const agentId = `spiffe://${sceneDomain}/agent/one`;
const podId = `spiffe://${sceneDomain}/ns/hello/sa/pod`;
const byAgent: RegistrationEntry["callers"] = [{ kind: "spiffe-id", id: agentId }];
const entries = [entry(webId), entry(databaseId), entry(agentId), entry(podId, { callers: byAgent })];

/** The scene's own authority, whose keys are here: what it would never make can be made. */
const ours = makeOpenAuthority();
let scene: Scene;
before(async () => {
  scene = await openScene({ entries, imported: ours.material });
});
after(() => endScene(scene));

const names = (...content: readonly Uint8Array[]) => ({
  subjectAltName: [extensions.subjectAltName(content, true)],
});
const at = (hours: number) => d.time(Math.floor(Date.now() / 1000) * 1000 + hours * 3_600_000);

/** Why a chain proves nothing, as the explanation has it. */
async function refusedFor(chain: readonly Uint8Array[], spiffeId?: string): Promise<string> {
  const { code, explanation } = await refuseIn(scene, {
    csrPem: newCsr().csrPem,
    credentials: presenting(chain),
    spiffeId,
  });
  assert.equal(code, "caller/refused");
  const attempt = explanation.steps.find(({ step }) => step === "caller: x509-svid");
  assert.ok(attempt !== undefined);
  const known = Object.entries(svidFaults).find(([, text]) => text === attempt.seen);
  return known?.[0] ?? attempt.seen;
}

test("T3: a DNS name, an address or a subject of a client certificate is never its identity", async () => {
  const beside = ours.chainOf(webId, names(uriName(webId), dnsName(databaseId), dnsName("db.hello.mesh")));
  const { answer } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(beside) });
  assert.equal(answer.spiffeId, webId);
  const { code } = await refuseIn(scene, {
    csrPem: newCsr().csrPem,
    credentials: presenting(beside),
    spiffeId: databaseId,
  });
  assert.equal(code, "identity/not-allowed");

  const subject = d.distinguishedName([d.commonName, d.utf8(databaseId)]);
  const withoutUri = [
    names(dnsName(databaseId)),
    names(dnsName("db.hello.mesh")),
    names(d.der(0x81, Buffer.from(databaseId))),
    { subjectAltName: [], subject },
    { ...names(dnsName("db.hello.mesh")), subject },
  ];
  for (const changes of withoutUri) assert.equal(await refusedFor(ours.chainOf(webId, changes)), "leaf-no-uri");
  const withUris: readonly (readonly [SvidFault, ...(readonly string[])])[] = [
    ["leaf-several-uris", webId, databaseId],
    ["leaf-several-uris", webId, webId],
    ["leaf-several-uris", "https://hello.mesh/ns/hello/sa/web", webId],
    ["leaf-not-spiffe-id", `${webId},${databaseId}`],
    ["leaf-not-spiffe-id", webId.toUpperCase()],
    ["leaf-without-path", `spiffe://${sceneDomain}`],
  ];
  for (const [fault, ...uris] of withUris)
    assert.equal(await refusedFor(ours.chainOf(webId, names(...uris.map(uriName)))), fault, uris.join(" "));
});

test("T4: a foreign trust domain speaks for ours: neither its certificates of our names nor of its own are callers", async () => {
  const foreign = makeOpenAuthority("other.mesh");
  const twin = makeOpenAuthority(sceneDomain);
  const namesOurs = [extensions.authorityKeyId(keyIdOf(ours.issuing.key.spki))];
  const foreignId = "spiffe://other.mesh/ns/hello/sa/web";
  const chains: readonly (readonly [SvidFault, readonly Uint8Array[]])[] = [
    ["issuer-unknown", foreign.chainOf(webId)],
    ["trust-domain-unknown", foreign.chainOf(foreignId)],
    ["trust-domain-unknown", ours.chainOf(foreignId)],
    // Another authority with our very names.
    ["issuer-unknown", twin.chainOf(webId)],
    // With its root, and with ours, sent along.
    ["authority-self-issued", [...foreign.chainOf(webId), foreign.root.der]],
    ["authority-self-issued", [...twin.chainOf(webId), twin.root.der, ours.issuing.der, ours.root.der]],
    ["issuer-unknown", [foreign.chainOf(webId)[0]!, ours.issuing.der]],
    ["issuer-unknown", [twin.chainOf(webId)[0]!, ours.issuing.der, ours.root.der]],
    // It names our issuing authority's key, which did not sign it.
    ["signature-wrong", [twin.chainOf(webId, { authorityKeyId: namesOurs })[0]!, ours.issuing.der]],
  ];
  for (const [fault, chain] of chains) {
    assert.equal(await refusedFor(chain), fault);
    assert.equal(await refusedFor(chain, webId), fault);
  }
});

test("T5: a client certificate that is an authority, of another use, ended or not begun is no caller", async () => {
  const authorityUsage = extensions.authorityUsage();
  const isCa = extensions.basicConstraints([d.boolean(true)]);
  const codeSigning = d.oid("1.3.6.1.5.5.7.3.3");
  const purposes = (...each: readonly Uint8Array[]) => ({ extendedKeyUsage: [extensions.extendedKeyUsage(each)] });
  const chains: readonly (readonly [SvidFault, readonly Uint8Array[]])[] = [
    ["leaf-is-authority", [ours.issuing.der, ours.root.der]],
    ["leaf-is-authority", [ours.root.der]],
    ["leaf-is-authority", ours.chainOf(webId, { keyUsage: [authorityUsage] })],
    ["leaf-is-authority", ours.chainOf(webId, { basicConstraints: [isCa] })],
    ["leaf-is-authority", ours.chainOf(webId, { basicConstraints: [isCa], keyUsage: [authorityUsage] })],
    ["leaf-is-authority", ours.chainOf(webId).toReversed()],
    ["leaf-key-usage", ours.chainOf(webId, { keyUsage: [] })],
    ["leaf-purpose", ours.chainOf(webId, purposes(serverAuth))],
    ["leaf-purpose", ours.chainOf(webId, purposes(codeSigning))],
    ["leaf-expired", ours.chainOf(webId, { notBefore: at(-3), notAfter: at(-1) })],
    ["leaf-not-yet-valid", ours.chainOf(webId, { notBefore: at(1), notAfter: at(2) })],
    ["leaf-extensions", ours.chainOf(webId, { moreExtensions: [d.extension("1.2.3.4", true, d.nothing())] })],
    ["issuer-unknown", ours.chainOf(webId).slice(0, 1)],
  ];
  for (const [fault, chain] of chains) assert.equal(await refusedFor(chain), fault);
  const client = ours.chainOf(webId, purposes(clientAuth, serverAuth));
  await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(client) });
});

test("T5: a certificate ends as a caller in the second in which it ends, and when it is revoked", async () => {
  const chain = ours.chainOf(webId, { notAfter: at(1) });
  const { answer } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(chain) });
  scene.shiftMillis = 3_601_000;
  assert.equal(await refusedFor(chain), "leaf-expired");
  scene.shiftMillis = 0;
  await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(chain) });

  const { chain: issued } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(chain) });
  const { answer: renewed } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(issued) });
  assert.notEqual(renewed.serialHex, answer.serialHex);
  const [record] = await scene.store.issuances({ limit: 2, after: renewed.serialHex });
  await scene.authority.service.revoke({ kind: "serial", serialHex: record!.serialHex }, "lost", "test");
  assert.match(await refusedFor(issued), /revoked/);
});

test("T11: an agent's certificate gives its own identity and what is registered for it, and no other's", async () => {
  const agent = presenting(ours.chainOf(agentId));
  const ask = (spiffeId: string | undefined) => ({ csrPem: newCsr().csrPem, credentials: agent, spiffeId });
  for (const spiffeId of [webId, databaseId, `spiffe://${sceneDomain}/agent/two`, `${podId}/x`]) {
    const { code } = await refuseIn(scene, ask(spiffeId));
    assert.equal(code, "identity/not-allowed", spiffeId);
  }
  assert.equal((await issueIn(scene, ask(undefined))).answer.spiffeId, agentId);
  assert.equal((await issueIn(scene, ask(podId))).answer.spiffeId, podId);
  // What the agent's pod has gives nothing of the agent's.
  const pod = presenting(ours.chainOf(podId));
  const { code } = await refuseIn(scene, { csrPem: newCsr().csrPem, credentials: pod, spiffeId: agentId });
  assert.equal(code, "identity/not-allowed");
  const { code: impersonation } = await refuseIn(scene, { ...ask(undefined), impersonatedIdentity: webId });
  assert.equal(impersonation, "identity/impersonation");
});

test("T11: nobody gets the authority's own identity, whatever is registered", async (t) => {
  const own = ["/garita/ca", "/garita", "/garita/other"].map((path) => `spiffe://${sceneDomain}${path}`);
  const foreign = "spiffe://other.mesh/ns/hello/sa/web";
  const strange = await testScene(t, { entries: [...own, foreign].map((id) => entry(id)), imported: ours.material });
  for (const spiffeId of [...own, foreign]) {
    const credentials = { ...nobody, operatorSocket: true };
    const { code } = await refuseIn(strange, { csrPem: newCsr().csrPem, credentials, spiffeId });
    assert.equal(code, "identity/not-allowed", spiffeId);
  }
  for (const spiffeId of own) await assert.rejects(tokenIn(strange, spiffeId), { code: "ca-token/identity" });
  assert.equal((await recordsIn(strange)).length, 0);
});

const { log } = createLog({ level: "silent" });
const doorStart = { name: "test", limits: defaultDoorLimits, log, tls: undefined };

test("T26: a door without TLS opens on loopback and sockets alone", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "::ffff:0.0.0.0"]) {
    const address = { kind: "tcp", host, port: 0 } as const;
    await assert.rejects(
      serveIstio({ ...doorStart, address, service: scene.authority.service, serving: () => true }),
      { code: "door/plain-text" },
      host,
    );
    const http = { renderPem: () => "", renderJwks: () => "", version: "", nowMillis: Date.now, hosts: undefined };
    await assert.rejects(
      serveHttp({ ...http, service: scene.authority.service }, { ...doorStart, address }),
      { code: "door/plain-text" },
      host,
    );
  }
});

test("T26: on loopback a token is taken without TLS, for nobody else hears it", async (t) => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const door = await serveIstio({ ...doorStart, address, service: scene.authority.service, serving: () => true });
  t.after(() => door.stop(AbortSignal.abort()));
  assert.ok(door.address.kind === "tcp");
  const agent = new AgentConnection(door.address.port, ChannelCredentials.createInsecure(), "127.0.0.1");
  t.after(() => agent.close());
  const message = certificateRequest(newCsr().csrPem, 0);
  const token = await tokenIn(scene, webId);
  await agent.call(message, [["authorization", `Bearer ${token}`]]);
  await assert.rejects(agent.call(message, [["authorization", `Bearer ${token}`]]), { code: 16 });
});
