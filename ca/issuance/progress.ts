import type { Caller, CallerAttempt } from "#ca/callers/contract";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Lifetime } from "./lifetime.ts";

/** How far a request has come; PERF: kept as values, put into words only for a request that is refused. */
export interface Progress {
  caller?: Caller;
  attempts?: readonly CallerAttempt[];
  id?: SpiffeId;
  entry?: RegistrationEntry;
  publicKey?: SubjectPublicKey;
  differing?: readonly string[];
  lifetime?: Lifetime;
  issuerKeyId?: string;
  serialHex?: string;
}

/** For people and the records: who a caller is. Never a credential. */
export function nameOfCaller(caller: Caller): string {
  switch (caller.method) {
    case "x509-svid":
    case "ended-x509-svid":
      return caller.id.toString();
    case "jwt":
      return caller.subject === undefined ? caller.issuer : `${caller.issuer} ${caller.subject}`;
    case "join-token":
      return `join token for ${caller.id.toString()}`;
    case "operator":
      return "operator";
    default:
      return caller satisfies never;
  }
}

/** The digest by which a credential is known in the records. */
export function evidenceOf(caller: Caller): string {
  switch (caller.method) {
    case "x509-svid":
    case "ended-x509-svid":
      return caller.fingerprint;
    case "jwt":
      return caller.evidence;
    case "join-token":
      return caller.tokenHash;
    case "operator":
      return "";
    default:
      return caller satisfies never;
  }
}
