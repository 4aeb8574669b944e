import type { KeyObject } from "node:crypto";
import type { LintContext } from "#ca/lint/contract";
import { lintTemplate } from "#ca/lint/linted-template";
import type { CertificateTemplate } from "#ca/x509/contract";
import { signTbs } from "#ca/x509/import-key";
import { assembleCertificate, buildTbs } from "#ca/x509/write-certificate";
import { CodedError } from "#platform/coded-error";
import { type AuthorityCertificate, issued, readAuthorityDer } from "./authority-certificate.ts";

/** A new authority: its certificate and its private key, which is kept nowhere yet. */
export interface CreatedAuthority {
  readonly authority: AuthorityCertificate;
  readonly privateKey: KeyObject;
}

/** Who signs a certificate of an authority; for a root it is its own key. */
export interface AuthoritySigner {
  /** Undefined: the certificate is its own issuer. */
  readonly authority: AuthorityCertificate | undefined;
  readonly privateKey: KeyObject;
}

type AuthorityTemplate = Extract<CertificateTemplate, { readonly profile: "root" | "issuing" }>;

/** Certificates begin so long before they are made, for clocks that are slow. */
export const backdateMillis = 2 * 60_000;

/** RFC 5280 appendix A.1: an organization has at most 64 characters; a trust domain may have 255. */
export function organizationOf(trustDomain: string): string {
  return trustDomain.slice(0, 64);
}

/**
 * Builds, lints, signs and verifies the certificate of an authority. Fails with `ca-authority/lint` when our own lints object to it, which an issuer that
 * was imported may be the reason of.
 */
export function signAuthority(
  template: AuthorityTemplate,
  signer: AuthoritySigner,
  subjectKeyKind: LintContext["subjectKeyKind"],
): AuthorityCertificate {
  const signerKeyKind = signer.authority?.publicKey.kind ?? subjectKeyKind;
  const result = lintTemplate(buildTbs(template), {
    profile: template.profile,
    issuer:
      signer.authority === undefined
        ? undefined
        : { body: signer.authority.certificate, keyKind: signer.authority.publicKey.kind },
    signerKeyKind,
    subjectKeyKind,
    grantedSpkiDer: template.subjectPublicKeyDer,
    grantedId: template.uri,
    grantedDnsNames: [],
    grantedIpAddresses: [],
    grantedNotBeforeMillis: template.notBeforeMillis,
    grantedNotAfterMillis: template.notAfterMillis,
  });
  if (!result.ok) {
    const findings = result.findings.map(({ lint, message }) => `${lint}: ${message}`).join("; ");
    throw new CodedError("ca-authority/lint", `the certificate of a new ${template.profile} was refused: ${findings}`);
  }
  const { tbsDer } = result.linted.body;
  const der = assembleCertificate(tbsDer, signerKeyKind, signTbs(signerKeyKind, signer.privateKey, tbsDer));
  const read = readAuthorityDer(der);
  if (!read.ok) throw new Error(`a new ${template.profile} ${read.message}`);
  if (!issued(signer.authority ?? read.authority, read.authority))
    throw new Error(`the signature of a new ${template.profile} does not verify: the signer's key does not work`);
  return read.authority;
}
