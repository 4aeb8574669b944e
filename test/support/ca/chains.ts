import { keyKinds } from "#ca/x509/contract";
import type { SvidFault } from "#ca/x509/svid-faults";
import {
  algorithmOf,
  algorithms,
  type CertificateParts,
  clientAuth,
  extensions,
  keyIdOf,
  oids,
  serverAuth,
  uriName,
} from "./certificate-parts.ts";
import { type Made, type Making, makeCertificate, type TestKey, type TestKeys } from "./chain-certificates.ts";
import * as d from "./der-builder.ts";

/** What a validator says of a chain, given all anchors of all trust domains, as the certificate of a TLS client. */
export type Verdict = "accepts" | "refuses";

export interface ChainCase {
  readonly name: string;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** DER, by trust domain. */
  readonly bundles: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly expected: "ok" | SvidFault;
  /** Validators that decide otherwise than we do, and why. */
  readonly others?: { readonly tools: readonly Tool[]; readonly because: string };
}

export const tools = ["openssl", "gnutls", "go"] as const;
export type Tool = (typeof tools)[number];

const hour = 3_600_000;
const home = "mesh.example";
const abroad = "other.example";
const id = `spiffe://${home}/ns/shop/sa/cart`;

function names(...uris: readonly string[]) {
  return { subjectAltName: [extensions.subjectAltName(uris.map(uriName), true)] };
}

function caNamed(commonName: string, trustDomain = home): Partial<CertificateParts> {
  const subject = d.distinguishedName([d.organization, d.utf8(trustDomain)], [d.commonName, d.utf8(commonName)]);
  return { subject, subjectAltName: [extensions.subjectAltName([uriName(`spiffe://${trustDomain}`)], undefined)] };
}

function rootNamed(commonName: string, trustDomain = home): Partial<CertificateParts> {
  const named = caNamed(commonName, trustDomain);
  return { ...named, issuer: named.subject! };
}

function constrained(...constraints: readonly Uint8Array[]) {
  return { moreExtensions: [d.extension(oids.nameConstraints, true, d.sequence(...constraints))] };
}

