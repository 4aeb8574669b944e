import { type LintedTemplateResult, lintTemplate } from "#ca/lint/linted-template";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { buildTbs } from "#ca/x509/write-certificate";
import type { IssuingAuthority } from "./contract.ts";

/** What a leaf says. */
export interface Leaf {
  readonly serial: Uint8Array;
  readonly publicKey: SubjectPublicKey;
  /** Its SPIFFE ID. */
  readonly uri: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly Uint8Array[];
  /** Whole seconds, as the end is. */
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
}

/** The bytes that will be signed for a leaf of the authority, linted as they will stand in the certificate. Never throws. */
export function lintLeaf(
  { names, certificate, keyKind }: Pick<IssuingAuthority, "names" | "certificate" | "keyKind">,
  { serial, publicKey, uri, dnsNames = [], ipAddresses = [], notBeforeMillis, notAfterMillis }: Leaf,
): LintedTemplateResult {
  const tbsDer = buildTbs({
    profile: "leaf",
    serial,
    issuer: names,
    notBeforeMillis,
    notAfterMillis,
    subjectPublicKeyDer: publicKey.spkiDer,
    uri,
    dnsNames,
    ipAddresses,
  });
  return lintTemplate(tbsDer, {
    profile: "leaf",
    issuer: { body: certificate, keyKind },
    signerKeyKind: keyKind,
    subjectKeyKind: publicKey.kind,
    grantedSpkiDer: publicKey.spkiDer,
    grantedId: uri,
    grantedDnsNames: dnsNames,
    grantedIpAddresses: ipAddresses,
    grantedNotBeforeMillis: notBeforeMillis,
    grantedNotAfterMillis: notAfterMillis,
  });
}
