import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RefusalCode } from "#ca/refusals";
import { hex, integer, nothing, oid, seq, set, tlv } from "#test/support/ca/der-writer";
import {
  ecSpki,
  extensionRequest,
  makeCsr,
  pemOf,
  pointOf,
  rsaSpki,
  sanExtension,
  uriName,
  type WorkloadKey,
  workloadKey,
} from "#test/support/ca/make-csr";
import { endScene, entry, newCsr, openScene, operator, type Scene, sceneDomain, webId } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { issueIn, recordsIn, refuseIn } from "#test/support/ca/scene-requests";

const databaseId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const ours = makeOpenAuthority();
let scene: Scene;
before(async () => {
  scene = await openScene({ entries: [entry(webId), entry(databaseId)], imported: ours.material });
});
after(() => endScene(scene));

async function codeOf(csrPem: string, spiffeId = webId): Promise<RefusalCode> {
  return (await refuseIn(scene, { csrPem, credentials: operator, spiffeId })).code;
}

const p256 = workloadKey("P-256");
const ofModulus = (modulus: bigint, exponent: bigint | number = 65537) =>
  // Signed by another key: a key that is not taken is refused before a signature is looked at.
  pemOf(
    makeCsr(p256, { spkiDer: rsaSpki(modulus, exponent), algorithm: "rsa-sha256", signature: new Uint8Array(256) }),
  );

const smallPrimes: bigint[] = [];
for (let n = 2n; n < 752n; n++) if (smallPrimes.every((prime) => n % prime !== 0n)) smallPrimes.push(n);

/** A number of 2048 bits that is a power of 65537 modulo the primes up to 167, as the cards' keys are, and has no small factor. */
function rocaModulus(): bigint {
  const primorial = smallPrimes.filter((prime) => prime <= 167n).reduce((a, b) => a * b);
  let candidate = ((3n << 2046n) / primorial) * primorial + (65537n ** 7n % primorial);
  while (smallPrimes.some((prime) => candidate % prime === 0n)) candidate += primorial;
  return candidate;
}
/** 2048 bits, 751 times an odd number. */
const divisible = 751n * (((1n << 2047n) / 751n + 1n) | 1n);
const squareOfOdd = ((3n << 1022n) + 643n) ** 2n;

/** What is weak by its numbers, by its size, or by how it is written. */
const weak: readonly (readonly [what: string, code: RefusalCode, csrPem: string])[] = [
  ["a factor below 752", "key/weak", ofModulus(divisible)],
  ["close primes", "key/weak", ofModulus(squareOfOdd)],
  ["the cards' primes (ROCA)", "key/weak", ofModulus(rocaModulus())],
  ["1024 bits", "key/kind", ofModulus((1n << 1023n) + 1n)],
  ["2047 bits", "key/kind", ofModulus((1n << 2046n) + 1n)],
  ["16384 bits", "csr/too-large", ofModulus((1n << 65535n) + 1n)],
  ["the exponent 1", "key/kind", ofModulus(squareOfOdd, 1)],
  ["the exponent 3", "key/kind", ofModulus(squareOfOdd, 3)],
  ["an even exponent", "key/kind", ofModulus(squareOfOdd, 65536)],
  ["an exponent as long as the modulus", "key/kind", ofModulus(squareOfOdd, squareOfOdd - 2n)],
  ["an even modulus", "key/kind", ofModulus(squareOfOdd - 1n)],
  ["a negative modulus", "key/kind", ofModulus(-squareOfOdd)],
  ["a point at infinity", "key/kind", pemOf(makeCsr(p256, { spkiDer: ecSpki("P-256", hex("00")) }))],
  ["a point of zeros", "key/kind", pemOf(makeCsr(p256, { spkiDer: ecSpki("P-256", hex(`04${"00".repeat(64)}`)) }))],
  ["a point beside the curve", "key/kind", pemOf(makeCsr(p256, { spkiDer: besideTheCurve(p256) }))],
  ["a compressed point", "key/kind", pemOf(makeCsr(p256, { spkiDer: ecSpki("P-256", compressed(p256)) }))],
  ["a curve of its own parameters", "key/kind", pemOf(makeCsr(p256, { spkiDer: explicitCurve() }))],
  ["P-521", "key/kind", pemOf(makeCsr(workloadKey("P-521")))],
  ["secp256k1", "key/kind", pemOf(makeCsr(workloadKey("secp256k1")))],
  ["Ed25519", "key/kind", pemOf(makeCsr(p256, { spkiDer: spkiOf("ed25519") }))],
  ["RSASSA-PSS", "key/kind", pemOf(makeCsr(p256, { spkiDer: pssSpki() }))],
];

