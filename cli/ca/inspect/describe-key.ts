import { hash } from "node:crypto";
import { contentOf, oidOf, readDer } from "#ca/x509/der";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";

/** A public key for people and programs. */
export interface DescribedKey {
  /** `P-256`, `RSA-2048`; of a key that the authority does not take, what can be told of it. */
  readonly kind: string;
  /** Is it of a kind that the authority takes? */
  readonly taken: boolean;
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly hash: string;
}

const algorithms: ReadonlyMap<string, string> = new Map([
  ["1.2.840.10045.2.1", "elliptic curve"],
  ["1.2.840.113549.1.1.1", "RSA"],
  ["1.2.840.113549.1.1.10", "RSASSA-PSS"],
  ["1.3.101.112", "Ed25519"],
  ["1.3.101.113", "Ed448"],
  ["2.16.840.1.101.3.4.3.17", "ML-DSA-44"],
  ["2.16.840.1.101.3.4.3.18", "ML-DSA-65"],
  ["2.16.840.1.101.3.4.3.19", "ML-DSA-87"],
]);

const curves: ReadonlyMap<string, string> = new Map([
  ["1.2.840.10045.3.1.7", "P-256"],
  ["1.3.132.0.33", "P-224"],
  ["1.3.132.0.34", "P-384"],
  ["1.3.132.0.35", "P-521"],
  ["1.3.132.0.10", "secp256k1"],
]);

const limits = { sizeBytes: 64 * 1024, depth: 8 };

/** Tells of a SubjectPublicKeyInfo what its bytes say. No key is imported. */
export function describeKey(spkiDer: Uint8Array): DescribedKey {
  const known = SubjectPublicKey.of(spkiDer);
  if (known !== undefined) return { kind: known.kind, taken: true, hash: known.hash };
  return { kind: otherKind(spkiDer), taken: false, hash: hash("sha256", spkiDer, "hex") };
}

function otherKind(spkiDer: Uint8Array): string {
  const read = readDer(spkiDer, limits);
  const [algorithm, bits] = read.ok ? read.value.parts : [];
  const [type, parameters] = algorithm?.parts ?? [];
  const oid = type === undefined ? undefined : oidOf(type);
  if (oid === undefined || bits === undefined) return "unreadable";
  const name = algorithms.get(oid) ?? oid;
  const curve = parameters === undefined ? undefined : oidOf(parameters);
  if (oid === "1.2.840.10045.2.1") {
    if (curve === undefined) return `${name} with parameters of its own`;
    const known = curves.get(curve) ?? curve;
    return known === "P-256" || known === "P-384" ? `${known} in an unusual encoding` : `${name} ${known}`;
  }
  if (oid !== "1.2.840.113549.1.1.1") return name;
  const key = readDer(contentOf(bits).subarray(1), limits);
  const modulus = key.ok ? key.value.parts[0] : undefined;
  return modulus === undefined
    ? `${name}, unreadable`
    : `${name} of ${bitLength(contentOf(modulus))} bits, or another exponent than 65537`;
}

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first]!) - 24);
}
