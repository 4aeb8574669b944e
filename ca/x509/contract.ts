/** What is signed with, and what leaf keys may be. The five shapes of SubjectPublicKeyInfo that are taken; no other key is ever imported. */
export const keyKinds = ["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096"] as const;
export type KeyKind = (typeof keyKinds)[number];

/** A time as a certificate writes it (RFC 5280 §4.1.2.5). `millis` since the epoch; `text` without its tag. */
export interface WrittenTime {
  readonly form: "UTCTime" | "GeneralizedTime";
  readonly text: string;
  readonly millis: number;
}

/** One extension as it stands: nothing of it is believed yet. */
export interface WrittenExtension {
  /** Dotted. */
  readonly oid: string;
  readonly critical: boolean;
  /** Was `critical` written although it is false, which is its default (not DER)? */
  readonly defaultWritten: boolean;
  /** Content of the extension's OCTET STRING. */
  readonly value: Uint8Array;
}

/** The to-be-signed part of a certificate, read from its bytes. All `Der` members are whole elements: tag, length, content. */
export interface CertificateBody {
  readonly tbsDer: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Content bytes of the INTEGER, as they stand. */
  readonly serial: Uint8Array;
  readonly signatureAlgorithmDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly notBefore: WrittenTime;
  readonly notAfter: WrittenTime;
  readonly subjectDer: Uint8Array;
  readonly spkiDer: Uint8Array;
  readonly extensions: readonly WrittenExtension[];
}

/** A whole certificate, read and not verified. */
export interface Certificate extends CertificateBody {
  readonly der: Uint8Array;
  /** The outer AlgorithmIdentifier. */
  readonly outerAlgorithmDer: Uint8Array;
  readonly signature: Uint8Array;
}

/** A general name of a subject alternative name (RFC 5280 §4.2.1.6). `other`: a kind that is told by its tag alone. */
export type GeneralName =
  | { readonly kind: "uri" | "dns" | "email"; readonly value: string }
  | { readonly kind: "ip"; readonly bytes: Uint8Array }
  | { readonly kind: "other"; readonly tag: number };

/** Why bytes are not what they should be: one line, lower case. */
export interface DerFault {
  readonly message: string;
  /** Offset of the byte that is wrong, where there is one. */
  readonly offset?: number;
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: DerFault };

/** What a certificate is to be, before it is bytes. The profile decides on everything else (H.2 of the profile table in `profiles.ts`). */
export type CertificateTemplate =
  | {
      readonly profile: "leaf";
      readonly serial: Uint8Array;
      readonly issuer: IssuerNames;
      readonly notBeforeMillis: number;
      readonly notAfterMillis: number;
      readonly subjectPublicKeyDer: Uint8Array;
      /** A SPIFFE ID with a path. */
      readonly uri: string;
      readonly dnsNames: readonly string[];
      /** 4 or 16 bytes each; only the authority's own server certificate has any. */
      readonly ipAddresses: readonly Uint8Array[];
    }
  | {
      readonly profile: "root" | "issuing";
      readonly serial: Uint8Array;
      /** Undefined for a root: it names itself. */
      readonly issuer: IssuerNames | undefined;
      /** O and CN; `commonName` undefined for a root in Istio's form. */
      readonly organization: string;
      readonly commonName: string | undefined;
      readonly notBeforeMillis: number;
      readonly notAfterMillis: number;
      readonly subjectPublicKeyDer: Uint8Array;
      /** `spiffe://trust-domain`; undefined for a root in Istio's form. */
      readonly uri: string | undefined;
    };

/** What a certificate copies from its issuer's certificate, byte by byte. */
export interface IssuerNames {
  readonly subjectDer: Uint8Array;
  readonly subjectKeyId: Uint8Array;
  readonly keyKind: KeyKind;
}
