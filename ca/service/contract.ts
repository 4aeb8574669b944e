import type { AuthorityStatus, TrustBundle } from "#ca/authorities/contract";
import type { AdminRole, Credentials } from "#ca/callers/contract";
import type { IssueCertificate } from "#ca/issuance/contract";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { RootRotation, RotationSummary } from "#ca/rotation/contract";
import type {
  Explanation,
  IssuanceQuery,
  IssuanceRecord,
  JoinTokenRecord,
  Revocation,
  StoreStatus,
} from "#ca/store/contract";
import type { StreamStatus } from "#xds/contract";

export type { AdminRole } from "#ca/callers/contract";

/** What the doors of the authority call: they know nothing else of it. Calls reject with a `CodedError` where the store fails. */
export interface AuthorityService {
  readonly issue: IssueCertificate;
  /** The bundle in force. */
  bundle(): TrustBundle;
  /** The role of whoever brings these credentials; undefined: none, with the reason for the log. Never rejects. */
  roleOf(
    credentials: Credentials,
  ): Promise<{ readonly role: AdminRole | undefined; readonly who: string; readonly reason: string }>;
  status(): Promise<AuthorityStatusPage>;
  /** What would be issued, with its lints; nothing is signed with an authority's key, recorded or counted. */
  dryRun(request: DryRunRequest): Promise<DryRunAnswer>;
  certificates(query: IssuanceQuery): Promise<readonly IssuanceRecord[]>;
  certificate(serialHex: string): Promise<IssuanceRecord | undefined>;
  explanation(id: string): Promise<Explanation | undefined>;
  /** The token is in the answer and nowhere else. Fails with `ca-token/…` for an identity that no registration gives to a join token. */
  createToken(wanted: TokenWanted, by: string): Promise<{ readonly token: string; readonly expiresMillis: number }>;
  tokens(limit: number): Promise<readonly JoinTokenRecord[]>;
  /** Takes effect at once, answers false when it was revoked before. Fails with `ca-revocation/…` for what cannot be revoked; where the store fails, it counts until the program ends. */
  revoke(target: Revocation["target"], reason: string, by: string): Promise<boolean>;
  revocations(): Promise<readonly Revocation[]>;
  entries(): readonly RegistrationEntry[];
  auditReport(): Promise<AuditReport>;
  /** A new issuing authority under the same root, self-tested, active when this resolves. Fails with `ca-authority/…`. */
  rotateIssuer(by: string): Promise<AuthorityStatus>;
  /** How the root is replaced. `waive` fails with `ca-revocation/reason` too, for what is not one line of text. */
  readonly root: RootRotation;
  backup(file: string): Promise<void>;
}

export interface AuthorityStatusPage {
  readonly trustDomain: string;
  readonly authorities: readonly AuthorityStatus[];
  /** `version`: see `bundleVersion`; what a stream has acknowledged is compared with it. */
  readonly bundle: { readonly sequence: number; readonly anchors: number; readonly version: string };
  /** The replacement of the root, as of the last look. */
  readonly rotation: RotationSummary;
  readonly store: StoreStatus;
  readonly registrations: number;
  /** When the authority's own server certificate ends. */
  readonly serverCertificateNotAfterMillis: number | undefined;
  readonly issuedSinceStart: number;
  readonly refusedSinceStart: number;
  readonly streams: StreamsStatus;
  readonly warnings: readonly string[];
}

/** Clients that get resources by streams: who, and what of it they have acknowledged. */
export interface StreamsStatus {
  /** One that takes several types of resources counts for each, one that has asked for nothing yet for none. */
  readonly open: number;
  /** So many take the bundle, a name of a stream each, and so many of those have acknowledged the one in force. */
  readonly bundle: { readonly taken: number; readonly acknowledged: number };
  /** At most 500: those first that have rejected something, then in the order of their beginning. */
  readonly listed: readonly StreamStatus[];
}

export interface TokenWanted {
  readonly spiffeId: string;
  readonly ttlSeconds: number | undefined;
  readonly sourceCidrs: readonly string[];
}

export interface DryRunRequest {
  readonly spiffeId: string;
  readonly csrPem: string;
  readonly ttlSeconds: number | undefined;
}

export interface DryRunAnswer {
  /** As the explanation of a refusal has them; the last one that failed decides. */
  readonly steps: Explanation["steps"];
  /** PEM, signed by a key that was thrown away: nobody trusts it. Undefined: it would be refused. */
  readonly certificatePem: string | undefined;
  readonly findings: readonly { readonly lint: string; readonly citation: string; readonly message: string }[];
}

export interface AuditReport {
  readonly ok: boolean;
  readonly entries: number;
  readonly heads: number;
  /** The last entry that a signed head vouches for. */
  readonly sealedUpTo: number;
  /** What was found wrong, with the number of the entry. */
  readonly faults: readonly { readonly entry: number; readonly message: string }[];
}
