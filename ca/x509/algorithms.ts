import type { KeyKind } from "./contract.ts";
import { bytesOf, element, oidElement } from "./encode.ts";

/** A signature algorithm: its AlgorithmIdentifier, byte by byte, and what `node:crypto` calls its digest. */
export interface SignatureAlgorithm {
  readonly name: string;
  readonly der: Uint8Array;
  /** The same, one character for each byte. */
  readonly latin1: string;
  readonly digest: "sha256" | "sha384" | "sha512";
  readonly family: "EC" | "RSA";
}

/** RFC 5758 §3.2: no parameters. */
const ecdsaSha256 = algorithm("ecdsa-with-SHA256", "1.2.840.10045.4.3.2", "", "sha256", "EC");
const ecdsaSha384 = algorithm("ecdsa-with-SHA384", "1.2.840.10045.4.3.3", "", "sha384", "EC");
/** RFC 4055 §5: the parameters are NULL. */
const rsaSha256 = algorithm("sha256WithRSAEncryption", "1.2.840.113549.1.1.11", "\x05\x00", "sha256", "RSA");
const rsaSha384 = algorithm("sha384WithRSAEncryption", "1.2.840.113549.1.1.12", "\x05\x00", "sha384", "RSA");
const rsaSha512 = algorithm("sha512WithRSAEncryption", "1.2.840.113549.1.1.13", "\x05\x00", "sha512", "RSA");

/** The signature algorithms that are known, in the one encoding that is taken. SHA-1 and RSASSA-PSS are not. */
export const signatureAlgorithms: readonly SignatureAlgorithm[] = [
  ecdsaSha256,
  ecdsaSha384,
  rsaSha256,
  rsaSha384,
  rsaSha512,
];

/** What an authority with such a key signs with. */
export function signatureAlgorithmOf(signerKeyKind: KeyKind): SignatureAlgorithm {
  switch (signerKeyKind) {
    case "P-256":
      return ecdsaSha256;
    case "P-384":
      return ecdsaSha384;
    case "RSA-2048":
    case "RSA-3072":
    case "RSA-4096":
      return rsaSha256;
  }
}

/** The algorithm that an AlgorithmIdentifier names; undefined when it is none of ours, byte by byte. */
export function signatureAlgorithmFrom(algorithmDer: Uint8Array): SignatureAlgorithm | undefined {
  return signatureAlgorithms.find(
    ({ der }) => der.length === algorithmDer.length && der.every((byte, i) => algorithmDer[i] === byte),
  );
}

/** Can a key of this kind make signatures of this algorithm? */
export function fitsKeyKind(algorithm: SignatureAlgorithm, keyKind: KeyKind): boolean {
  return algorithm.family === (keyKind.startsWith("RSA") ? "RSA" : "EC");
}

function algorithm(
  name: string,
  oid: string,
  parameters: string,
  digest: SignatureAlgorithm["digest"],
  family: SignatureAlgorithm["family"],
): SignatureAlgorithm {
  const latin1 = element(0x30, oidElement(oid) + parameters);
  return { name, der: bytesOf(latin1), latin1, digest, family };
}