function compressed(key: WorkloadKey): Uint8Array {
  const point = pointOf(key);
  return Uint8Array.of(2 + (point[64]! & 1), ...point.subarray(1, 33));
}

function besideTheCurve(key: WorkloadKey): Uint8Array {
  const spkiDer = new Uint8Array(key.spkiDer);
  spkiDer[spkiDer.length - 1]! ^= 1;
  return spkiDer;
}

function explicitCurve(): Uint8Array {
  const options = { namedCurve: "P-256", paramEncoding: "explicit" } as const;
  return new Uint8Array(generateKeyPairSync("ec", options).publicKey.export({ type: "spki", format: "der" }));
}

function spkiOf(type: "ed25519"): Uint8Array {
  return new Uint8Array(generateKeyPairSync(type).publicKey.export({ type: "spki", format: "der" }));
}

/** The same numbers as a good key, under the name of another algorithm. */
function pssSpki(): Uint8Array {
  const good = rsaSpki(squareOfOdd, 65537);
  return tlv(0x30, [seq(oid("1.2.840.113549.1.1.10"), nothing), good.subarray(4 + 15)]);
}

test("T6: weak keys get no certificate, each with its reason", async () => {
  for (const [what, code, csrPem] of weak) assert.equal(await codeOf(csrPem), code, what);
  assert.equal((await recordsIn(scene)).length, 0);
});

test("T6: a key that two identities share is the first one's alone, also when it asked in vain for the second before", async () => {
  const { csrPem } = newCsr();
  const other = newCsr();
  await issueIn(scene, { csrPem, credentials: operator, spiffeId: webId });
  await issueIn(scene, { csrPem, credentials: operator, spiffeId: webId });
  const { code, last } = await refuseIn(scene, { csrPem, credentials: operator, spiffeId: databaseId });
  assert.equal(code, "key/in-use");
  assert.ok(last.seen !== "" && last.wanted.includes(databaseId) && last.remedy !== "");
  // Two who ask at once with one key: one of them gets it.
  const answers = await Promise.all(
    [webId, databaseId].map((spiffeId) => scene.issue({ csrPem: other.csrPem, credentials: operator, spiffeId })),
  );
  assert.deepEqual(answers.map(({ ok }) => ok).sort(), [false, true]);
  assert.equal(answers.find((answer) => !answer.ok)?.code, "key/in-use");
});

test("T6: a key of the authority itself is no workload's: its issuer's, its root's", async () => {
  for (const { key } of [ours.issuing, ours.root]) {
    const { privateKey, spki: spkiDer } = key;
    const csrPem = pemOf(makeCsr({ privateKey, spkiDer, family: "EC", algorithm: "ecdsa-sha256" }));
    assert.equal(await codeOf(csrPem), "key/authority");
  }
  await scene.authority.service.rotateIssuer("test").then(
    () => assert.fail("the root's key is not here"),
    (fault) => assert.equal(fault.code, "ca-authority/root-key-elsewhere"),
  );
});

const good = makeCsr(p256);
const deep = (depth: number): Uint8Array => (depth === 0 ? seq() : seq(deep(depth - 1)));
const manyNames = Array.from({ length: 500 }, (_, i) => uriName(`spiffe://td/${i}/${"x".repeat(20)}`));

