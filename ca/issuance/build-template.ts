import type { IssuingAuthority } from "#ca/authorities/contract";
import { type LintedTemplateResult, lintTemplate } from "#ca/lint/linted-template";
import { buildTbs, drawSerial } from "#ca/x509/write-certificate";
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
  const uri = id.toString();
  const tbsDer = buildTbs({
    profile: "leaf",
    serial,
    issuer: authority.names,
    ...lifetime,
    subjectPublicKeyDer: publicKey.spkiDer,
    uri,
    dnsNames,
    ipAddresses,
  });
  const result = lintTemplate(tbsDer, {
    profile: "leaf",
    issuer: { body: authority.certificate, keyKind: authority.keyKind },
    signerKeyKind: authority.keyKind,
    subjectKeyKind: publicKey.kind,
    grantedSpkiDer: publicKey.spkiDer,
    grantedId: uri,
    grantedDnsNames: dnsNames,
    grantedIpAddresses: ipAddresses,
    grantedNotBeforeMillis: lifetime.notBeforeMillis,
    grantedNotAfterMillis: lifetime.notAfterMillis,
  });
  return { serial, result };
}
