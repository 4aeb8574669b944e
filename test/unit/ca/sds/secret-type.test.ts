import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import { decodeTrustSecret } from "#ca/transport/sds/decode-trust-secret";
import { encodeKeySecret, encodeTrustSecret } from "#ca/transport/sds/encode-secret";
import { parseSecretName } from "#ca/transport/sds/secret-name";
import { type Bundles, bundleVersionOf, createSecretType, type OwnKey } from "#ca/transport/sds/secret-type";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import { grpcCodes } from "#platform/grpc/codes";
import { stateRequest } from "#test/support/xds/messages";
import { scriptDiscovery, secretPath } from "#test/support/xds/scripted-stream";
import type { ResourceView } from "#xds/contract";

const trustDomain = "hello.mesh";
const idOf = (text: string): SpiffeId => {
  const parsed = parseSpiffeId(text);
  assert.ok(parsed.ok);
  return parsed.id;
};
const web = idOf("spiffe://hello.mesh/ns/hello/sa/web");
const key: OwnKey = { chainPem: "chain\n", keyPem: "key\n", publicKeyDer: Uint8Array.of(1, 2) };
const own = { trustDomain, pem: "own\n", version: "aa" };
const partner = { trustDomain: "partner.mesh", pem: "partner\n", version: "bb" };

function viewOf(held: { bundles?: Bundles; key?: OwnKey }): ResourceView {
  const type = createSecretType<SpiffeId>({
    trustDomain,
    open: (id) => ({
      id,
      bundles: () => held.bundles,
      key: () => held.key,
      ended: () => undefined,
      subscribe: () => () => undefined,
    }),
  });
  const view = type.open(web);
  assert.ok("lookUp" in view);
  return view;
}

const names: readonly (readonly [text: string, wanted: string])[] = [
  ["default", "key of the caller"],
  ["spiffe://hello.mesh/ns/hello/sa/web", "key of spiffe://hello.mesh/ns/hello/sa/web"],
  ["spiffe://partner.mesh/a", "key of spiffe://partner.mesh/a"],
  ["ROOTCA", "bundle of hello.mesh"],
  ["spiffe://hello.mesh", "bundle of hello.mesh"],
  ["spiffe://partner.mesh", "bundle of partner.mesh"],
  ["ALL", "all bundles"],
  ["", "nothing"],
  ["DEFAULT", "nothing"],
  ["rootca", "nothing"],
  ["all", "nothing"],
  ["spiffe://hello.mesh/", "nothing"],
  ["SPIFFE://hello.mesh", "nothing"],
  ["spiffe://Hello.mesh", "nothing"],
  ["spiffe://hello.mesh/ns/../sa", "nothing"],
  ["file-cert:/etc/x", "nothing"],
  [`spiffe://hello.mesh/${"a".repeat(3000)}`, "nothing"],
];

test("a secret's name is read as it stands", () => {
  for (const [text, wanted] of names) {
    const name = parseSecretName(text, trustDomain);
    const read =
      name === undefined
        ? "nothing"
        : name.kind === "key"
          ? `key of ${name.id ?? "the caller"}`
          : name.kind === "bundle"
            ? `bundle of ${name.trustDomain}`
            : "all bundles";
    assert.equal(read, wanted, text);
  }
});

test("a caller has its own key by two names, and nobody else's", () => {
  const view = viewOf({ key, bundles: { own, foreign: [] } });
  for (const name of ["default", web.toString()]) {
    assert.deepEqual(view.lookUp(name)?.body, encodeKeySecret(name, key));
    assert.equal(view.lookUp(name)?.name, name);
  }
  assert.equal(view.lookUp("default")?.version, view.lookUp(web.toString())?.version);
  assert.equal(view.lookUp("spiffe://hello.mesh/ns/hello/sa/other"), undefined);
  assert.equal(view.lookUp(`${web}x`), undefined);
  assert.equal(viewOf({ bundles: { own, foreign: [] } }).lookUp("default"), undefined);
});

test("the key of another is not even asked for", () => {
  let asked = 0;
  const type = createSecretType<undefined>({
    trustDomain,
    open: () => ({
      id: web,
      bundles: () => undefined,
      key() {
        asked++;
        return key;
      },
      ended: () => undefined,
      subscribe: () => () => undefined,
    }),
  });
  const view = type.open(undefined);
  assert.ok("lookUp" in view);
  for (const name of ["spiffe://hello.mesh/ns/hello/sa/other", "ROOTCA", "ALL", "nonsense"]) view.lookUp(name);
  assert.equal(asked, 0);
  view.lookUp("default");
  assert.equal(asked, 1);
});

