import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { type Certificate, type KeyKind, keyKinds } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";
import { keyPair, makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { makeCsr, pemOf, workloadKey } from "#test/support/ca/make-csr";
import { tempFolder } from "#test/support/service/temp-folder";

const openssl = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)("openssl", args, { maxBuffer: 1e7 })).stdout;

async function file(t: TestContext, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await tempFolder(t), name);
  await writeFile(path, content);
  return path;
}

const pem = (certificate: Certificate) => writePem("CERTIFICATE", certificate.der);

interface Chain {
  readonly root: Certificate;
  readonly between: readonly Certificate[];
  readonly leaf: Certificate;
}

async function verify(t: TestContext, { root, between, leaf }: Chain, ...options: readonly string[]): Promise<string> {
  const anchor = await file(t, "root.pem", pem(root));
  const untrusted = await file(t, "untrusted.pem", between.map(pem).join(""));
  const end = await file(t, "leaf.pem", pem(leaf));
  const chain = between.length === 0 ? [] : ["-untrusted", untrusted];
  return openssl("verify", "-x509_strict", "-check_ss_sig", ...options, "-CAfile", anchor, ...chain, end);
}

const issuerKinds: readonly KeyKind[] = ["P-256", "P-384", "RSA-2048"];

for (const rootKind of issuerKinds)
  for (const kind of issuerKinds)
    test(`OpenSSL, strictly, takes every kind of leaf of a ${kind} issuer under a ${rootKind} root`, async (t) => {
      const root = makeAuthority({ kind: rootKind, profile: "root" });
      const issuing = makeAuthority({ kind, profile: "issuing", issuer: root });
      for (const leafKind of keyKinds) {
        const leaf = makeLeaf(issuing, { subjectPublicKeyDer: keyPair(leafKind, "leaf").spkiDer });
        const chain = { root: root.certificate, between: [issuing.certificate], leaf };
        for (const purpose of ["sslserver", "sslclient"])
          assert.match(await verify(t, chain, "-purpose", purpose), /: OK/);
      }
    });

test("OpenSSL takes a leaf of a root in Istio's form, which has an organization alone", async (t) => {
  const root = makeAuthority({ kind: "RSA-2048", profile: "root" }, { commonName: undefined, uri: undefined });
  assert.match(await verify(t, { root: root.certificate, between: [], leaf: makeLeaf(root) }), /: OK/);
});

test("OpenSSL refuses what is changed or issued by whom it should not", async (t) => {
  const root = makeAuthority({ kind: "P-256", profile: "root" });
  const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
  const leaf = makeLeaf(issuing);
  const good = { root: root.certificate, between: [issuing.certificate], leaf };
  assert.match(await verify(t, good), /: OK/);

  const changed = leaf.der.slice();
  changed[leaf.der.length - 5]! ^= 1;
  await assert.rejects(verify(t, { ...good, leaf: { ...leaf, der: changed } }), /signature failure/);
  const stranger = makeAuthority({ kind: "P-384", profile: "root" });
  await assert.rejects(verify(t, { ...good, root: stranger.certificate }), /unable to get (?:local )?issuer/);
  const below = makeAuthority({ kind: "P-384", profile: "issuing", issuer: issuing }, { commonName: "below" });
  const tooDeep = { ...good, between: [issuing.certificate, below.certificate], leaf: makeLeaf(below) };
  await assert.rejects(verify(t, tooDeep), /path length constraint exceeded/);
});

test("times on both sides of 2050 mean to OpenSSL what they mean here", async (t) => {
  const until = Date.UTC(2050, 0, 1, 0, 0, 0);
  const root = makeAuthority({ kind: "P-256", profile: "root" }, { notAfterMillis: until + 3_600_000 });
  const leaf = makeLeaf(root, { notBeforeMillis: until - 1000, notAfterMillis: until });
  const chain = { root: root.certificate, between: [], leaf };
  const at = (millis: number, { leaf: other }: { leaf: Certificate } = chain) =>
    verify(t, { ...chain, leaf: other }, "-attime", String(millis / 1000));
  assert.match(await at(until - 1000), /: OK/);
  await assert.rejects(at(until - 2000), /not yet valid/);
  await assert.rejects(at(until + 1000), /expired/);
  const later = { leaf: makeLeaf(root, { notBeforeMillis: until, notAfterMillis: until + 10_000 }) };
  assert.match(await at(until, later), /: OK/);
  await assert.rejects(at(until - 1000, later), /not yet valid/);
  await assert.rejects(at(until + 11_000, later), /expired/);
  const shown = await openssl("x509", "-in", await file(t, "leaf.pem", pem(leaf)), "-noout", "-dates");
  assert.match(shown, /notBefore=Dec 31 23:59:59 2049 GMT\nnotAfter=Jan {2}1 00:00:00 2050 GMT/);
});

