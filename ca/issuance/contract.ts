import type { Credentials } from "#ca/callers/contract";
import type { RefusalCode } from "#ca/refusals";

/** What a front door hands over. Sizes are not checked yet. */
export interface CertificateRequest {
  readonly csrPem: string;
  /** 0 or less, or undefined: the default. */
  readonly ttlSeconds: number | undefined;
  /** The identity that is asked for; undefined: the caller's own, or the only one that it may have. */
  readonly spiffeId: string | undefined;
  readonly credentials: Credentials;
  /** Which door it came to: `istio`, `http`, `socket`. */
  readonly door: string;
  /** Istio's metadata. */
  readonly certSigner: string | undefined;
  readonly impersonatedIdentity: string | undefined;
}

export interface IssuedAnswer {
  readonly ok: true;
  readonly serialHex: string;
  readonly spiffeId: string;
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
  /** PEM: leaf, each intermediate by itself, then one element with all roots. At least two elements; each ends with a line break. */
  readonly chain: readonly string[];
}

export interface RefusedAnswer {
  readonly ok: false;
  readonly code: RefusalCode;
  /** Names the explanation: `garita ca explain ID`. */
  readonly explanationId: string;
  /** Tell clients to wait at least so long; for `resource-exhausted` alone. */
  readonly retryAfterMillis: number | undefined;
}

export type CertificateAnswer = IssuedAnswer | RefusedAnswer;

/** Issues, or says why not. Never rejects. */
export type IssueCertificate = (request: CertificateRequest) => Promise<CertificateAnswer>;