test("a key's version names chain and public key, and nothing of the private one", () => {
  const versionOf = (change: Partial<OwnKey>) => viewOf({ key: { ...key, ...change } }).lookUp("default")?.version;
  const first = versionOf({});
  assert.match(first!, /^[0-9a-f]{64}$/);
  assert.equal(versionOf({}), first);
  assert.equal(versionOf({ keyPem: "another writing of the key\n" }), first);
  assert.notEqual(versionOf({ chainPem: "another\n" }), first);
  assert.notEqual(versionOf({ publicKeyDer: Uint8Array.of(1, 3) }), first);
});

test("bundles come each by its trust domain, and all together", () => {
  const view = viewOf({ bundles: { own, foreign: [partner] } });
  const held = (name: string) => decodeTrustSecret(name, view.lookUp(name)!.body);
  const [ownPem, partnerPem] = [own, partner].map(({ trustDomain: name, pem }) => ({ trustDomain: name, pem }));
  assert.deepEqual(held("ROOTCA"), [ownPem]);
  assert.deepEqual(held("spiffe://hello.mesh"), [ownPem]);
  assert.deepEqual(held("spiffe://partner.mesh"), [partnerPem]);
  assert.deepEqual(held("ALL"), [ownPem, partnerPem]);
  assert.equal(view.lookUp("spiffe://third.mesh"), undefined);
  assert.equal(viewOf({}).lookUp("ROOTCA"), undefined);
});

test("every secret that holds the own bundle tells its version", () => {
  const versionsOf = (bundles: Bundles) =>
    ["ROOTCA", "spiffe://hello.mesh", "ALL"].map((name) => viewOf({ bundles }).lookUp(name)!.version);
  assert.deepEqual(versionsOf({ own, foreign: [] }), ["aa", "aa", "aa"]);
  const [root, domain, all] = versionsOf({ own, foreign: [partner] });
  assert.deepEqual([root, domain, bundleVersionOf(all!)], ["aa", "aa", "aa"]);
  assert.notEqual(all, "aa");
  const [, , changed] = versionsOf({ own, foreign: [{ ...partner, version: "cc" }] });
  assert.notEqual(changed, all);
});

test("a content is encoded once for all callers", () => {
  const bundles: Bundles = { own, foreign: [] };
  const type = createSecretType<SpiffeId>({
    trustDomain,
    open: (id) => ({
      id,
      bundles: () => bundles,
      key: () => key,
      ended: () => undefined,
      subscribe: () => () => undefined,
    }),
  });
  const [first, second] = [type.open(web), type.open(web)];
  assert.ok("lookUp" in first && "lookUp" in second);
  for (const name of ["default", "ROOTCA", "ALL"]) assert.equal(first.lookUp(name), second.lookUp(name));
});

test("a wildcard stands for nothing, and a refusal stays one", () => {
  assert.deepEqual(viewOf({ key, bundles: { own, foreign: [] } }).wildcard(), []);
  const refusal = { code: grpcCodes.unauthenticated, message: "no certificate" };
  const type = createSecretType<undefined>({ trustDomain, open: () => refusal });
  assert.equal(type.open(undefined), refusal);
});

test("a trust secret has bundles, each of a trust domain of its own", () => {
  assert.throws(() => encodeTrustSecret("ALL", []));
  assert.throws(() => encodeTrustSecret("ALL", [own, { ...own, pem: "other\n" }]));
});

test("what is no trust secret of this name is none", () => {
  const body = encodeTrustSecret("ROOTCA", [own]);
  assert.deepEqual(decodeTrustSecret("ROOTCA", body), [{ trustDomain, pem: own.pem }]);
  assert.equal(decodeTrustSecret("ALL", body), undefined);
  assert.equal(decodeTrustSecret("ROOTCA", encodeKeySecret("ROOTCA", key)), undefined);
  assert.equal(decodeTrustSecret("ROOTCA", new Uint8Array()), undefined);
  for (let end = 1; end < body.length; end++)
    assert.equal(decodeTrustSecret("ROOTCA", body.subarray(0, end)), undefined, `cut at ${end}`);
});

test("a stream that takes the bundle is counted by the longest name that a bundle can have", () => {
  const longest = Array.from({ length: 4 }, () => "d".repeat(63)).join(".");
  const type = createSecretType<string>({
    trustDomain: longest,
    open: () => ({
      id: idOf(`spiffe://${longest}/web`),
      bundles: () => ({ own: { trustDomain: longest, pem: "own\n", version: "aa" }, foreign: [] }),
      key: () => undefined,
      ended: () => undefined,
      subscribe: () => () => undefined,
    }),
  });
  const scripted = scriptDiscovery({ types: [type] });
  const stream = scripted.open(secretPath);
  stream.message(stateRequest({ resourceNames: [`spiffe://${longest}`] }));
  assert.equal(stream.take().length, 1);
  assert.equal(bundleStreams(scripted.discovery.status(), longest).length, 1);
});