test("asn1parse reads every certificate to its last byte, also where lengths grow by a byte", async (t) => {
  const root = makeAuthority({ kind: "P-256", profile: "root" });
  for (const size of [1, 60, 61, 62, 63, 120, 121, 122, 123, 124, 125, 126, 127, 128, 250, 255, 256, 2048]) {
    const leaf = makeLeaf(root, { uri: "u".repeat(size) });
    const parsed = await openssl("asn1parse", "-inform", "DER", "-in", await file(t, "leaf.der", leaf.der));
    assert.match(parsed.split("\n")[0]!, new RegExp(`d=0 +hl=[34] +l= *${leaf.der.length - 4} `));
    assert.doesNotMatch(parsed, /Error|indef/);
    const names = await openssl(
      "x509",
      "-inform",
      "DER",
      "-in",
      await file(t, "leaf.der", leaf.der),
      "-noout",
      "-ext",
      "subjectAltName",
    );
    assert.ok(names.includes(`critical\n    URI:${"u".repeat(size)}\n`));
  }
});

test("node:crypto reads from a certificate what was written into it", () => {
  const root = makeAuthority({ kind: "P-384", profile: "root" });
  const leaf = makeLeaf(root, { dnsNames: ["a.example"], ipAddresses: [Uint8Array.of(10, 0, 0, 1)] });
  const read = new X509Certificate(leaf.der);
  assert.equal(read.subject, undefined);
  assert.equal(
    read.subjectAltName,
    "URI:spiffe://cluster.local/ns/default/sa/httpbin, DNS:a.example, IP Address:10.0.0.1",
  );
  assert.deepEqual(read.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  assert.equal(read.serialNumber.toLowerCase(), Buffer.from(leaf.serial).toString("hex"));
  assert.equal(read.ca, false);
  assert.equal(read.checkIssued(new X509Certificate(root.certificate.der)), true);
});

/** How OpenSSL is asked for a key of each kind. */
const newKeys: Readonly<Record<KeyKind, readonly string[]>> = {
  "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
  "RSA-2048": ["rsa:2048"],
  "RSA-3072": ["rsa:3072"],
  "RSA-4096": ["rsa:4096"],
};
for (const kind of keyKinds.filter((each) => each !== "RSA-4096"))
  test(`a request that OpenSSL makes for a ${kind} key is proven`, async (t) => {
    const out = join(await tempFolder(t), "request.pem");
    const names = ["-subj", "/O=Acme/CN=client", "-addext", "subjectAltName=URI:spiffe://td/x,DNS:a,IP:::1"];
    await openssl("req", "-new", "-newkey", ...newKeys[kind], "-nodes", "-keyout", `${out}.key`, "-out", out, ...names);
    const parsed = parseCsr(await readFile(out, "utf8"));
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const proven = proveCsr(parsed.csr, new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1 }));
    assert.ok(proven.ok, JSON.stringify(proven));
    assert.equal(proven.csr.publicKey.kind, kind);
    assert.deepEqual(proven.csr.names, {
      alternativeNames: [
        { kind: "uri", value: "spiffe://td/x" },
        { kind: "dns", value: "a" },
        { kind: "ip", bytes: Uint8Array.from([...new Uint8Array(15), 1]) },
      ],
      commonNames: ["client"],
      subjectIsEmpty: false,
      otherExtensions: [],
    });
  });

test("OpenSSL takes the requests that tests are made with", async (t) => {
  for (const kind of ["P-256", "P-384", "RSA-2048"]) {
    const path = await file(t, "request.pem", pemOf(makeCsr(workloadKey(kind))));
    await openssl("req", "-in", path, "-verify", "-noout");
  }
});

test("a certificate that OpenSSL makes is read, its subject copied into a leaf, and the leaf taken", async (t) => {
  const folder = await tempFolder(t);
  const [key, out] = [join(folder, "ca.key"), join(folder, "ca.pem")];
  const subject = ["-subj", "/C=DE/ST=Bavaria/O=Acme, Inc/OU=a+OU=b/CN=root", "-multivalue-rdn"];
  const usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  await openssl(
    "req",
    "-x509",
    "-newkey",
    ...newKeys["P-256"],
    "-nodes",
    "-keyout",
    key,
    "-out",
    out,
    ...subject,
    ...usage,
  );
  const authority = new X509Certificate(await readFile(out));
  const read = readCertificate(authority.raw);
  assert.ok(read.ok);
  const made = makeAuthority({ kind: "P-256", profile: "root" });
  const leaf = makeLeaf({ ...made, names: { ...made.names, subjectDer: read.value.subjectDer } });
  assert.equal(new X509Certificate(leaf.der).issuer, authority.subject);
});
