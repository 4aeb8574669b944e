import type { RefusalCode } from "#ca/refusals";
import type { KeyKind } from "#ca/x509/contract";

/** What is going to be signed, written down before it is. All hex is lower case. Times are Unix milliseconds. */
export interface IssuanceIntent {
  readonly requestId: string;
  readonly atMillis: number;
  readonly serialHex: string;
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
  readonly keyKind: KeyKind;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiHash: string;
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
  /** Subject key id of the issuing certificate. */
  readonly issuerKeyId: string;
  readonly csrHash: string;
  /** How the caller was authenticated: `x509-svid`, `jwt`, `join-token`, `operator`, `self` (the authority's own server certificate). */
  readonly method: string;
  /** Who asked: a SPIFFE ID, `issuer sub`, or the like. */
  readonly caller: string;
  /** Digest of the credential: fingerprint or SHA-256 of a token. */
  readonly evidence: string;
  /** `namespace/name` of the registration that allowed it. */
  readonly registration: string | undefined;
  /** Names in the request that differ from the identity. */
  readonly nameMismatch: readonly string[];
  /** Sequence of the trust bundle that the answer carries; undefined: of before it was recorded. */
  readonly bundleSequence: number | undefined;
}

export interface IssuanceCompletion {
  readonly serialHex: string;
  readonly atMillis: number;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly certificateDer: Uint8Array;
}

/** `abandoned`: an intent that came to nothing, said by the service itself or at the next start. */
export type IssuanceState = "intended" | "issued" | "abandoned";

export interface IssuanceRecord extends IssuanceIntent {
  readonly state: IssuanceState;
  readonly fingerprint: string | undefined;
  readonly certificateDer: Uint8Array | undefined;
  readonly revoked: Revocation | undefined;
}

export type IntentOutcome =
  | { readonly ok: true }
  /** In one step with the record: the token is not (any more) to be redeemed; the key is of another identity; the identity is revoked. */
  | {
      readonly ok: false;
      readonly fault:
        | "token-unknown"
        | "token-used"
        | "token-expired"
        | "key-in-use"
        | "identity-revoked"
        | "serial-in-use";
    };

export interface JoinTokenRecord {
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly spiffeId: string;
  readonly createdMillis: number;
  readonly expiresMillis: number;
  /** Who made it. */
  readonly createdBy: string;
  /** Blocks of addresses from which it may be used; empty: any. */
  readonly sourceCidrs: readonly string[];
  readonly used:
    | { readonly atMillis: number; readonly serialHex: string; readonly remoteAddress: string | undefined }
    | undefined;
}

export interface Revocation {
  /** What is revoked: one certificate, or everything that an identity has and asks for. */
  readonly target:
    | { readonly kind: "serial"; readonly serialHex: string }
    /** SHA-256 of a certificate that the store need not have, hex. */
    | { readonly kind: "fingerprint"; readonly fingerprint: string }
    | { readonly kind: "identity"; readonly spiffeId: string };
  readonly atMillis: number;
  readonly by: string;
  readonly reason: string;
}

/** That the next root need not wait for whoever has an identity. */
export interface RootWaiver {
  /** Key id of the root that does not wait. */
  readonly rootKeyId: string;
  readonly spiffeId: string;
  readonly atMillis: number;
  readonly by: string;
  readonly reason: string;
}

/** From one state to another. `from`: the state that it must be in; absent: whichever. */
export interface AuthorityTransition {
  readonly keyId: string;
  readonly from?: AuthorityRecord["state"];
  readonly state: AuthorityRecord["state"];
}

/** A key of the authority itself, encrypted. */
export interface AuthorityRecord {
  /** Subject key id, hex; of the audit key the hash of its SubjectPublicKeyInfo. */
  readonly keyId: string;
  readonly role: "root" | "issuing" | "audit";
  /**
   * Roots alone are `generated` (kept, and trusted by nobody yet), `published` (in the bundle), `propagated` (whoever trusts the bundle has it) and `tainted` (about to leave
   * the bundle at once); roots that came with another authority are `prepared`: trusted, and not used. What is `retired` is trusted no more.
   */
  readonly state: "generated" | "published" | "propagated" | "prepared" | "active" | "retiring" | "tainted" | "retired";
  /** When it came into this state. */
  readonly stateMillis: number;
  /** Of the two places of an issuing authority under its root, the one that it has; undefined: it has none. */
  readonly slot: "A" | "B" | undefined;
  readonly keyKind: KeyKind | "Ed25519";
  /** DER; of the audit key its SubjectPublicKeyInfo. */
  readonly certificateDer: Uint8Array;
  /** DER, from the next certificate up to the last before the root. */
  readonly chainDer: readonly Uint8Array[];
  /** The envelope of `authorities/`; undefined: the key is elsewhere (an offline root). Never plain. */
  readonly encryptedKey: Uint8Array | undefined;
  readonly createdMillis: number;
}

/** An entry of the audit log. Everything that changes the authority's state is one, in the same transaction. */
export interface AuditEntry {
  /** 1 and on, without gaps. */
  readonly number: number;
  readonly atMillis: number;
  readonly kind: AuditKind;
  /** Canonical JSON (sorted keys, no blanks) of the whole entry, `number`, `previous` among it: what is hashed. */
  readonly canonical: string;
  /** SHA-256 of `canonical`, hex. */
  readonly hash: string;
  /** Hash of the entry before; 64 zeros for the first. */
  readonly previous: string;
}

