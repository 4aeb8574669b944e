/**
 * `hostile-keys-main.ts`: asks an authority for certificates for keys that no import should see, in a process that may end natively; prints one line of
 * JSON. Every import of a key by `node:crypto` is watched: `unfit` are those of a shape that is none of the five.
 */
import crypto, { generateKeyPairSync } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { extensions } from "./certificate-parts.ts";
import * as d from "./der-builder.ts";
import { concat, hex, nothing, oid, seq } from "./der-writer.ts";
import { ecSpki, makeCsr, pemOf, rsaSpki, workloadKey } from "./make-csr.ts";

const watched: Uint8Array[] = [];
const real = crypto.createPublicKey;
const watching = (input: Parameters<typeof real>[0]) => {
  // The public half of a key of our own.
  if (!(input instanceof crypto.KeyObject)) watched.push(spkiDerOf(input));
  return real(input);
};
/** Of whatever is imported, in any form; nothing for a form that is not known here, which no shape fits. */
function spkiDerOf(input: unknown): Uint8Array {
  if (typeof input === "string") return new Uint8Array(Buffer.from(input.replace(/-----[^\n]*-----/g, ""), "base64"));
  if (input instanceof Uint8Array) return new Uint8Array(input);
  const key: unknown = Reflect.get(Object(input), "key");
  return key === undefined ? new Uint8Array() : spkiDerOf(key);
}
Object.assign(crypto, { createPublicKey: watching });
syncBuiltinESMExports();

const { endScene, newCsr, openScene, operator, webId } = await import("./scene.ts");
const { presenting } = await import("./scene-requests.ts");
const { makeOpenAuthority } = await import("./scene-certificates.ts");

const p256 = workloadKey("P-256");
const wide = (1n << 2047n) + (1n << 1024n) + 1n;
const spkiOf = (make: () => { publicKey: crypto.KeyObject }) =>
  new Uint8Array(make().publicKey.export({ type: "spki", format: "der" }));
const ecAlgorithm = (curve: Uint8Array) => seq(oid("1.2.840.10045.2.1"), curve);
const zeros = (count: number) => hex("00".repeat(count));

const hostile: readonly Uint8Array[] = [
  // The point at infinity, by itself and under every name and length that would hold it.
  ecSpki("P-256", hex("00")),
  ecSpki("P-384", hex("00")),
  ecSpki("P-256", zeros(65)),
  ecSpki("P-256", new Uint8Array()),
  ecSpki("P-384", zeros(97)),
  seq(ecAlgorithm(oid("1.2.840.10045.3.1.7")), seq(hex("00"))),
  seq(ecAlgorithm(oid("1.3.132.0.35")), hex("03020000")),
  seq(ecAlgorithm(oid("1.3.132.0.10")), hex("03020000")),
  seq(ecAlgorithm(nothing), hex("03020000")),
  seq(ecAlgorithm(oid("1.2.840.10045.3.1.7")), hex("03020100")),
  // Points in other forms.
  ecSpki("P-256", concat(hex("02"), p256.spkiDer.subarray(27, 59))),
  ecSpki("P-256", concat(hex("06"), p256.spkiDer.subarray(27))),
  ecSpki("P-256", concat(hex("07"), p256.spkiDer.subarray(27))),
  concat(p256.spkiDer, hex("00")),
  spkiOf(() => generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" })),
  spkiOf(() => generateKeyPairSync("ec", { namedCurve: "secp256k1" })),
  spkiOf(() => generateKeyPairSync("ec", { namedCurve: "P-521" })),
  // Numbers that OpenSSL takes as they are.
  rsaSpki(wide, 1),
  rsaSpki(wide, 2),
  rsaSpki(wide, wide - 2n),
  rsaSpki(wide - 1n, 65537),
  rsaSpki(-wide, 65537),
  rsaSpki(0n, 65537),
  rsaSpki(1n, 65537),
  rsaSpki((1n << 511n) + 1n, 65537),
  rsaSpki((1n << 9000n) + 1n, 65537),
  // Other keys.
  spkiOf(() => generateKeyPairSync("ed25519")),
  spkiOf(() => generateKeyPairSync("ed448")),
  spkiOf(() => generateKeyPairSync("x25519")),
  spkiOf(() => generateKeyPairSync("x448")),
  spkiOf(() => generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 })),
  // The right shape, and no point of the curve: the import itself refuses these.
  ecSpki("P-256", hex(`04${"00".repeat(64)}`)),
  ecSpki("P-256", hex(`04${"ff".repeat(64)}`)),
  ecSpki("P-384", hex(`04${"00".repeat(96)}`)),
];

const ours = makeOpenAuthority();
const scene = await openScene({ imported: ours.material });
watched.length = 0;
const asked: string[] = [];
for (const spkiDer of hostile) {
  const csrPem = pemOf(makeCsr(p256, { spkiDer }));
  const answer = await scene.issue({ csrPem, credentials: operator, spiffeId: webId });
  asked.push(answer.ok ? "issued" : answer.code);
}

// In chains: as a client's own key, and as that of an authority between.
for (const spkiDer of hostile) {
  const keyId = extensions.subjectKeyId(hex("00".repeat(20)));
  const authorityUsage = [extensions.authorityUsage()];
  const isCa = [extensions.basicConstraints([d.boolean(true)])];
  const odd = ours.chainOf(webId, { spki: spkiDer, subjectKeyId: [keyId] });
  const between = ours.chainOf(webId, {
    spki: spkiDer,
    subjectKeyId: [keyId],
    subject: d.distinguishedName([d.commonName, d.utf8("between")]),
    keyUsage: authorityUsage,
    basicConstraints: isCa,
    extendedKeyUsage: [],
  });
  const below = ours.chainOf(webId, {
    issuer: d.distinguishedName([d.commonName, d.utf8("between")]),
    authorityKeyId: [extensions.authorityKeyId(hex("00".repeat(20)))],
  });
  for (const chain of [odd, [below[0]!, between[0]!, ours.issuing.der], between])
    await scene.issue({ csrPem: newCsr().csrPem, credentials: presenting(chain) });
}
const unfit = watched.filter((spkiDer) => SubjectPublicKey.of(spkiDer) === undefined);
const last = await scene.issue({ csrPem: newCsr().csrPem, credentials: operator, spiffeId: webId });
await endScene(scene);
console.log(
  JSON.stringify({
    asked: asked.length,
    codes: Object.fromEntries([...new Set(asked)].map((code) => [code, asked.filter((each) => each === code).length])),
    imported: watched.length,
    unfit: unfit.map((spkiDer) => Buffer.from(spkiDer).toString("hex")),
    alive: last.ok ? "issued" : last.code,
  }),
);
