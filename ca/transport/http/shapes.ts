/**
 * What the JSON door takes and gives: for it and for its clients. Times are ISO 8601 in UTC; hexadecimal is lower case; what is absent is left out.
 */

/** POST /v1/certificates. */
export interface IssueQuestion {
  /** PEM. */
  readonly csr: string;
  readonly ttlSeconds?: number;
  readonly spiffeId?: string;
}

export interface IssuedShape {
  readonly serial: string;
  readonly spiffeId: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** PEM: the leaf, each intermediate, then one element with all roots. */
  readonly chain: readonly string[];
}

/** Every answer of 400 and more. */
export interface FaultShape {
  /** Of `refusals.ts` or `fault-codes.ts`. */
  readonly code: string;
  readonly message: string;
  /** Names the explanation: GET /v1/ca/explanations/{id}. */
  readonly id?: string;
}

export interface AuthorityShape {
  readonly role: "root" | "issuing";
  readonly keyId: string;
  readonly keyKind: string;
  readonly state: string;
  /** A or B, under its root; absent: it has no such place. */
  readonly slot?: string;
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly keyHeld: boolean;
}

export interface AuditHeadShape {
  readonly number: number;
  readonly hash: string;
  readonly at: string;
  readonly generation: number;
  readonly auditKeyId: string;
}

/** One name that a client gets by a stream. */
export interface StreamNameShape {
  readonly name: string;
  /** Absent: there was nothing to send yet. */
  readonly sent?: string;
  readonly acknowledged?: string;
  readonly acknowledgedAt?: string;
  /** `message`: the client's own words. */
  readonly rejected?: { readonly version: string; readonly message: string; readonly at: string };
}

/** A client that gets resources by a stream. */
export interface StreamShape {
  readonly id: number;
  readonly typeUrl: string;
  readonly variant: "state-of-the-world" | "delta";
  readonly spiffeId: string;
  readonly fingerprint?: string;
  /** As the client gave it. */
  readonly node: string;
  readonly since: string;
  readonly names: readonly StreamNameShape[];
  /** So many names are not listed. */
  readonly leftOut: number;
}

/** GET /v1/ca/status. */
export interface StatusShape {
  readonly trustDomain: string;
  readonly authorities: readonly AuthorityShape[];
  readonly bundle: { readonly sequence: number; readonly anchors: number; readonly version: string };
  /** `state`: of the root that is on its way, or of the one that leaves; absent: there is neither. */
  readonly rotation: { readonly state?: string; readonly stragglers: number; readonly firstBreak?: string };
  readonly store: {
    readonly schemaVersion: number;
    readonly generation: number;
    readonly entries: number;
    readonly lastHash: string;
    readonly lastAt: string;
    readonly lastHead?: AuditHeadShape;
    readonly issued: number;
    readonly unfinished: number;
    readonly sizeBytes: number;
    readonly fault?: string;
  };
  readonly registrations: number;
  readonly serverCertificateNotAfter?: string;
  readonly issuedSinceStart: number;
  readonly refusedSinceStart: number;
  readonly streams: {
    readonly open: number;
    /** So many take the bundle, a name of a stream each, and so many of those have acknowledged the one in force. */
    readonly bundle: { readonly taken: number; readonly acknowledged: number };
    /** At most 500, those first that have rejected something. */
    readonly listed: readonly StreamShape[];
  };
  readonly warnings: readonly string[];
}

export interface RevocationShape {
  /** One of the three is there. */
  readonly serial?: string;
  readonly fingerprint?: string;
  readonly spiffeId?: string;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

/** One record of the inventory. */
export interface CertificateShape {
  readonly serial: string;
  readonly spiffeId: string;
  readonly state: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly dnsNames: readonly string[];
  readonly keyKind: string;
  readonly spkiHash: string;
  readonly issuerKeyId: string;
  readonly requestId: string;
  readonly requestedAt: string;
  readonly csrHash: string;
  readonly method: string;
  readonly caller: string;
  readonly evidence: string;
  readonly registration?: string;
  readonly nameMismatch: readonly string[];
  readonly fingerprint?: string;
  readonly revoked?: RevocationShape;
  /** PEM; GET /v1/ca/certificates/{serial} alone has it. */
  readonly certificate?: string;
}

/** GET /v1/ca/certificates. */
export interface CertificatesShape {
  readonly certificates: readonly CertificateShape[];
  /** The `after` of the next page; absent: this is the last. */
  readonly next?: string;
}

export interface StepShape {
  readonly step: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly wanted: string;
  readonly remedy: string;
}

/** GET /v1/ca/explanations/{id}. */
export interface ExplanationShape {
  readonly id: string;
  readonly at: string;
  readonly code: string;
  readonly door: string;
  readonly remoteAddress?: string;
  readonly steps: readonly StepShape[];
}

/** POST /v1/ca/tokens. */
export interface TokenQuestion {
  readonly spiffeId: string;
  readonly ttlSeconds?: number;
  readonly sourceCidrs?: readonly string[];
}

/** The one time that the token is told. */
export interface CreatedTokenShape {
  readonly token: string;
  readonly expires: string;
}

/** A token on the list, which does not hold it. */
export interface TokenShape {
  readonly hash: string;
  readonly spiffeId: string;
  readonly created: string;
  readonly expires: string;
  readonly createdBy: string;
  readonly sourceCidrs: readonly string[];
  readonly used?: { readonly at: string; readonly serial: string; readonly remoteAddress?: string };
}

/** GET /v1/ca/tokens. */
export interface TokensShape {
  readonly tokens: readonly TokenShape[];
}

/** A registration in force. */
export interface EntryShape {
  readonly name: string;
  readonly source: { readonly file: string; readonly line: number };
  readonly spiffeId: readonly (
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "claim"; readonly path: readonly string[] }
  )[];
  readonly callers: readonly Readonly<Record<string, unknown>>[];
  readonly dnsNames: readonly string[];
  readonly keyKinds: readonly string[];
  readonly ttlSeconds?: number;
  readonly maxTtlSeconds?: number;
}

/** GET /v1/ca/entries. */
export interface EntriesShape {
  readonly entries: readonly EntryShape[];
}

/** POST /v1/ca/revocations: a serial, a fingerprint, or an identity. */
export type RevocationQuestion =
  | { readonly serial: string; readonly reason: string }
  | { readonly fingerprint: string; readonly reason: string }
  | { readonly spiffeId: string; readonly reason: string };

/** False: it was revoked before. */
export interface RevokedShape {
  readonly revoked: boolean;
}

/** GET /v1/ca/revocations. */
export interface RevocationsShape {
  readonly revocations: readonly RevocationShape[];
}

/** GET /v1/ca/audit. */
export interface AuditShape {
  readonly ok: boolean;
  readonly entries: number;
  readonly heads: number;
  readonly sealedUpTo: number;
  readonly faults: readonly { readonly entry: number; readonly message: string }[];
}

/** POST /v1/ca/try. */
export interface TryQuestion {
  readonly spiffeId: string;
  readonly csr: string;
  readonly ttlSeconds?: number;
}

export interface TriedShape {
  readonly steps: readonly StepShape[];
  /** PEM; absent: it would be refused. */
  readonly certificate?: string;
  readonly findings: readonly { readonly lint: string; readonly citation: string; readonly message: string }[];
}

/** POST /v1/ca/backup, at the socket: a path on the authority's machine. Answered with the same. */
export interface BackupQuestion {
  readonly file: string;
}
