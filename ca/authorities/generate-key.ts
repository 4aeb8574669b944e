import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyKind } from "#ca/x509/contract";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";

const generate = promisify(generateKeyPair);

/** A private key and its public half. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: SubjectPublicKey;
}

/** A new key by `node:crypto`, off the main thread. RSA takes up to some seconds. */
export async function generateKey(kind: KeyKind): Promise<KeyPair> {
  const { privateKey, publicKey } = await pairOf(kind);
  const shape = SubjectPublicKey.of(new Uint8Array(publicKey.export({ type: "spki", format: "der" })));
  if (shape?.kind !== kind) throw new Error(`a new ${kind} key has another shape`);
  return { privateKey, publicKey: shape };
}

function pairOf(kind: KeyKind): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  switch (kind) {
    case "P-256":
    case "P-384":
      return generate("ec", { namedCurve: kind });
    case "RSA-2048":
    case "RSA-3072":
    case "RSA-4096":
      return generate("rsa", { modulusLength: Number(kind.slice("RSA-".length)), publicExponent: 65537 });
  }
}
