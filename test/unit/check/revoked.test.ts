import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { lackingBits } from "#authz/check/attributes/lacking";
import { createGrpcCheck } from "#authz/check/check";
import type {
  CallMetadata,
  CheckEnvironment,
  CheckOutcome,
  CheckRecord,
  ListenerSettings,
} from "#authz/check/contract";
import { createHttpCheck } from "#authz/check/http-check";
import { denialEntry } from "#authz/decision-log/denial";
import type { DenyList } from "#identity/deny-list/deny-list";
import { makeCertificate } from "#test/support/check/certificate";
import { type CheckInput, checkMessage, listenerOf, metadataOf, seeAnswer } from "#test/support/check/check-message";
import { environmentOf, ruleSetOf } from "#test/support/check/rule-set";
import { denyListOf, fingerprintOf } from "#test/support/deny-lists";

const revokedId = "spiffe://cluster.local/ns/shop/sa/gone";
const otherId = "spiffe://cluster.local/ns/shop/sa/web";
const [revokedPrint, otherPrint] = [fingerprintOf("a"), fingerprintOf("b")];

const certificates = [{ fingerprint: revokedPrint, endsMillis: 1 }];
const lists = {
  none: undefined,
  empty: denyListOf(),
  certificates: denyListOf({ certificates }),
  identities: denyListOf({ identities: [revokedId] }),
  both: denyListOf({ certificates, identities: [revokedId] }),
} as const;

function environmentWith(denyList: DenyList | "awaited" | undefined, ruleSet = ruleSetOf({})): CheckEnvironment {
  const environment = environmentOf(ruleSet);
  const snapshot = environment.snapshot();
  return { ...environment, snapshot: () => snapshot && { ...snapshot, denyList } };
}

function ask(
  denyList: DenyList | "awaited" | undefined,
  input: CheckInput,
  metadata: CallMetadata,
  listener: Partial<ListenerSettings> = {},
  ruleSet = ruleSetOf({}),
): CheckOutcome {
  const check = createGrpcCheck(environmentWith(denyList, ruleSet));
  const outcome = check(checkMessage(input), metadata, listenerOf(listener));
  assert.ok(!(outcome instanceof Promise));
  return outcome;
}

/** What Envoy sends of a peer; undefined: it was not told to. */
interface Told {
  readonly fingerprint?: string;
  readonly uris?: string;
  readonly dns?: string;
  readonly subject?: string;
  readonly tls?: string;
}

const metadata = (told: Told) =>
  metadataOf(Object.fromEntries(Object.entries(told).map(([name, value]) => [`x-garita-${name}`, `[${value}]`])));

/** A peer of which Envoy tells everything. */
const whole = (told: Told) => metadata({ fingerprint: otherPrint, tls: "TLSv1.3", dns: "", subject: "", ...told });

const known = /^identity spiffe:\/\/cluster\.local\/ns\/shop\/sa\/gone \(deny list 7\)$/;
const certificate = /^certificate a{64} \(deny list 7\)$/;

interface Case {
  readonly what: string;
  readonly told: CallMetadata;
  readonly principal?: string;
  readonly certificate?: string;
  readonly listener?: Partial<ListenerSettings>;
  /** The detail of the refusal with each list; undefined: it goes on. */
  readonly certificates: RegExp | undefined;
  readonly identities: RegExp | undefined;
  readonly lacks?: boolean;
  /** It goes on while a list is awaited too. */
  readonly bare?: boolean;
}

