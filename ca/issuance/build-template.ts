import type { IssuingAuthority } from "#ca/authorities/contract";
import { lintLeaf } from "#ca/authorities/lint-leaf";
import type { LintedTemplateResult } from "#ca/lint/linted-template";
import { drawSerial } from "#ca/x509/write-certificate";
import { Grant } from "./grant.ts";

/** The bytes that will be signed for a grant, with a serial that nobody has guessed, linted as they will stand in the certificate. */
export function buildTemplate(
  grant: Grant,
  authority: IssuingAuthority,
  randomBytes: (sizeBytes: number) => Uint8Array,
): { readonly serial: Uint8Array; readonly result: LintedTemplateResult } {
  if (!Grant.is(grant)) throw new Error("no certificate is built without a grant");
  const serial = drawSerial(randomBytes);
  const { id, dnsNames, ipAddresses, publicKey, lifetime } = grant;
  const result = lintLeaf(authority, { serial, publicKey, uri: id.toString(), dnsNames, ipAddresses, ...lifetime });
  return { serial, result };
}
