import type { CertificateBody, KeyKind } from "#ca/x509/contract";
import type { LintSubject } from "./lint-subject.ts";

/** What the certificate was meant to be: the lints compare the final bytes with it. */
export interface LintContext {
  readonly profile: "leaf" | "issuing" | "root";
  /** The issuer's certificate; undefined for a root, which is its own. */
  readonly issuer: { readonly body: CertificateBody; readonly keyKind: KeyKind } | undefined;
  /** Key kind of the key that will sign; of the subject's own key for a root. */
  readonly signerKeyKind: KeyKind;
  readonly subjectKeyKind: KeyKind;
  /** SubjectPublicKeyInfo as it was granted, byte by byte. */
  readonly grantedSpkiDer: Uint8Array;
  /** The granted SPIFFE ID; undefined for a root in Istio's form. */
  readonly grantedId: string | undefined;
  readonly grantedDnsNames: readonly string[];
  readonly grantedIpAddresses: readonly Uint8Array[];
  readonly grantedNotBeforeMillis: number;
  readonly grantedNotAfterMillis: number;
}

/** One rule about a certificate. A file of its own; `citation` is the standard's section. */
export interface Lint {
  /** `snake_case`, stable. */
  readonly id: string;
  readonly citation: string;
  /** What it asks for, in one sentence for the page of lints. */
  readonly what: string;
  readonly profiles: readonly LintContext["profile"][];
  /** Undefined: nothing to say; else what was expected and what was found. Never throws on any body that was read. */
  check(subject: LintSubject, context: LintContext): string | undefined;
}

export interface LintFinding {
  readonly lint: string;
  readonly citation: string;
  readonly message: string;
}