const cases: readonly Case[] = [
  {
    what: "another identity with another certificate",
    told: whole({ uris: otherId }),
    principal: otherId,
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "the revoked certificate",
    told: whole({ uris: otherId, fingerprint: revokedPrint }),
    principal: otherId,
    certificates: certificate,
    identities: undefined,
  },
  {
    what: "the revoked identity with another certificate",
    told: whole({ uris: revokedId }),
    principal: revokedId,
    certificates: undefined,
    identities: known,
  },
  {
    what: "no certificate at all",
    told: metadata({ fingerprint: "", tls: "TLSv1.3", uris: "", dns: "", subject: "" }),
    certificates: undefined,
    identities: undefined,
    bare: true,
  },
  {
    what: "plain text",
    told: metadata({ fingerprint: "", tls: "", uris: "", dns: "", subject: "" }),
    certificates: undefined,
    identities: undefined,
    bare: true,
  },
  {
    what: "no TLS, of which nothing else is told",
    told: metadata({}),
    certificates: undefined,
    identities: undefined,
    bare: true,
  },
  {
    what: "a certificate whose fingerprint is not told",
    told: metadata({ tls: "TLSv1.3", uris: otherId, dns: "", subject: "" }),
    principal: otherId,
    certificates: undefined,
    identities: undefined,
    lacks: true,
  },
  {
    what: "a fingerprint that is none",
    told: whole({ uris: otherId, fingerprint: revokedPrint.toUpperCase() }),
    principal: otherId,
    certificates: undefined,
    identities: undefined,
    lacks: true,
  },
  {
    what: "a principal alone",
    told: metadata({}),
    principal: otherId,
    certificates: undefined,
    identities: /not all known/,
    lacks: true,
  },
  {
    what: "the revoked principal alone",
    told: metadata({}),
    principal: revokedId,
    certificates: undefined,
    identities: known,
    lacks: true,
  },
  {
    what: "URI names without the others",
    told: metadata({ uris: otherId, fingerprint: otherPrint }),
    principal: otherId,
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "no URI names, the others not told",
    told: metadata({ uris: "", fingerprint: otherPrint }),
    principal: "web.shop",
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "URI names that were altered on their way",
    told: whole({ uris: otherId }),
    principal: `${otherId} `,
    certificates: undefined,
    identities: /not all known/,
  },
  {
    what: "no URI names, and a principal that is one",
    told: whole({ uris: "" }),
    principal: otherId,
    certificates: undefined,
    identities: /not all known/,
  },
  {
    what: "several names, one of them revoked",
    told: whole({ uris: `${otherId},${revokedId}` }),
    principal: otherId,
    certificates: undefined,
    identities: /^identity spiffe:\/\/cluster\.local\/ns\/shop\/sa\/gone, one of several names/,
  },
  {
    what: "several names, none of them revoked",
    told: whole({ uris: `${otherId},spiffe://cluster.local/ns/shop/sa/gone-by` }),
    principal: otherId,
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "the revoked identity with scheme and trust domain in upper case",
    told: whole({ uris: revokedId.replace("spiffe://cluster.local", "SPIFFE://Cluster.LOCAL") }),
    principal: revokedId.replace("spiffe://cluster.local", "SPIFFE://Cluster.LOCAL"),
    certificates: undefined,
    identities: /^identity SPIFFE:\/\/Cluster\.LOCAL/,
  },
  {
    what: "an identity whose path differs by case",
    told: whole({ uris: revokedId.replace("gone", "Gone") }),
    principal: revokedId.replace("gone", "Gone"),
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "the revoked identity as a DNS name",
    told: whole({ uris: "", dns: revokedId }),
    principal: revokedId,
    certificates: undefined,
    identities: known,
  },
  {
    what: "a certificate that nobody says is verified",
    told: whole({ uris: otherId }),
    principal: otherId,
    listener: { peerIdentity: undefined },
    certificates: undefined,
    identities: /identity is unknown/,
  },
  {
    what: "the revoked certificate, which nobody says is verified",
    told: whole({ uris: otherId, fingerprint: revokedPrint }),
    principal: otherId,
    listener: { peerIdentity: undefined },
    certificates: certificate,
    identities: /identity is unknown/,
  },
  {
    what: "the revoked identity where the listener says that none counts",
    told: whole({ uris: revokedId }),
    principal: revokedId,
    listener: { peerIdentity: "none" },
    certificates: undefined,
    identities: undefined,
  },
  {
    what: "the revoked certificate where the listener says that no identity counts",
    told: whole({ uris: otherId, fingerprint: revokedPrint }),
    principal: otherId,
    listener: { peerIdentity: "none" },
    certificates: certificate,
    identities: undefined,
  },
];

for (const { what, told, principal = "", listener, lacks = false, bare = false, ...expected } of cases) {
  test(`deny list: ${what}`, () => {
    for (const name of ["certificates", "identities"] as const) {
      const { record } = ask(lists[name], { source: { principal } }, told, listener);
      const reason = expected[name] === undefined ? "policy/no-policy" : "revoked";
      assert.equal(record.decision.reason, reason, name);
      if (expected[name] !== undefined) assert.match(record.detail ?? "", expected[name]);
      const lacksPrint = (record.lacking & lackingBits.fingerprint) !== 0;
      assert.equal(lacksPrint, name === "certificates" && lacks, `${name}: lacking`);
    }
    const both = ask(lists.both, { source: { principal } }, told, listener).record;
    assert.equal(both.decision.reason === "revoked", (expected.certificates ?? expected.identities) !== undefined);
    for (const list of [lists.none, lists.empty]) {
      const { record } = ask(list, { source: { principal } }, told, listener);
      assert.deepEqual([record.decision.reason, record.lacking & lackingBits.fingerprint], ["policy/no-policy", 0]);
    }
    const awaited = ask("awaited", { source: { principal } }, told, listener).record;
    assert.equal(awaited.decision.reason, bare ? "policy/no-policy" : "revocations/none");
  });
}

