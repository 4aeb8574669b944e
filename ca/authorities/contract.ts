import type { LintedTemplate } from "#ca/lint/linted-template";
import type { AuthorityRecord } from "#ca/store/contract";
import type { Certificate, IssuerNames, KeyKind } from "#ca/x509/contract";

/** An authority that signs leaves: its certificate, and its private key behind one verb. */
export interface IssuingAuthority {
  readonly keyId: string;
  readonly keyKind: KeyKind;
  readonly certificate: Certificate;
  /** What leaves copy from it. */
  readonly names: IssuerNames;
  readonly notAfterMillis: number;
  /** PEM, one certificate each, ends with a line break: its own certificate first, up to the last before the root; empty for a root that signs leaves itself. */
  readonly chainPem: readonly string[];
  /** The anchor that its chain ends in: its own certificate, for a root that signs leaves itself. */
  readonly root: Certificate;
  /** Signs what was linted, once, and gives the whole certificate. Throws only when the key does not work. */
  sign(linted: LintedTemplate): Uint8Array;
  /** Is the signature of these bytes this authority's? */
  verify(tbsDer: Uint8Array, signature: Uint8Array): boolean;
}

/** The anchors of the trust domain, sorted by SHA-256. Immutable. */
export interface TrustBundle {
  readonly trustDomain: string;
  /** Raised by every change. */
  readonly sequence: number;
  readonly anchors: readonly Certificate[];
}

/** What of the authorities is in force. Immutable: a request pins it. */
export interface AuthoritySet {
  /** Undefined: none is active, nothing can be issued. */
  readonly issuing: IssuingAuthority | undefined;
  readonly bundle: TrustBundle;
  /** SHA-256 of every SubjectPublicKeyInfo of an authority, hex: no leaf may have one. */
  readonly keyHashes: ReadonlySet<string>;
}

/** One authority on the status page. */
export interface AuthorityStatus {
  readonly role: "root" | "issuing";
  readonly keyId: string;
  readonly keyKind: KeyKind;
  readonly state: AuthorityRecord["state"];
  /** Which of the two places under its root; undefined: it has none. */
  readonly slot: AuthorityRecord["slot"];
  readonly subject: string;
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
  /** Is its key here? */
  readonly keyHeld: boolean;
}
