import type { KeyKind } from "#ca/x509/contract";

const sha256WithRsa = bytesOf("300d06092a864886f70d01010b0500");

/** Written down here once more: a slip where they are encoded must not pass because the lints made it too. */
const algorithms: Readonly<Record<KeyKind, Uint8Array>> = {
  "P-256": bytesOf("300a06082a8648ce3d040302"),
  "P-384": bytesOf("300a06082a8648ce3d040303"),
  "RSA-2048": sha256WithRsa,
  "RSA-3072": sha256WithRsa,
  "RSA-4096": sha256WithRsa,
};

/** The AlgorithmIdentifier with which a key of this kind signs (RFC 5758 §3.2, RFC 4055 §5), whole. */
export function signatureAlgorithmOf(kind: KeyKind): Uint8Array {
  return algorithms[kind];
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
