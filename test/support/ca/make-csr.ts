import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bits, bool, concat, hex, integer, nothing, octets, oid, seq, set, text, tlv } from "./der-writer.ts";

/** A key of a workload, as a sidecar would make it. */
export interface WorkloadKey {
  readonly privateKey: KeyObject;
  readonly spkiDer: Uint8Array;
  readonly family: "EC" | "RSA";
  /** What Istio's and SPIRE's agents sign with. */
  readonly algorithm: SignatureName;
}

const signatures = {
  "ecdsa-sha1": { der: seq(oid("1.2.840.10045.4.1")), digest: "sha1" },
  "ecdsa-sha256": { der: seq(oid("1.2.840.10045.4.3.2")), digest: "sha256" },
  "ecdsa-sha384": { der: seq(oid("1.2.840.10045.4.3.3")), digest: "sha384" },
  "ecdsa-sha512": { der: seq(oid("1.2.840.10045.4.3.4")), digest: "sha512" },
  "ecdsa-sha256-null": { der: seq(oid("1.2.840.10045.4.3.2"), nothing), digest: "sha256" },
  "rsa-sha1": { der: seq(oid("1.2.840.113549.1.1.5"), nothing), digest: "sha1" },
  "rsa-sha256": { der: seq(oid("1.2.840.113549.1.1.11"), nothing), digest: "sha256" },
  "rsa-sha384": { der: seq(oid("1.2.840.113549.1.1.12"), nothing), digest: "sha384" },
  "rsa-sha512": { der: seq(oid("1.2.840.113549.1.1.13"), nothing), digest: "sha512" },
  "rsa-sha256-no-null": { der: seq(oid("1.2.840.113549.1.1.11")), digest: "sha256" },
  "rsa-pss": { der: seq(oid("1.2.840.113549.1.1.10"), seq()), digest: "sha256" },
  ed25519: { der: seq(oid("1.3.101.112")), digest: undefined },
} as const;
export type SignatureName = keyof typeof signatures;

const made = new Map<string, WorkloadKey>();

/** A key of this kind; the same one for the whole run, for RSA keys are slow to make. `RSA-n`: any size. */
export function workloadKey(kind: string): WorkloadKey {
  const known = made.get(kind);
  if (known !== undefined) return known;
  const pair = kind.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync("ec", { namedCurve: kind });
  const key: WorkloadKey = {
    privateKey: pair.privateKey,
    spkiDer: new Uint8Array(pair.publicKey.export({ type: "spki", format: "der" })),
    family: kind.startsWith("RSA") ? "RSA" : "EC",
    algorithm: kind.startsWith("RSA") ? "rsa-sha256" : kind === "P-384" ? "ecdsa-sha384" : "ecdsa-sha256",
  };
  made.set(kind, key);
  return key;
}

export const sanOid = oid("2.5.29.17");
export const uriName = (uri: string): Uint8Array => text(0x86, uri);
export const dnsName = (name: string): Uint8Array => text(0x82, name);

/** An extension as it should be: DER of the value goes into an OCTET STRING; criticality is written when true. */
export function extensionDer(type: Uint8Array, critical: boolean, value: Uint8Array): Uint8Array {
  return critical ? seq(type, bool(true), octets(value)) : seq(type, octets(value));
}

export const sanExtension = (...names: readonly Uint8Array[]): Uint8Array => extensionDer(sanOid, true, seq(...names));

/** The attribute that asks for extensions (RFC 2985 §5.4.2). */
export function extensionRequest(...extensions: readonly Uint8Array[]): Uint8Array {
  return seq(oid("1.2.840.113549.1.9.14"), set(seq(...extensions)));
}

/** pilot-agent's subject: one organization with an empty PrintableString. */
export const istioSubject = hex("300b3109300706035504 0a 1300");
export const emptySubject = seq();
export const name = (...attributes: readonly [string, string][]): Uint8Array =>
  seq(...attributes.map(([type, value]) => set(seq(oid(type), text(0x0c, value)))));

export const istioUri = "spiffe://cluster.local/ns/default/sa/httpbin";

/** What of a request is not as pilot-agent makes it. */
export interface CsrChanges {
  readonly version?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly spkiDer?: Uint8Array;
  /** Content of the attributes' `[0]`. */
  readonly attributes?: readonly Uint8Array[];
  /** Instead of `[0]` and its content. */
  readonly attributesDer?: Uint8Array;
  readonly algorithm?: SignatureName;
  readonly algorithmDer?: Uint8Array;
  readonly signature?: Uint8Array;
  readonly signatureDer?: Uint8Array;
  /** Behind the last element of what is signed. */
  readonly more?: Uint8Array;
}

/** The DER of a request as pilot-agent makes one, with changes, signed after them by the key. */
export function makeCsr(key: WorkloadKey, changes: CsrChanges = {}): Uint8Array {
  const signed = seq(
    changes.version ?? integer(0),
    changes.subject ?? istioSubject,
    changes.spkiDer ?? key.spkiDer,
    changes.attributesDer ?? tlv(0xa0, changes.attributes ?? [extensionRequest(sanExtension(uriName(istioUri)))]),
    changes.more ?? new Uint8Array(),
  );
  const { der, digest } = signatures[changes.algorithm ?? key.algorithm];
  const signature = changes.signature ?? sign(digest ?? "sha256", signed, key.privateKey);
  return seq(signed, changes.algorithmDer ?? der, changes.signatureDer ?? bits(new Uint8Array(signature)));
}

/** PEM of anything, with lines of 64. */
export function pemOf(der: Uint8Array, label = "CERTIFICATE REQUEST"): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** An RSA SubjectPublicKeyInfo of any numbers. */
export function rsaSpki(modulus: bigint, exponent: bigint | number): Uint8Array {
  const algorithm = seq(oid("1.2.840.113549.1.1.1"), nothing);
  return seq(algorithm, bits(seq(integer(modulus), integer(exponent))));
}

/** An elliptic SubjectPublicKeyInfo of any point on a named curve. */
export function ecSpki(curve: "P-256" | "P-384", point: Uint8Array): Uint8Array {
  const curveOid = curve === "P-256" ? "1.2.840.10045.3.1.7" : "1.3.132.0.34";
  return seq(seq(oid("1.2.840.10045.2.1"), oid(curveOid)), bits(point));
}

/** The point of an elliptic key, uncompressed. */
export function pointOf(key: WorkloadKey): Uint8Array {
  const sizeBytes = key.spkiDer.length === 91 ? 65 : 97;
  return concat(key.spkiDer.subarray(key.spkiDer.length - sizeBytes));
}
