import type { SpiffeId } from "#identity/spiffe-id";

/** What a client brought; nothing of it is believed yet. */
export interface Credentials {
  /** DER, leaf first, as the TLS handshake proved possession of the leaf's key. */
  readonly clientCertificates: readonly Uint8Array[];
  /** The text behind `Bearer `. Never logged. */
  readonly bearer: string | undefined;
  /** The Unix socket of the administration, which only the operator can open. */
  readonly operatorSocket: boolean;
  readonly remoteAddress: string | undefined;
}

/** Who asks. Made by `authenticateCaller` alone. */
export type Caller =
  | {
      readonly method: "x509-svid";
      readonly id: SpiffeId;
      /** SHA-256 of the leaf, hex. */
      readonly fingerprint: string;
      readonly serialHex: string;
    }
  /** Its certificate has ended, within the grace of the authority: for a renewal of the very same key, and nothing else. */
  | {
      readonly method: "ended-x509-svid";
      readonly id: SpiffeId;
      /** SHA-256 of the leaf, hex. */
      readonly fingerprint: string;
      readonly serialHex: string;
      /** SHA-256 of the leaf's SubjectPublicKeyInfo, hex. */
      readonly keyHash: string;
    }
  | {
      readonly method: "jwt";
      readonly issuer: string;
      readonly subject: string | undefined;
      readonly claims: Readonly<Record<string, unknown>>;
      /** SHA-256 of the token, hex: evidence, not the token. */
      readonly evidence: string;
    }
  | {
      readonly method: "join-token";
      /** The identity that the token is bound to. */
      readonly id: SpiffeId;
      /** SHA-256 of the secret, hex: the store's key. Redeemed with the intent, in one step. */
      readonly tokenHash: string;
    }
  | { readonly method: "operator" };

/** One method that was tried and failed, for the explanation and the log. Never holds a credential. */
export interface CallerAttempt {
  readonly method: Caller["method"];
  readonly reason: string;
}

export type Authentication =
  | { readonly ok: true; readonly caller: Caller; readonly attempts: readonly CallerAttempt[] }
  | {
      readonly ok: false;
      /** `none`: nothing was brought. `unavailable`: something could not be verified now, and might be later. */
      readonly kind: "none" | "refused" | "unavailable";
      readonly attempts: readonly CallerAttempt[];
    };

/** First success wins: client certificate, token of an issuer, join token, socket, certificate that has ended. Never rejects. */
export type AuthenticateCaller = (credentials: Credentials, nowMillis: number) => Promise<Authentication>;

/** What an administrator may do. `auditor` reads, `operator` does everything. */
export type AdminRole = "operator" | "auditor";