test("the fingerprint is that of the certificate in the check, where the metadata does not bring it", () => {
  const { encoded } = makeCertificate({ uris: [otherId] });
  const der = Buffer.from(decodeURIComponent(encoded).split("-----")[2]!, "base64");
  const list = denyListOf({ certificates: [{ fingerprint: hash("sha256", der, "hex"), endsMillis: 1 }] });
  const source = { principal: otherId, certificate: encoded };
  const reasonOf = (told: Told, shown = source) => ask(list, { source: shown }, metadata(told)).record.decision.reason;
  assert.equal(reasonOf({}), "revoked");
  assert.equal(reasonOf({ fingerprint: "" }), "revoked");
  assert.equal(reasonOf({ fingerprint: "none" }), "revoked");
  assert.equal(reasonOf({ fingerprint: otherPrint }), "policy/no-policy", "the metadata goes first");
  for (const certificate of [`${encoded}%`, encoded.slice(1), encodeURIComponent("-----BEGIN CERTIFICATE-----\n")])
    assert.equal(reasonOf({}, { principal: otherId, certificate }), "policy/no-policy");
});

test("a certificate with an unknown name more has its URI names known by the certificate itself", () => {
  const { encoded } = makeCertificate({ uris: [otherId, revokedId] });
  const { record } = ask(lists.identities, { source: { principal: otherId, certificate: encoded } }, metadata({}));
  assert.match(record.detail ?? "", known);
});

test("a revoked peer gets what every denied one gets, on a connection too, and the log says which entry it was", () => {
  const told = whole({ uris: revokedId });
  const { response, record } = ask(lists.both, { source: { principal: revokedId }, path: "/a?token=1" }, told);
  const { allowed, status, body, headers } = seeAnswer(response);
  assert.deepEqual([allowed, status, body, headers], [false, 403, "RBAC: access denied", []]);
  const { reason, detail, principal, path, workload } = denialEntry(record);
  assert.deepEqual([reason, principal, path, workload], ["revoked", revokedId, "/a", "foo/?"]);
  assert.match(detail ?? "", known);
  const tcp = ask(lists.both, { source: { principal: revokedId }, tcp: true }, told).record;
  assert.deepEqual([tcp.decision.reason, tcp.status], ["revoked", 0]);
});

test("the list comes behind mutual TLS and before all that is in the request", () => {
  const strict = ruleSetOf({ peerAuthentications: [{ mode: "STRICT" }] });
  const told = whole({ uris: revokedId });
  const source = { principal: revokedId };
  const reasonOf = (outcome: CheckOutcome) => outcome.record.decision.reason;
  assert.equal(reasonOf(ask(lists.both, { source, path: "/%" }, told)), "revoked");
  assert.equal(reasonOf(ask(lists.both, { source, method: "CONNECT" }, told, {}, strict)), "revoked");
  assert.equal(reasonOf(ask(lists.both, { source }, told, { peerIdentity: undefined }, strict)), "mtls-required");
  const allow = ruleSetOf({ policies: [{ name: "p", stage: "allow" }] });
  assert.equal(reasonOf(ask(lists.both, { source }, told, {}, allow)), "revoked");
});

test("the HTTP service looks the same list up, by the headers that Envoy adds", () => {
  const reasonOf = (headers: Readonly<Record<string, string>>, listener: Partial<ListenerSettings> = {}) => {
    const check = createHttpCheck(environmentWith(lists.both));
    const outcome = check(
      { method: "GET", target: "/", headers: [["Host", "a.example"], ...Object.entries(headers)], body: undefined },
      listenerOf({ protocol: "http", attributeHeaders: true, ...listener }),
    );
    assert.ok(!(outcome instanceof Promise));
    assert.equal(outcome.response.status === 403, outcome.record.decision.outcome === "deny");
    return (outcome.record as CheckRecord).decision.reason;
  };
  const peer = (uris: string, fingerprint: string) => ({
    "x-garita-uris": `[${uris}]`,
    "x-garita-dns": "[]",
    "x-garita-subject": "[]",
    "x-garita-fingerprint": `[${fingerprint}]`,
  });
  assert.equal(reasonOf(peer(otherId, otherPrint)), "policy/no-policy");
  assert.equal(reasonOf(peer(otherId, revokedPrint)), "revoked");
  assert.equal(reasonOf(peer(revokedId, otherPrint)), "revoked");
  assert.equal(reasonOf(peer("", "")), "policy/no-policy");
  assert.equal(reasonOf({}), "revoked", "nothing is told of the peer");
  assert.equal(reasonOf(peer("", ""), { attributeHeaders: false }), "revoked", "what a client could write is not read");
  assert.equal(reasonOf({}, { attributeHeaders: false, peerIdentity: "none" }), "policy/no-policy");
});
