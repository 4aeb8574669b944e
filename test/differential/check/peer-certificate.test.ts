import assert from "node:assert/strict";
import { test } from "node:test";
import { readCertificate } from "#authz/check/attributes/peer-certificate";
import { UNKNOWN } from "#authz/engine/attributes";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { type CertificateInput, makeCertificate } from "../../support/check/certificate.ts";

const subjects: readonly NonNullable<CertificateInput["subject"]>[] = [
  [["CN", "web"]],
  [
    ["C", "DE"],
    ["O", "Acme, Inc"],
    ["CN", "client two"],
  ],
  [
    ["O", 'q"uote <b> a;b'],
    ["CN", "\\#hash + plus\\\\"],
  ],
  [["CN", toByteString("Zoë €")]],
  [
    ["DC", "org"],
    ["DC", "example"],
    ["OU", "one"],
    ["OU", "two"],
    ["CN", "x"],
    ["emailAddress", "a@b.example"],
  ],
  [
    ["O", "set"],
    ["CN", "a"],
    ["+OU", "b"],
    ["+UID", "c"],
  ],
  [
    ["CN", "a=b"],
    ["L", "Köln".normalize("NFC") && toByteString("Köln")],
    ["ST", "x"],
  ],
];

test("a subject is printed as OpenSSL prints RFC 2253, which is how Envoy prints it", () => {
  for (const subject of subjects) {
    const made = makeCertificate({ subject });
    assert.equal(readCertificate(made.encoded)?.subject, made.subject);
  }
});

test("a subject with an attribute that libraries name differently is unknown", () => {
  const made = makeCertificate({
    subject: [
      ["CN", "a"],
      ["businessCategory", "b"],
    ],
  });
  assert.equal(readCertificate(made.encoded)?.subject, UNKNOWN);
});

test("alternative names come in their order, whatever they hold", () => {
  const uris = ["spiffe://a/b", "spiffe://a/c,d", 'spiffe://a/\\"q\\"\\\\', "spiffe://a/DNS:x", "spiffe://a/é"];
  const dns = ["one.example", "two.example"];
  const names = readCertificate(makeCertificate({ uris, dns, subject: [["CN", "x"]] }).encoded);
  assert.deepEqual(names?.uris, [
    "spiffe://a/b",
    "spiffe://a/c,d",
    'spiffe://a/"q"\\',
    "spiffe://a/DNS:x",
    "spiffe://a/é",
  ]);
  assert.deepEqual(names?.dns, dns);
});

test("no subject and no names are absent, and what is no certificate is none", () => {
  assert.deepEqual(readCertificate(makeCertificate({}).encoded), { uris: [], dns: [], subject: undefined });
  for (const text of [
    "",
    "%",
    "x",
    "%ff",
    encodeURIComponent("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"),
  ])
    assert.equal(readCertificate(text), undefined);
});