/** What costs more to read than it is worth, and what one reader takes for another thing than the next. */
const oversized: readonly (readonly [what: string, code: RefusalCode, csrPem: string])[] = [
  ["a megabyte", "csr/too-large", `${pemOf(good)}${" ".repeat(1 << 20)}`],
  ["ten megabytes of begins", "csr/too-large", "-----BEGIN CERTIFICATE REQUEST-----\n".repeat(300_000)],
  ["16 KiB of begins", "csr/pem", "-----BEGIN CERTIFICATE REQUEST-----\n".repeat(440)],
  ["16 KiB of dashes", "csr/pem", "-".repeat(16 * 1024)],
  ["9 KiB of DER", "csr/too-large", pemOf(tlv(0x30, new Uint8Array(9 * 1024)))],
  ["300 levels", "csr/der", pemOf(makeCsr(p256, { attributes: [seq(oid("1.2.3"), set(deep(300)))] }))],
  ["9 levels of content", "csr/der", pemOf(makeCsr(p256, { attributes: [seq(oid("1.2.3"), set(deep(9)))] }))],
  ["500 names", "csr/too-large", pemOf(makeCsr(p256, { attributes: [extensionRequest(sanExtension(...manyNames))] }))],
  ["an exponent of 3071 bits", "key/kind", ofModulus((1n << 3071n) + 1n, (1n << 3070n) + 1n)],
  ["two requests", "csr/pem", pemOf(good) + pemOf(good)],
  ["a certificate's label", "csr/pem", pemOf(good, "CERTIFICATE")],
  ["a private key's label", "csr/pem", pemOf(good, "PRIVATE KEY")],
  ["an encapsulated header", "csr/pem", pemOf(good).replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n")],
  ["a NUL", "csr/pem", pemOf(good).replace("MII", "MI\0")],
  ["bytes behind the end", "csr/der", pemOf(Uint8Array.of(...good, 0))],
  ["an indefinite length", "csr/der", pemOf(Uint8Array.of(0x30, 0x80, ...good.subarray(3), 0, 0))],
  ["a length of four bytes", "csr/der", pemOf(hex("3084ffffffff"))],
  ["another version", "csr/shape", pemOf(makeCsr(p256, { version: integer(1) }))],
  ["nothing", "csr/pem", ""],
];

test("T7: what is oversized, nested or PEM of several meanings is refused, and everybody else is served meanwhile", async () => {
  const { csrPem } = newCsr();
  const answers = await Promise.all([
    ...oversized.map(([, , csrPem]) => scene.issue({ csrPem, credentials: operator, spiffeId: webId })),
    scene.issue({ csrPem, credentials: operator, spiffeId: webId }),
  ]);
  const codes = answers.map((answer) => (answer.ok ? "issued" : answer.code));
  assert.deepEqual(codes, [...oversized.map(([, code]) => code), "issued"]);
});

test("T7: real requests of every kind are taken", async () => {
  for (const kind of ["istio-rsa2048", "istio-rsa4096", "istio-p384", "ztunnel-p256"]) {
    const csrPem = await readFile(new URL(`../../../corpora/csr/${kind}.csr.pem`, import.meta.url), "utf8");
    const { record, leaf } = await issueIn(scene, { csrPem, credentials: operator, spiffeId: webId });
    assert.equal(record.spkiHash, createHash("sha256").update(leaf.spkiDer).digest("hex"));
  }
});

test("T8: keys that end the process natively never reach an import, in requests and in chains", async () => {
  const main = fileURLToPath(new URL("../../../support/ca/hostile-keys-main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  const { asked, codes, imported, unfit, alive } = JSON.parse(stdout);
  assert.deepEqual(Object.keys(codes).sort(), ["csr/der", "key/kind"]);
  assert.ok(asked > 30 && codes["key/kind"] > 30);
  assert.deepEqual(unfit, [], "imported although its shape is none of the five");
  assert.ok(imported > 0, "the import is watched: keys of the right shape reach it");
  assert.equal(alive, "issued");
});
