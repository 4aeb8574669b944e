import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildCsr } from "#ca/csr/build-csr";
import { writePem } from "#ca/x509/pem";
import { keyPair, makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { makeCertificates } from "#test/support/certificates";
import { cli } from "#test/support/cli/run-cli";
import { tempFolder } from "#test/support/service/temp-folder";

const hour = 3_600_000;
const id = "spiffe://cluster.local/ns/default/sa/httpbin";
const pem = (der: Uint8Array) => writePem("CERTIFICATE", der);
const root = makeAuthority({ kind: "P-256", profile: "root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const leaf = makeLeaf(issuing);
const chain = pem(leaf.der) + pem(issuing.certificate.der) + pem(root.certificate.der);
const inspect = (input: string | Uint8Array, ...more: string[]) => cli(["ca", "inspect", "-", ...more], { input });

test("inspect: a chain at a glance", async () => {
  const { status, out, err } = await inspect(chain);
  assert.deepEqual([status, err], [0, ""]);
  const [first = "", second = "", third = ""] = out.split("\n\n");
  assert.match(
    first,
    new RegExp(
      `^certificate    leaf  ${id}\nvalidity       valid, ends 20\\S+ \\(in 59 m .*\\)\nbegins         20\\S+ \\(2 m.* ago\\)\nkey            P-256, SHA-256 [0-9a-f]{64}\nsubject        \\(empty\\)\nissuer         O=cluster\\.local, CN=issuing P-256\nserial         [0-9a-f]{32}\nsigned with    ecdsa-with-SHA256\nmay            server, client, digitalSignature\nkey id         [0-9a-f]{40}\nissuer key id  [0-9a-f]{40}\nSHA-256        [0-9a-f]{64}$`,
    ),
  );
  assert.match(second, /^certificate {4}intermediate authority {2}spiffe:\/\/cluster\.local\n/);
  assert.match(second, /\nmay {12}keyCertSign, cRLSign, 0 authorities below\n/);
  assert.match(third, /^certificate {2}self-issued authority /);
  assert.ok(!out.includes("odd"));
});

test("inspect: DER, several behind each other, and as JSON", async () => {
  const der = Buffer.concat([root.certificate.der, issuing.certificate.der]);
  const { items, odd } = JSON.parse((await inspect(der, "--format", "json")).out);
  assert.deepEqual(
    items.map(({ kind, role }: { kind: string; role: string }) => [kind, role]),
    [
      ["certificate", "self-issued authority"],
      ["certificate", "intermediate authority"],
    ],
  );
  assert.deepEqual(odd, []);
  assert.equal(items[0].fingerprint.length, 64);
});

const odd: readonly (readonly [title: string, changes: Parameters<typeof makeLeaf>[1], says: RegExp])[] = [
  [
    "ended",
    { notBeforeMillis: Date.now() - 3 * hour, notAfterMillis: Date.now() - hour },
    /validity +ended, ends 20\S+ \(1 h ago\)/,
  ],
  [
    "not begun",
    { notBeforeMillis: Date.now() + hour, notAfterMillis: Date.now() + 2 * hour },
    /validity +not yet valid, begins 20\S+ \(in 59 m/,
  ],
  ["long", { notAfterMillis: Date.now() + 400 * 24 * hour }, /odd +lives for 400 days/],
  ["of a trust domain", { uri: "spiffe://cluster.local" }, /odd +a workload with the SPIFFE ID of a trust domain/],
  ["no SPIFFE ID", { uri: "https://example.org/" }, /odd +the URI is no SPIFFE ID: wrong-scheme/],
  ["P-384", { subjectPublicKeyDer: keyPair("P-384", "leaf").spkiDer }, /odd +a P-384 key: Envoys before 1\.33/],
  ["a short serial", { serial: Uint8Array.of(1) }, /odd +a serial number that can be guessed/],
];
for (const [title, changes, says] of odd) {
  test(`inspect: a certificate that is ${title}`, async () => {
    const { status, out } = await inspect(pem(makeLeaf(issuing, changes).der));
    assert.equal(status, 0);
    assert.match(out, says);
  });
}

test("inspect: names and addresses are told, and what a chain lacks", async () => {
  const named = makeLeaf(issuing, { dnsNames: ["a.example"], ipAddresses: [Uint8Array.of(10, 0, 0, 1)] });
  const { out } = await inspect(pem(named.der) + pem(root.certificate.der));
  assert.match(out, /\nnames +DNS:a\.example, IP:10\.0\.0\.1\n/);
  assert.match(
    out,
    /\nodd {2}number 1 is not signed by number 2: its issuer's name has other bytes than the subject there\n$/,
  );
  const twice = await inspect(pem(root.certificate.der) + pem(root.certificate.der));
  assert.match(twice.out, /odd {2}number 2 is number 1 again\n$/);
  const twin = makeAuthority({ kind: "P-384", profile: "root" }, { commonName: "root P-256" });
  const twins = await inspect(pem(root.certificate.der) + pem(twin.certificate.der));
  assert.match(twins.out, /odd {2}numbers 1 and 2 have one name and different keys\n$/);
  const other = makeAuthority({ kind: "P-384", profile: "issuing", issuer: root }, { commonName: "issuing P-256" });
  const strange = await inspect(pem(leaf.der) + pem(other.certificate.der));
  assert.match(strange.out, /odd {2}number 1 is not signed by number 2: its authority key id is another\n/);
});

test("inspect: a request, its proof, and what is not taken over", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = buildCsr(privateKey, id);
  const { status, out } = await inspect(writePem("CERTIFICATE REQUEST", der));
  assert.equal(status, 0);
  assert.match(
    out,
    new RegExp(
      `^request      ${id}\nkey          P-256, SHA-256 .*\nsigned with  ecdsa-with-SHA256\nproven       signed by its own key\n$`,
    ),
  );
  assert.equal((await inspect(der)).out, out);
  const forged = Uint8Array.from(der);
  forged[forged.length - 1]! ^= 1;
  assert.match(
    (await inspect(forged)).out,
    /\nproven +not signed by its own key\nodd +not signed by its own key: it will be refused\n$/,
  );
});

test("inspect: private keys are told and not looked at; what cannot be read is said to be so", async (t) => {
  const key = keyPair("P-256", "leaf").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { out } = await inspect(key + pem(leaf.der));
  assert.match(out, /^private key {2}not looked at\n\ncertificate /);
  for (const line of key.split("\n").slice(1, -2)) assert.ok(!out.includes(line));
  assert.match((await inspect(pem(Uint8Array.of(0x30, 0x03, 2, 1, 5)))).out, /^certificate {2}cannot be read: /);
  assert.match(
    (await inspect(writePem("CERTIFICATE REQUEST", leaf.der))).out,
    /^request {2}cannot be read: .* \[csr\/shape\]\n$/,
  );
  const folder = await tempFolder(t);
  await writeFile(join(folder, "cut.pem"), chain.slice(0, 300));
  for (const [args, says] of [
    [["-"], /`-` is empty/],
    [[join(folder, "gone.pem")], /gone\.pem` cannot be read: ENOENT/],
    [[folder], /cannot be read: EISDIR/],
    [[join(folder, "cut.pem")], /cut\.pem`, the block at line 1: expected/],
    [["-"], /`-` holds neither PEM nor DER/, "hello"],
  ] as const) {
    const input = says.source.includes("neither") ? "hello" : "";
    const ran = await cli(["ca", "inspect", ...args], { input });
    assert.deepEqual([ran.status, ran.out], [2, ""]);
    assert.match(ran.err, says);
  }
});

test("inspect: certificates of others", async (t) => {
  const certificates = await makeCertificates();
  t.after(() => certificates.remove());
  const ran = await cli(["ca", "inspect", certificates.file("two-uris", "crt")]);
  assert.equal(ran.status, 0);
  assert.match(ran.out, /odd +2 URIs: no SPIFFE certificate has more than one\n/);
  const ed25519 = readFileSync(new URL("../../../support/ca/ed25519.pem", import.meta.url));
  const other = await inspect(new Uint8Array(ed25519));
  assert.match(other.out, /\nkey +Ed25519, SHA-256 /);
  assert.match(other.out, /\nodd +a key that the authority does not take\n/);
  assert.match(other.out, /\nodd +a signature algorithm that is not taken\n/);
});

test("lint: 0 for what the authority would sign, 5 with every objection", async (t) => {
  const { status, out } = await cli(["ca", "lint", "-"], { input: chain });
  assert.deepEqual([status, out], [0, "leaf: no lint objects\n"]);
  const alone = await cli(["ca", "lint", "-"], { input: pem(leaf.der) });
  assert.deepEqual(
    [alone.status, alone.out],
    [0, "leaf: no lint objects\nno issuer to compare with: --issuer names its certificate\n"],
  );
  const folder = await tempFolder(t);
  const issuer = join(folder, "issuer.pem");
  await writeFile(issuer, pem(issuing.certificate.der));
  const bad = makeLeaf(issuing, { uri: "https://example.org/", notAfterMillis: Date.now() + 500 * 24 * hour });
  const told = await cli(["ca", "lint", "-", "--issuer", issuer], { input: pem(bad.der) });
  assert.equal(told.status, 5);
  assert.match(told.out, /\nleaf: [2-9] lints object\n$/);
  assert.match(told.out, /^[a-z_]+ {2}expected .* \(.*\)\n/);
  const json = JSON.parse(
    (await cli(["ca", "lint", "-", "--issuer", issuer, "--format", "json"], { input: pem(bad.der) })).out,
  );
  assert.deepEqual([json.profile, json.issuerKnown], ["leaf", true]);
  assert.ok(json.findings.length >= 2);
  for (const authority of [root, issuing]) {
    const input = pem(authority.certificate.der) + pem(root.certificate.der);
    const ran = await cli(["ca", "lint", "-"], { input });
    assert.deepEqual([ran.status, ran.out], [0, `${authority === root ? "root" : "issuing"}: no lint objects\n`]);
  }
  const as = await cli(["ca", "lint", "-", "--profile", "root"], { input: pem(leaf.der) });
  assert.equal(as.status, 5);
  const odd = await cli(["ca", "lint", "-"], { input: pem(Uint8Array.of(0x30, 0)) });
  assert.equal(odd.status, 2);
});

test("needs-renewal: 10 when half of the life is over, or the part that was asked for", async () => {
  const young = pem(leaf.der);
  const fine = await cli(["ca", "needs-renewal", "-"], { input: young });
  assert.equal(fine.status, 0);
  assert.match(fine.out, /^not due: renew 20\S+ \(in 2[0-9] m .*\), ends 20\S+ \(in 59 m .*\)\n$/);
  const old = pem(makeLeaf(issuing, { notBeforeMillis: Date.now() - 2 * hour }).der);
  const due = await cli(["ca", "needs-renewal", "-"], { input: old });
  assert.equal(due.status, 10);
  assert.match(due.out, /^due: renew 20\S+ \(30 m.* ago\)/);
  assert.equal((await cli(["ca", "needs-renewal", "-", "--at", "0.9"], { input: old })).status, 0);
  const json = JSON.parse((await cli(["ca", "needs-renewal", "-", "--format", "json"], { input: old })).out);
  assert.equal(json.due, true);
  for (const at of ["0", "2", "half", ""]) {
    assert.equal((await cli(["ca", "needs-renewal", "-", "--at", at], { input: old })).status, 2);
  }
  assert.equal((await cli(["ca", "needs-renewal", "-"], { input: "" })).status, 2);
});

test("verify: 0 when a peer would take it, 5 with the reason when not", async (t) => {
  const folder = await tempFolder(t);
  const bundle = join(folder, "roots.pem");
  await writeFile(bundle, pem(root.certificate.der));
  const verify = (input: string, ...more: string[]) =>
    cli(["ca", "verify", "-", "--bundle", bundle, ...more], { input });
  const good = await verify(chain);
  assert.equal(good.status, 0);
  assert.match(good.out, new RegExp(`^as client  ${id}, good until 20\\S+ \\(in 59 m.*\\)\nas server  ${id}, good`));
  const alone = await verify(pem(leaf.der), "--purpose", "server");
  assert.equal(alone.status, 5);
  assert.match(alone.out, /^as server {2}refused: .* \[issuer-unknown\]\n$/);
  const other = await verify(chain, "--trust-domain", "other.example");
  assert.equal(other.status, 5);
  assert.match(other.out, /\[trust-domain-unknown\]/);
  const ended = makeLeaf(issuing, { notBeforeMillis: Date.now() - 2 * hour, notAfterMillis: Date.now() - hour });
  const json = await verify(pem(ended.der) + pem(issuing.certificate.der), "--format", "json");
  assert.equal(json.status, 5);
  assert.deepEqual(
    JSON.parse(json.out).verdicts.map(({ purpose, ok, reason }: Record<string, unknown>) => [purpose, ok, reason]),
    [
      ["client", false, "leaf-expired"],
      ["server", false, "leaf-expired"],
    ],
  );
  assert.equal((await cli(["ca", "verify", "-"], { input: chain })).status, 2);
  assert.equal((await cli(["ca", "verify", "-", "--bundle", join(folder, "gone")], { input: chain })).status, 2);
  await writeFile(bundle, pem(Uint8Array.of(0x30, 0)));
  assert.match((await verify(chain)).err, /a root of `\S+` cannot be read/);
});