export const auditKinds = [
  "issuance-intended",
  "issuance-completed",
  "issuance-abandoned",
  "token-created",
  "token-redeemed",
  "revoked",
  "authority-added",
  "authority-state",
  "authority-activated",
  "root-rotation",
  "root-waived",
  "backed-up",
  "restored",
  "opened",
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** Something that happened and has no projection of its own. `body` holds texts, numbers, booleans and lists of texts. */
export interface AuditEvent {
  readonly kind: AuditKind;
  readonly atMillis: number;
  readonly body: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** A signed statement that the log had `number` entries and this hash then. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
  readonly atMillis: number;
  /** Raised by every restore. */
  readonly generation: number;
  readonly auditKeyId: string;
  /** Ed25519 over `headBytes(head)`. */
  readonly signature: Uint8Array;
}

export interface IssuanceQuery {
  /** Records before this serial, in the order of newest first; undefined: from the newest. */
  readonly after?: string;
  readonly limit: number;
  readonly spiffeId?: string;
  readonly state?: IssuanceState;
  /** SHA-256 of the certificate, hex. There is no index of it: those that the other members leave are walked over. */
  readonly fingerprint?: string;
  readonly revoked?: boolean;
  /** Only those that end before, and have not ended at `nowMillis`. */
  readonly endingBefore?: { readonly millis: number; readonly nowMillis: number };
  /** Only the newest issued certificate of each identity and key. */
  readonly newestOnly?: boolean;
}

/** What the replacement of a root must know of a certificate that has not ended. */
export interface CertificateInUse {
  /** Later ones are higher. */
  readonly number: number;
  readonly serialHex: string;
  readonly spiffeId: string;
  readonly spkiHash: string;
  /** Undefined: it is under way. */
  readonly fingerprint: string | undefined;
  readonly atMillis: number;
  readonly notAfterMillis: number;
  readonly issuerKeyId: string;
  readonly method: string;
  readonly evidence: string;
  readonly bundleSequence: number | undefined;
}

export interface InUseQuery {
  /** Only those that end later. */
  readonly endingAfterMillis: number;
  /** Those behind this serial; undefined: from the first on. */
  readonly after?: string;
  readonly limit: number;
}

/** The ordered checks of one request that was refused. */
export interface Explanation {
  readonly id: string;
  readonly atMillis: number;
  readonly code: RefusalCode;
  readonly door: string;
  readonly remoteAddress: string | undefined;
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainedStep {
  readonly step: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly wanted: string;
  /** The command or edit that mends it. */
  readonly remedy: string;
}

export interface StoreStatus {
  readonly schemaVersion: number;
  readonly generation: number;
  readonly entries: number;
  readonly lastHash: string;
  readonly lastAtMillis: number;
  readonly lastHead: AuditHead | undefined;
  readonly issued: number;
  readonly unfinished: number;
  readonly sizeBytes: number;
  /** Why nothing can be written now. */
  readonly fault: string | undefined;
}

/**
 * What the authority remembers. Several replicas may share one (each call is atomic by itself). A promise of a writing call resolves when what it says is
 * durable, and rejects with a `CodedError` of the area `ca-store` when it is not known to be: then nothing may be handed out. Calls that are made together may
 * share one write to the disk; entries get their numbers in the order of the calls of one process.
 */
export interface CaStore {
  /** One atomic step: the intent, and the redemption of the token if there is one. */
  recordIntent(
    intent: IssuanceIntent,
    redeem?: { readonly tokenHash: string; readonly remoteAddress: string | undefined },
  ): Promise<IntentOutcome>;
  /** Fails for a serial without an open intent. */
  recordCompletion(completion: IssuanceCompletion): Promise<void>;
  recordAbandoned(serialHex: string, atMillis: number, reason: string): Promise<void>;
  recordEvent(event: AuditEvent): Promise<void>;

  issuance(serialHex: string): Promise<IssuanceRecord | undefined>;
  issuances(query: IssuanceQuery): Promise<readonly IssuanceRecord[]>;
  /** Issued ones and those under way, without what is revoked, in the order of their ends. Cost: the rows of the answer, by an index. */
  certificatesInUse(query: InUseQuery): Promise<readonly CertificateInUse[]>;

  addJoinToken(token: JoinTokenRecord): Promise<void>;
  joinToken(hash: string): Promise<JoinTokenRecord | undefined>;
  /** Newest first; ended and used ones too, for 30 days. */
  joinTokens(limit: number): Promise<readonly JoinTokenRecord[]>;

  /** Answers false when it was revoked before. */
  revoke(revocation: Revocation): Promise<boolean>;
  revocations(): Promise<readonly Revocation[]>;

  addAuthority(authority: AuthorityRecord): Promise<void>;
  /** All given states in one step, so that two are never active at once. Fails with `ca-store/conflict`, and changes nothing, where one is not in the state that it should come from. */
  setAuthorityStates(states: readonly AuthorityTransition[], atMillis: number): Promise<void>;
  authorities(): Promise<readonly AuthorityRecord[]>;
  /** Answers false when there was one before. */
  addRootWaiver(waiver: RootWaiver): Promise<boolean>;
  rootWaivers(): Promise<readonly RootWaiver[]>;

  /** Kept as far as room is: at most 10,000, the oldest go. Not part of the audit log, and never waited for by an answer. */
  keepExplanation(explanation: Explanation): void;
  explanation(id: string): Promise<Explanation | undefined>;

  /** In their order, from `from` on. */
  auditEntries(from: number, limit: number): Promise<readonly AuditEntry[]>;
  auditHeads(limit: number): Promise<readonly AuditHead[]>;
  addAuditHead(head: AuditHead): Promise<void>;

  status(): Promise<StoreStatus>;
  /** Why nothing can be written, as far as is known at this moment; undefined: nothing speaks against it. A store that could not write tries again by itself, so that this ends when the reason does. */
  fault(): string | undefined;
  /** A consistent copy while it runs; keys stay encrypted. The file must not exist; mode 0600. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}
