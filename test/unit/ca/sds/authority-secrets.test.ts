import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import type { TrustBundle } from "#ca/authorities/contract";
import { buildBundle, bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { type CallerKeys, createCallerKeys } from "#ca/service/caller-keys";
import { createAuthoritySecrets } from "#ca/transport/sds/authority-secrets";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import { decodeTrustSecret } from "#ca/transport/sds/decode-trust-secret";
import { secretTypeUrl } from "#ca/transport/sds/encode-secret";
import { createStreamCallers, type StreamCaller } from "#ca/transport/stream-callers";
import { SecretSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import { grpcCodes } from "#platform/grpc/codes";
import { systemTimers } from "#platform/timers";
import { idOf } from "#test/support/ca/callers";
import { makeAuthority } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { entry, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { certificateOf, enrolIn, namesOf } from "#test/support/ca/scene-requests";
import { until } from "#test/support/until";
import type { ResourceView, StreamStatus } from "#xds/contract";

const otherId = `spiffe://${sceneDomain}/ns/hello/sa/other`;

/** The secrets of a whole authority, with keys or without. */
async function secretsOf(t: TestContext, withKeys: boolean) {
  const scene = await testScene(t, { entries: [entry(webId), entry(otherId)] });
  const { log, lines } = recordLog();
  const { authorities, service, clientCertificate, revoked } = scene.authority;
  const nowMillis = () => Date.now() + scene.shiftMillis;
  const callers = createStreamCallers({ clientCertificate, revoked, nowMillis, log });
  let changed: TrustBundle | undefined;
  const bundle = () => changed ?? authorities.current().bundle;
  const keys: CallerKeys | undefined = withKeys
    ? createCallerKeys({
        issue: service.issue,
        root: () => authorities.current().issuing?.root.der,
        isTrusted: () => true,
        clock: { nowMillis, monotonicMillis: () => performance.now() },
        timers: systemTimers,
        chance: () => 0.5,
        log,
      })
    : undefined;
  const events: string[] = [];
  const type = createAuthoritySecrets({
    trustDomain: sceneDomain,
    bundle,
    onBundle: authorities.subscribe,
    callers,
    keys,
    log,
    nowMillis,
    onEvent: ({ kind, name }) => void events.push(`${kind} ${name}`),
  });
  const open = async (id: string): Promise<{ readonly caller: StreamCaller; readonly view: ResourceView }> => {
    const { chain } = await enrolIn(scene, id);
    const caller = await callers.authenticate({
      clientCertificates: chain,
      remoteAddress: "192.0.2.7",
      unixSocket: false,
    });
    assert.ok("id" in caller);
    const view = type.open(caller);
    assert.ok("lookUp" in view);
    return { caller, view };
  };
  const setBundle = (next: TrustBundle | undefined) => {
    changed = next;
  };
  return { scene, type, open, lines, events, bundle, setBundle };
}

/** The secret, when the view has it. */
async function secretIn(view: ResourceView, name: string) {
  await until(() => view.lookUp(name) !== undefined, name);
  return view.lookUp(name)!;
}

function keyOf(name: string, body: Uint8Array): { readonly chain: string; readonly key: string } {
  const secret = fromBinary(SecretSchema, body);
  assert.equal(secret.name, name);
  assert.ok(secret.type.case === "tlsCertificate");
  const text = (source: { specifier: { value?: unknown } } | undefined) =>
    Buffer.from(source?.specifier.value as Uint8Array).toString();
  return { chain: text(secret.type.value.certificateChain), key: text(secret.type.value.privateKey) };
}

test("every caller gets the bundle in force, and without keys nothing else", async (t) => {
  const { open, bundle } = await secretsOf(t, false);
  const { view } = await open(webId);
  const stop = view.subscribe(() => undefined);
  for (const name of ["ROOTCA", "ALL", `spiffe://${sceneDomain}`]) {
    const resource = view.lookUp(name);
    assert.equal(resource?.version, bundleVersion(bundle()));
    assert.deepEqual(decodeTrustSecret(name, resource!.body), [
      { trustDomain: sceneDomain, pem: renderBundlePem(bundle()) },
    ]);
  }
  for (const name of ["default", webId, otherId, "spiffe://other.mesh", "x"])
    assert.equal(view.lookUp(name), undefined);
  stop();
});

test("whoever stands under a root that is trusted no more gets the bundle still, and no key that others of the identity have made", async (t) => {
  const { open, bundle, setBundle } = await secretsOf(t, true);
  const { view } = await open(webId);
  const stop = view.subscribe(() => undefined);
  await secretIn(view, "default");
  const before = bundle();
  const { certificate } = makeAuthority({ kind: "P-256", profile: "root" });
  setBundle(buildBundle(sceneDomain, before.sequence + 1, [...before.anchors, certificate]));
  assert.ok(view.lookUp("default"));
  setBundle(buildBundle(sceneDomain, before.sequence + 2, [certificate]));
  assert.deepEqual([view.lookUp("default"), view.lookUp(webId)], [undefined, undefined]);
  assert.equal(view.lookUp("ROOTCA")?.version, bundleVersion(bundle()));
  stop();
});

test("a key is for the proven identity alone, whatever name is asked for", async (t) => {
  const { scene, open } = await secretsOf(t, true);
  const [web, other] = [await open(webId), await open(otherId)];
  const stops = [web, other].map(({ view }) => view.subscribe(() => undefined));
  const mine = keyOf("default", (await secretIn(web.view, "default")).body);
  const theirs = keyOf("default", (await secretIn(other.view, "default")).body);
  assert.deepEqual(keyOf(webId, web.view.lookUp(webId)!.body), mine);
  assert.notEqual(mine.key, theirs.key);
  const last = "-----END CERTIFICATE-----\n";
  const leafOf = (chain: string) => certificateOf(chain.slice(0, chain.indexOf(last) + last.length));
  assert.deepEqual(namesOf(leafOf(mine.chain)), [{ kind: "uri", value: webId }]);
  assert.deepEqual(namesOf(leafOf(theirs.chain)), [{ kind: "uri", value: otherId }]);
  assert.equal(web.view.lookUp(otherId), undefined);
  assert.equal(other.view.lookUp(webId), undefined);
  const doors = (await scene.store.issuances({ limit: 10, spiffeId: webId })).map(({ method }) => method);
  assert.ok(doors.includes("x509-svid"), "asked for with the certificate of the connection");
  for (const stop of stops) stop();
});

test("no key is made for who asks for bundles alone, nor for a single question", async (t) => {
  const { scene, open } = await secretsOf(t, true);
  const [{ view }, other] = [await open(webId), await open(otherId)];
  assert.equal(view.lookUp("default"), undefined, "before anybody listens");
  const stops = [view, other.view].map((each) => each.subscribe(() => undefined));
  view.lookUp("ROOTCA");
  view.lookUp(otherId);
  // One that was asked for later has come.
  await secretIn(other.view, "default");
  assert.equal((await scene.store.issuances({ limit: 10, spiffeId: webId })).length, 1);
  for (const stop of stops) stop();
});

test("a change is told: another bundle, another key, a revocation; and nothing after the end", async (t) => {
  const { scene, open, type } = await secretsOf(t, true);
  const { view, caller } = await open(webId);
  let told = 0;
  const stop = view.subscribe(() => void told++);
  await secretIn(view, "default");
  assert.equal(told, 1);
  const before = view.lookUp("ROOTCA");
  await scene.authority.service.rotateIssuer("test");
  assert.ok(told > 1);
  assert.equal(view.lookUp("ROOTCA")?.version, before?.version, "the anchors are the same");
  assert.equal(view.ended(), undefined);
  const toldBefore = told;
  await scene.authority.service.revoke({ kind: "identity", spiffeId: webId }, "lost", "test");
  assert.equal(told, toldBefore + 1);
  assert.equal(view.ended()?.code, grpcCodes.permissionDenied);
  const refusal = type.open(caller);
  assert.ok("code" in refusal && refusal.code === grpcCodes.permissionDenied);
  stop();
  await scene.authority.service.rotateIssuer("test");
  assert.equal(told, toldBefore + 1);
});

test("how long a push took is told for streams that were open before, and for the bundle in force alone", async (t) => {
  const scene = await testScene(t);
  const first = scene.authority.service.bundle();
  const second = { ...first, sequence: first.sequence + 1, anchors: [...first.anchors, first.anchors[0]!] };
  const same = { ...second, sequence: second.sequence + 1 };
  let inForce = first;
  let nowMillis = 1_000;
  const told: (number | undefined)[] = [];
  const type = createAuthoritySecrets({
    trustDomain: sceneDomain,
    bundle: () => inForce,
    onBundle: () => () => undefined,
    callers: { ended: () => undefined, subscribe: () => () => undefined, authenticate: () => assert.fail() },
    keys: undefined,
    log: recordLog().log,
    nowMillis: () => nowMillis,
    onEvent: (_, pushMillis) => void told.push(pushMillis),
  });
  const id = idOf(webId);
  const credentials = { clientCertificates: [], bearer: undefined, operatorSocket: false, remoteAddress: undefined };
  const view = type.open({ id, fingerprint: "ab", serialHex: "01", notAfterMillis: 0, credentials });
  assert.ok("lookUp" in view);
  const acknowledged = (sinceMillis: number, version: string | undefined) =>
    type.observe?.({
      kind: "acknowledged",
      stream: status({ sinceMillis }),
      name: "ROOTCA",
      version: version ?? assert.fail(),
      message: undefined,
    });
  const firstVersion = view.lookUp("ROOTCA")?.version;
  acknowledged(1_000, firstVersion);
  nowMillis = 5_000;
  inForce = second;
  const version = view.lookUp("ROOTCA")?.version;
  assert.notEqual(version, firstVersion);
  nowMillis = 5_250;
  acknowledged(1_000, version);
  acknowledged(1_000, firstVersion);
  acknowledged(5_100, version);
  inForce = same;
  view.lookUp("ROOTCA");
  acknowledged(1_000, version);
  assert.deepEqual(told, [undefined, 250, undefined, undefined, 250]);
});

const status = (change: Partial<StreamStatus> = {}): StreamStatus => ({
  id: 3,
  typeUrl: secretTypeUrl,
  variant: "state-of-the-world",
  caller: webId,
  fingerprint: "ab",
  node: "web-1",
  sinceMillis: 0,
  names: [],
  leftOut: 0,
  ...change,
});
const named = (name: string, acknowledged?: string) => ({
  name,
  sent: "v2",
  acknowledged,
  acknowledgedAtMillis: undefined,
  rejected: undefined,
});

test("a rejection is logged in the client's words, with who and what", async (t) => {
  const { type, lines, events } = await secretsOf(t, false);
  const said = { stream: status(), name: "ROOTCA", version: "v2" };
  type.observe?.({ ...said, kind: "acknowledged", message: undefined });
  type.observe?.({ ...said, kind: "rejected", message: "Failed to load trusted CA" });
  assert.deepEqual(events, ["acknowledged ROOTCA", "rejected ROOTCA"]);
  const told = lines.filter(({ message }) => message === "a secret was rejected");
  assert.equal(told.length, 1);
  assert.deepEqual(
    ["resource", "version", "reason", "spiffeId", "node", "stream"].map((field) => told[0]?.fields[field]),
    ["ROOTCA", "v2", "Failed to load trusted CA", webId, "web-1", 3],
  );
});

test("who gets the bundle by a stream is told with what it acknowledged of the own bundle", () => {
  const rejected = { version: "v3.ff", message: "no", atMillis: 1 };
  const streams = [
    status({ names: [named("ROOTCA", "v2"), named("default", "k1"), { ...named("ALL", "v1.ee"), rejected }] }),
    status({ caller: otherId, names: [named("default", "k2"), named("spiffe://other.mesh", "o1")] }),
    status({ typeUrl: "type.googleapis.com/other", names: [named("ROOTCA", "v2")] }),
    status({ caller: otherId, fingerprint: undefined, names: [named(`spiffe://${sceneDomain}`)] }),
  ];
  const own = { spiffeId: webId, fingerprint: "ab", node: "web-1" };
  assert.deepEqual(bundleStreams(streams, sceneDomain), [
    { ...own, acknowledged: "v2", rejected: undefined },
    { ...own, acknowledged: "v1", rejected: { version: "v3", message: "no" } },
    { spiffeId: otherId, fingerprint: undefined, node: "web-1", acknowledged: undefined, rejected: undefined },
  ]);
});
