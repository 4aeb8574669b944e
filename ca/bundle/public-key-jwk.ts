import { SubjectPublicKey } from "#ca/x509/subject-public-key";

/** A public key as RFC 7518 §6.2.1 and §6.3.1 write one. */
export type PublicKeyJwk =
  | { readonly kty: "EC"; readonly crv: "P-256" | "P-384"; readonly x: string; readonly y: string }
  | { readonly kty: "RSA"; readonly n: string; readonly e: string };

/**
 * The JWK of a SubjectPublicKeyInfo; undefined when it is none of the five shapes that are taken. The members are cut out of the bytes, which have one
 * form: no key is imported. Not checked: that a point is on its curve.
 */
export function publicKeyJwk(spkiDer: Uint8Array): PublicKeyJwk | undefined {
  const key = SubjectPublicKey.of(spkiDer);
  if (key === undefined) return undefined;
  switch (key.kind) {
    case "P-256":
      return pointJwk("P-256", spkiDer, 32);
    case "P-384":
      return pointJwk("P-384", spkiDer, 48);
    case "RSA-2048":
      return modulusJwk(spkiDer, 256);
    case "RSA-3072":
      return modulusJwk(spkiDer, 384);
    case "RSA-4096":
      return modulusJwk(spkiDer, 512);
  }
}

/** The coordinates are the last bytes of the key (SEC 1 §2.3.3). */
function pointJwk(crv: "P-256" | "P-384", spkiDer: Uint8Array, sizeBytes: number): PublicKeyJwk {
  const yAt = spkiDer.length - sizeBytes;
  return { kty: "EC", crv, x: base64url(spkiDer.subarray(yAt - sizeBytes, yAt)), y: base64url(spkiDer.subarray(yAt)) };
}

/** The modulus stands before the INTEGER 65537, which has five bytes. */
function modulusJwk(spkiDer: Uint8Array, sizeBytes: number): PublicKeyJwk {
  const end = spkiDer.length - 5;
  return { kty: "RSA", n: base64url(spkiDer.subarray(end - sizeBytes, end)), e: "AQAB" };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