/** The chains that every validator is asked about: those that are right, and those with one thing wrong. Valid around `nowMillis`. */
export function makeChains(keys: TestKeys, nowMillis: number): readonly ChainCase[] {
  const make = (making: Omit<Making, "nowMillis">) => makeCertificate({ ...making, nowMillis });
  const ago = (hours: number) => d.time(Math.floor((nowMillis - hours * hour) / 1000) * 1000);
  const [rootKey, issuingKey, leafKey, otherKey] = (["root", "issuing", "leaf", "other"] as const).map((role) =>
    keys("P-256", role),
  ) as [TestKey, TestKey, TestKey, TestKey];
  const root = make({ profile: "root", key: rootKey, issuer: undefined });
  const issuing = make({ profile: "issuing", key: issuingKey, issuer: root });
  const leaf = make({ profile: "leaf", key: leafKey, issuer: issuing });
  const leafWith = (changes: Partial<CertificateParts>, more: Partial<Making> = {}) =>
    make({ profile: "leaf", key: leafKey, issuer: issuing, changes, ...more });
  const issuingWith = (changes: Partial<CertificateParts>, more: Partial<Making> = {}) =>
    make({ profile: "issuing", key: issuingKey, issuer: root, changes, ...more });
  const under = (issuer: Made, changes: Partial<CertificateParts> = {}) =>
    make({ profile: "leaf", key: leafKey, issuer, changes });
  const foreignRoot = make({
    profile: "root",
    key: otherKey,
    issuer: undefined,
    changes: rootNamed("root abroad", abroad),
  });
  /** `chain` with our root as the anchor of our trust domain. */
  const at = (...chain: readonly Made[]) => ({
    chain: chain.map(({ der }) => der),
    bundles: { [home]: [root.der] },
  });
  const strangersToSpiffe = (because: string) => ({ tools, because });

  const kinds = keyKinds.map((kind): ChainCase => {
    const kindRoot = make({ profile: "root", key: keys(kind, "root"), issuer: undefined });
    const kindIssuing = make({ profile: "issuing", key: keys(kind, "issuing"), issuer: kindRoot });
    const kindLeaf = make({ profile: "leaf", key: keys(kind, "leaf"), issuer: kindIssuing });
    return {
      name: `everything ${kind}`,
      chain: [kindLeaf.der, kindIssuing.der],
      bundles: { [home]: [kindRoot.der] },
      expected: "ok",
    };
  });

  const twin = make({
    profile: "root",
    key: otherKey,
    issuer: undefined,
    changes: { subject: root.parts.subject, issuer: root.parts.subject },
  });
  const istioRoot = make({
    profile: "root",
    key: keys("RSA-2048", "root"),
    issuer: undefined,
    changes: {
      subject: d.distinguishedName([d.organization, d.utf8("cluster.local")]),
      issuer: d.distinguishedName([d.organization, d.utf8("cluster.local")]),
      subjectAltName: [],
    },
  });
  const middle = make({
    profile: "issuing",
    key: otherKey,
    issuer: root,
    changes: { ...caNamed("middle"), basicConstraints: [extensions.basicConstraints([d.boolean(true), d.integer(1)])] },
  });
  const belowMiddle = make({
    profile: "issuing",
    key: issuingKey,
    issuer: middle,
    changes: caNamed("below the middle"),
  });
  const narrow = make({
    profile: "issuing",
    key: otherKey,
    issuer: root,
    changes: caNamed("narrow"),
  });
  const belowNarrow = make({
    profile: "issuing",
    key: issuingKey,
    issuer: narrow,
    changes: caNamed("below the narrow"),
  });
  const selfIssued = issuingWith({ subject: root.parts.subject });
  const printableNames = d.distinguishedName(
    [d.organization, d.printable(home)],
    [d.commonName, d.printable("issuing P-256")],
  );

  const right: readonly ChainCase[] = [
    ...kinds,
    { name: "a leaf by a root", ...at(under(root)), expected: "ok" },
    { name: "two authorities between", ...at(under(belowMiddle), belowMiddle, middle), expected: "ok" },
    { name: "authorities out of order", ...at(under(belowMiddle), middle, belowMiddle), expected: "ok" },
    { name: "the root at the end", ...at(leaf, issuing, root), expected: "ok" },
    { name: "a stranger's authority beside", ...at(leaf, foreignRoot, issuing), expected: "ok" },
    {
      name: "two anchors of one name",
      chain: [leaf.der, issuing.der],
      bundles: { [home]: [twin.der, root.der] },
      expected: "ok",
    },
    {
      name: "two anchors of one name, and no key ids to choose by",
      ...(() => {
        const bare = { subjectKeyId: [] };
        const [first, second] = [otherKey, rootKey].map((key) =>
          make({ profile: "root", key, issuer: undefined, changes: { ...rootNamed("twins"), ...bare } }),
        ) as [Made, Made];
        const below = make({ profile: "issuing", key: issuingKey, issuer: second, changes: { authorityKeyId: [] } });
        return { chain: [under(below).der, below.der], bundles: { [home]: [first.der, second.der] } };
      })(),
      expected: "ok",
      others: {
        tools: ["openssl"],
        because: "-x509_strict demands a subject key identifier of every CA, and takes the first root of a name",
      },
    },
    {
      name: "a root in Istio's form",
      ...(() => {
        const below = make({
          profile: "issuing",
          key: issuingKey,
          issuer: istioRoot,
          changes: caNamed("issuer", "cluster.local"),
        });
        return {
          chain: [under(below, names("spiffe://cluster.local/ns/shop/sa/cart")).der, below.der],
          bundles: { "cluster.local": [istioRoot.der] },
        };
      })(),
      expected: "ok",
    },
    {
      name: "an authority for our trust domain alone",
      ...(() => {
        const below = issuingWith({ ...constrained(d.der(0xa0, d.sequence(uriName(home)))) });
        return at(under(below), below);
      })(),
      expected: "ok",
    },
    {
      name: "a leaf without an extended key usage",
      ...at(leafWith({ extendedKeyUsage: [] }), issuing),
      expected: "ok",
    },
  ];

  const wrong: readonly ChainCase[] = [
    {
      name: "the issuer's name in another string type",
      ...at(leafWith({ issuer: printableNames }), issuing),
      expected: "issuer-unknown",
      others: {
        tools: ["openssl", "gnutls"],
        because: "OpenSSL compares names as texts, GnuTLS follows the key id; Go compares bytes as we do",
      },
    },
    {
      name: "more authorities than a path length permits",
      ...at(under(belowNarrow), belowNarrow, narrow),
      expected: "authority-path-length",
    },
    {
      name: "an expired issuer",
      ...(() => {
        const below = issuingWith({ notBefore: ago(30), notAfter: ago(3) });
        return at(under(below), below);
      })(),
      expected: "authority-expired",
    },
    {
      name: "an issuer that is not valid yet",
      ...(() => {
        const below = issuingWith({ notBefore: ago(-2) });
        return at(under(below), below);
      })(),
      expected: "authority-not-yet-valid",
    },
    {
      name: "an expired root",
      ...(() => {
        const old = make({
          profile: "root",
          key: rootKey,
          issuer: undefined,
          changes: { notBefore: ago(60), notAfter: ago(3) },
        });
        return { chain: [leaf.der, issuing.der], bundles: { [home]: [old.der] } };
      })(),
      expected: "authority-expired",
    },
    {
      name: "an expired leaf",
      ...at(leafWith({ notBefore: ago(5), notAfter: ago(3) }), issuing),
      expected: "leaf-expired",
    },
    {
      name: "a leaf that is not valid yet",
      ...at(leafWith({ notBefore: ago(-1) }), issuing),
      expected: "leaf-not-yet-valid",
    },
    {
      name: "a foreign authority speaks for our trust domain",
      chain: [under(foreignRoot).der],
      bundles: { [home]: [root.der], [abroad]: [foreignRoot.der] },
      expected: "issuer-unknown",
      others: strangersToSpiffe("with one pool of anchors nobody knows whose anchor may speak for whom"),
    },
    {
      name: "a trust domain without anchors",
      ...at(leafWith(names("spiffe://nobody.example/a")), issuing),
      expected: "trust-domain-unknown",
      others: strangersToSpiffe("trust domains are SPIFFE's"),
    },
    {
      name: "an unknown root",
      chain: [leaf.der, issuing.der],
      bundles: { [home]: [foreignRoot.der] },
      expected: "issuer-unknown",
    },
    { name: "an authority left out", ...at(leaf), expected: "issuer-unknown" },
    {
      name: "an authority as a leaf",
      ...at(issuing),
      expected: "leaf-is-authority",
      others: { tools: ["gnutls", "go"], because: "a CA may be a TLS client; OpenSSL misses digitalSignature only" },
    },
    {
      name: "an authority with a workload's name as a leaf",
      ...at(issuingWith({ ...names(id), extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth, clientAuth])] })),
      expected: "leaf-is-authority",
      others: { tools: ["gnutls", "go"], because: "a CA may be a TLS client; OpenSSL misses digitalSignature only" },
    },
    {
      name: "a leaf that may sign certificates",
      ...at(leafWith({ keyUsage: [extensions.keyUsage(d.bits(d.bytes(0x84), 2))] }), issuing),
      expected: "leaf-is-authority",
      others: { tools: ["gnutls", "go"], because: "only -x509_strict compares keyCertSign with cA" },
    },
    {
      name: "a leaf without digitalSignature",
      ...at(leafWith({ keyUsage: [extensions.keyUsage(d.bits(d.bytes(0x20), 5))] }), issuing),
      expected: "leaf-key-usage",
      others: { tools: ["gnutls", "go"], because: "OpenSSL's purpose sslclient alone asks for it" },
    },
    {
      name: "a leaf without a key usage",
      ...at(leafWith({ keyUsage: [] }), issuing),
      expected: "leaf-key-usage",
      others: strangersToSpiffe("RFC 5280 lets a leaf go without, X509-SVID §4.3 does not"),
    },
    {
      name: "two URIs",
      ...at(leafWith(names(id, `spiffe://${home}/ns/shop/sa/till`)), issuing),
      expected: "leaf-several-uris",
      others: strangersToSpiffe("how many URIs there are is SPIFFE's rule"),
    },
    {
      name: "the same URI twice",
      ...at(leafWith(names(id, id)), issuing),
      expected: "leaf-several-uris",
      others: strangersToSpiffe("how many URIs there are is SPIFFE's rule"),
    },
    {
      name: "no URI",
      ...at(
        leafWith({ subjectAltName: [extensions.subjectAltName([d.der(0x82, Buffer.from("cart.example"))], true)] }),
        issuing,
      ),
      expected: "leaf-no-uri",
      others: strangersToSpiffe("names are SPIFFE's rule"),
    },
    {
      name: "a trust domain in upper case",
      ...at(leafWith(names("spiffe://MESH.example/ns/shop/sa/cart")), issuing),
      expected: "leaf-not-spiffe-id",
      others: strangersToSpiffe("names are SPIFFE's rule"),
    },
    {
      name: "a web address",
      ...at(leafWith(names("https://mesh.example/cart")), issuing),
      expected: "leaf-not-spiffe-id",
      others: strangersToSpiffe("names are SPIFFE's rule"),
    },
    {
      name: "a trust domain's own ID in a leaf",
      ...at(leafWith(names(`spiffe://${home}`)), issuing),
      expected: "leaf-without-path",
      others: strangersToSpiffe("names are SPIFFE's rule"),
    },
    {
      name: "a leaf for servers alone",
      ...at(leafWith({ extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth])] }), issuing),
      expected: "leaf-purpose",
    },
    {
      name: "a leaf for any purpose",
      ...at(leafWith({ extendedKeyUsage: [extensions.extendedKeyUsage([d.oid("2.5.29.37.0")])] }), issuing),
      expected: "leaf-purpose",
      others: {
        tools: ["gnutls", "go"],
        because: "RFC 5280 §4.2.1.12 leaves it to the application; X509-SVID §4.4 names both purposes",
      },
    },
    {
      name: "an authority with the root's own subject",
      ...at(under(selfIssued), selfIssued),
      expected: "authority-self-issued",
      others: {
        tools,
        because:
          "RFC 5280 allows it; the key ids keep it apart from the root, and none but key ids would: see the next",
      },
    },
    {
      name: "an authority with the root's own subject, and no key ids",
      ...(() => {
        const bare = issuingWith({ subject: root.parts.subject, authorityKeyId: [] });
        return at(under(bare, { authorityKeyId: [] }), bare);
      })(),
      expected: "authority-self-issued",
      others: { tools: ["go"], because: "Go follows the signatures; OpenSSL and GnuTLS take it for its own issuer" },
    },
    {
      name: "a leaf that signed itself",
      ...(() => {
        const subject = d.distinguishedName([d.organization, d.utf8("nobody")]);
        return at(make({ profile: "leaf", key: leafKey, issuer: undefined, changes: { subject, issuer: subject } }));
      })(),
      expected: "issuer-unknown",
    },
    {
      name: "a broken signature of the leaf",
      ...at(leafWith({}, { breakSignature: true }), issuing),
      expected: "signature-wrong",
    },
    {
      name: "a broken signature of the authority",
      ...(() => {
        const below = issuingWith({}, { breakSignature: true });
        return at(under(below), below);
      })(),
      expected: "signature-wrong",
    },
    {
      name: "a leaf signed by another key of the issuer's name",
      ...at(
        make({
          profile: "leaf",
          key: leafKey,
          issuer: { ...issuing, key: otherKey },
          changes: {
            authorityKeyId: issuing.parts.subjectKeyId.map(() => extensions.authorityKeyId(keyIdOf(issuingKey.spki))),
          },
        }),
        issuing,
      ),
      expected: "signature-wrong",
    },
    {
      name: "another algorithm outside than inside",
      ...at(leafWith({}, { outerAlgorithm: algorithms.ecdsaSha384 }), issuing),
      expected: "algorithm-mismatch",
    },
    {
      name: "an algorithm that is not the issuer's key's",
      ...at(leafWith({ algorithm: algorithmOf("RSA-2048") }), issuing),
      expected: "algorithm-not-taken",
    },
    {
      name: "a critical extension in the leaf that nobody knows",
      ...at(leafWith({ moreExtensions: [d.extension("1.3.6.1.4.1.65980.1", true, d.nothing())] }), issuing),
      expected: "leaf-extensions",
    },
    {
      name: "a critical extension in the authority that nobody knows",
      ...(() => {
        const below = issuingWith({ moreExtensions: [d.extension("1.3.6.1.4.1.65980.1", true, d.nothing())] });
        return at(under(below), below);
      })(),
      expected: "authority-extensions",
    },
    {
      name: "an extension twice in the leaf",
      ...at(leafWith({ moreExtensions: [extensions.extendedKeyUsage([serverAuth, clientAuth])] }), issuing),
      expected: "leaf-extensions",
    },
    {
      name: "an issuer that is no CA",
      ...(() => {
        const below = issuingWith({ basicConstraints: [extensions.basicConstraints([])] });
        return at(under(below), below);
      })(),
      expected: "authority-not-ca",
    },
    {
      name: "a leaf that issues a leaf",
      ...(() => {
        const above = leafWith({ ...caNamed("not an authority"), subjectAltName: leaf.parts.subjectAltName });
        return at(make({ profile: "leaf", key: otherKey, issuer: above }), above, issuing);
      })(),
      expected: "authority-not-ca",
    },
    {
      name: "an issuer that may not sign certificates",
      ...(() => {
        const below = issuingWith({ keyUsage: [extensions.keyUsage(d.bits(d.bytes(0x02), 1))] });
        return at(under(below), below);
      })(),
      expected: "authority-key-usage",
    },
    {
      name: "an authority for servers alone",
      ...(() => {
        const below = issuingWith({ extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth])] });
        return at(under(below), below);
      })(),
      expected: "authority-purpose",
    },
    {
      name: "an authority for another trust domain alone",
      ...(() => {
        const below = issuingWith(constrained(d.der(0xa0, d.sequence(uriName(abroad)))));
        return at(under(below), below);
      })(),
      expected: "authority-name-constraints",
      others: { tools: ["gnutls"], because: "GnuTLS does not compare URIs with what is permitted" },
    },
    {
      name: "an authority for every trust domain but ours",
      ...(() => {
        const below = issuingWith(constrained(d.der(0xa1, d.sequence(uriName(home)))));
        return at(under(below), below);
      })(),
      expected: "authority-name-constraints",
    },
    {
      name: "the key id of another issuer",
      ...at(leafWith({ authorityKeyId: [extensions.authorityKeyId(new Uint8Array(20).fill(9))] }), issuing),
      expected: "issuer-unknown",
      others: { tools: ["go"], because: "a key id is a hint to Go, and the signature is right" },
    },
    {
      name: "version 1 of a leaf",
      ...at(
        leafWith({
          version: new Uint8Array(0),
          keyUsage: [],
          extendedKeyUsage: [],
          basicConstraints: [],
          subjectKeyId: [],
          authorityKeyId: [],
          subjectAltName: [],
          subject: d.distinguishedName([d.commonName, d.utf8("old")]),
        }),
        issuing,
      ),
      expected: "leaf-version",
      others: strangersToSpiffe("a leaf of version 1 is legal"),
    },
  ];
  return [...right, ...wrong];
}
