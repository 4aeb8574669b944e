import { randomBytes } from "node:crypto";
import type { IssuingAuthority } from "#ca/authorities/contract";
import { lintLeaf } from "#ca/authorities/lint-leaf";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { drawSerial } from "#ca/x509/write-certificate";

/** A leaf of the authority for the key and the SPIFFE ID, valid from `nowMillis` on: DER. Throws what the lints say. */
export function signLeaf(
  authority: IssuingAuthority,
  publicKey: SubjectPublicKey,
  uri: string,
  nowMillis: number,
  lifetimeMillis = 3_600_000,
) {
  const notBeforeMillis = Math.floor(nowMillis / 1000) * 1000;
  const notAfterMillis = notBeforeMillis + lifetimeMillis;
  const serial = drawSerial(randomBytes);
  const result = lintLeaf(authority, { serial, publicKey, uri, notBeforeMillis, notAfterMillis });
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return authority.sign(result.linted);
}
