import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import type { KeyPair } from "#ca/authorities/generate-key";
import { readPem } from "#ca/x509/pem";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";

/** The agent's own key as PEM: PKCS #8, not encrypted. A secret. */
export function writePrivateKey(privateKey: KeyObject): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The same as DER, as the Workload API has it. A secret. */
export function encodePrivateKey(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
}

/** Reads what `writePrivateKey` wrote, out of a file that only the agent writes. Throws where the text is something else; the message holds nothing of it. */
export function readPrivateKey(pem: string): KeyPair {
  const block = readPem(pem, ["PRIVATE KEY"]);
  if (!block.ok) throw new Error("it holds no private key");
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: Buffer.from(block.value), format: "der", type: "pkcs8" });
  } catch {
    throw new Error("its private key cannot be read"); // OpenSSL's words tell nobody anything, and might tell too much.
  }
  const spkiDer = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const publicKey = SubjectPublicKey.of(new Uint8Array(spkiDer));
  if (publicKey === undefined) throw new Error("its private key is of a kind that is not taken");
  return { privateKey, publicKey };
}
