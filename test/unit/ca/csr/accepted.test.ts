import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { KeyPolicy } from "#ca/csr/key-policy";
import { ParsedCsr, parseCsr } from "#ca/csr/parse-csr";
import { ProvenCsr, proveCsr } from "#ca/csr/prove-csr";
import { hex, nothing, octets, oid, seq, set, text, tlv } from "#test/support/ca/der-writer";
import {
  type CsrChanges,
  dnsName,
  emptySubject,
  extensionDer,
  extensionRequest,
  istioUri,
  makeCsr,
  name,
  pemOf,
  type SignatureName,
  sanExtension,
  uriName,
  workloadKey,
} from "#test/support/ca/make-csr";

const policy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 100 });

function proven(pem: string): ProvenCsr {
  const parsed = parseCsr(pem);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const result = proveCsr(parsed.csr, policy);
  assert.ok(result.ok, JSON.stringify(result));
  return result.csr;
}

const corpus = new URL("../../../corpora/csr/", import.meta.url);
const noNames = { alternativeNames: [], commonNames: [], otherExtensions: [] };
const oneUri = { ...noNames, alternativeNames: [{ kind: "uri", value: istioUri }] };
const recorded = {
  "istio-p256.csr.pem": { kind: "P-256", names: { ...oneUri, subjectIsEmpty: true } },
  "istio-p384.csr.pem": { kind: "P-384", names: { ...oneUri, subjectIsEmpty: true } },
  "istio-rsa2048.csr.pem": { kind: "RSA-2048", names: { ...oneUri, subjectIsEmpty: true } },
  "istio-rsa4096.csr.pem": { kind: "RSA-4096", names: { ...oneUri, subjectIsEmpty: true } },
  "spire-p256.csr.pem": { kind: "P-256", names: { ...noNames, subjectIsEmpty: false } },
  "spire-uri-p256.csr.pem": { kind: "P-256", names: { ...oneUri, subjectIsEmpty: false } },
  "spire-uri-rsa2048.csr.pem": { kind: "RSA-2048", names: { ...oneUri, subjectIsEmpty: false } },
  "ztunnel-p256.csr.pem": { kind: "P-256", names: { ...oneUri, subjectIsEmpty: true } },
};

test("every recorded request is in the table", () => {
  assert.deepEqual(readdirSync(corpus).sort(), Object.keys(recorded).sort());
});

for (const [file, { kind, names }] of Object.entries(recorded)) {
  test(`${file} is proven`, () => {
    const csr = proven(readFileSync(new URL(file, corpus), "utf8"));
    assert.equal(csr.publicKey.kind, kind);
    assert.deepEqual(csr.names, names);
    assert.ok(ProvenCsr.is(csr));
  });
}

test("RSA-3072, which no agent makes by itself, is proven too", () => {
  assert.equal(proven(pemOf(makeCsr(workloadKey("RSA-3072")))).publicKey.kind, "RSA-3072");
});

test("what merely looks like a parsed or proven request is none", () => {
  const csr = proven(pemOf(makeCsr(workloadKey("P-256"))));
  assert.equal(ProvenCsr.is({ ...csr }), false);
  assert.equal(ParsedCsr.is(csr), false);
});

for (const [kind, algorithm] of [
  ["P-256", "ecdsa-sha384"],
  ["P-384", "ecdsa-sha256"],
  ["RSA-2048", "rsa-sha384"],
  ["RSA-2048", "rsa-sha512"],
] as const satisfies readonly [string, SignatureName][]) {
  test(`a ${kind} key may sign with ${algorithm}`, () => {
    assert.equal(proven(pemOf(makeCsr(workloadKey(kind), { algorithm }))).publicKey.kind, kind);
  });
}

const pem = pemOf(makeCsr(workloadKey("P-256")));
for (const [what, sent] of Object.entries({
  "the older label": pem.replaceAll("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
  "line breaks of Windows": pem.replaceAll("\n", "\r\n"),
  "blanks around": `\n  \n${pem}\n\n`,
  "no line break at the end": pem.trimEnd(),
  "lines of another length": pem.replace(/(?<=[\w+/])\n(?=[\w+/])/g, ""),
})) {
  test(`PEM with ${what} is read`, () => {
    assert.equal(proven(sent).publicKey.kind, "P-256");
  });
}

const email = text(0x81, "a@b.example");
const ip = tlv(0x87, hex("0a000001"));
const directory = tlv(0xa4, [name(["2.5.4.3", "x"])]);
const other = tlv(0xa0, [oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, [text(0x0c, "a@b")])]);
const keyUsage = extensionDer(oid("2.5.29.15"), true, hex("03020780"));

const nameCases: readonly { what: string; changes: CsrChanges; names: object }[] = [
  {
    what: "no attributes",
    changes: { attributes: [], subject: emptySubject },
    names: { ...noNames, subjectIsEmpty: true },
  },
  {
    what: "names of every kind, repeated ones too",
    changes: {
      attributes: [
        extensionRequest(sanExtension(uriName("a:b"), dnsName("x"), dnsName("x"), email, ip, directory, other)),
      ],
    },
    names: {
      ...noNames,
      subjectIsEmpty: true,
      alternativeNames: [
        { kind: "uri", value: "a:b" },
        { kind: "dns", value: "x" },
        { kind: "dns", value: "x" },
        { kind: "email", value: "a@b.example" },
        { kind: "ip", bytes: hex("0a000001") },
        { kind: "other", tag: 0xa4 },
        { kind: "other", tag: 0xa0 },
      ],
    },
  },
  {
    what: "common names",
    changes: { attributes: [], subject: name(["2.5.4.10", "Acme"], ["2.5.4.3", "ä"], ["2.5.4.3", "two"]) },
    names: { ...noNames, commonNames: ["ä", "two"], subjectIsEmpty: false },
  },
  {
    what: "an empty organization beside a name",
    changes: { attributes: [], subject: name(["2.5.4.10", ""], ["2.5.4.3", "x"]) },
    names: { ...noNames, commonNames: ["x"], subjectIsEmpty: false },
  },
  {
    what: "other extensions",
    changes: { attributes: [extensionRequest(keyUsage, sanExtension(uriName(istioUri)))] },
    names: { ...oneUri, subjectIsEmpty: true, otherExtensions: ["2.5.29.15"] },
  },
  {
    what: "attributes that are not looked into",
    changes: {
      attributes: [
        seq(oid("1.2.840.113549.1.9.7"), set(text(0x0c, "secret"))),
        extensionRequest(extensionDer(oid("1.2.3"), false, nothing)),
      ],
    },
    names: { ...noNames, subjectIsEmpty: true, otherExtensions: ["1.2.3"] },
  },
];
for (const { what, changes, names } of nameCases) {
  test(`a request with ${what} says so`, () => {
    assert.deepEqual(proven(pemOf(makeCsr(workloadKey("P-256"), changes))).names, names);
  });
}

test("what the OpenSSL extension of an unknown type holds is not read", () => {
  const attributes = [extensionRequest(seq(oid("1.2.3.4"), octets(hex("ffff"))))];
  assert.deepEqual(proven(pemOf(makeCsr(workloadKey("P-256"), { attributes }))).names.otherExtensions, ["1.2.3.4"]);
});
