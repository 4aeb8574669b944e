import { hash } from "node:crypto";
import type { AuthoritySet, IssuingAuthority } from "#ca/authorities/contract";
import { isOwnId, ownPath } from "#ca/authorities/server-certificate";
import type { Caller } from "#ca/callers/contract";
import type { CsrFault, CsrRefusal } from "#ca/csr/contract";
import type { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { type ProvenCsr, proveCsr } from "#ca/csr/prove-csr";
import { authorizeIdentity } from "#ca/registration/authorize-identity";
import type { Registrations } from "#ca/registration/build-registrations";
import { matchEntries } from "#ca/registration/match-entries";
import type { SpiffeId } from "#identity/spiffe-id";
import type { IssuanceEvidence } from "./certify.ts";
import { namesThatDiffer } from "./compare-names.ts";
import { earliestIssuanceMillis } from "./earliest-issuance.ts";
import { Grant } from "./grant.ts";
import { grantLifetime } from "./lifetime.ts";
import { evidenceOf, nameOfCaller, type Progress } from "./progress.ts";
import { type Refusal, type Refused, refuse, revokedRefusal } from "./refusal.ts";
import type { IssuanceSettings } from "./settings.ts";
import { isoTime } from "./shown-text.ts";
import type { IssuanceStep } from "./steps.ts";

/** What is in force for one request, pinned at its beginning. */
export interface InForce {
  readonly authorities: AuthoritySet;
  readonly registrations: Registrations;
  readonly settings: IssuanceSettings;
  readonly keyPolicy: KeyPolicy;
  /** What the store decides in the end, in one step with the record; here it spares the work, and tells a dry run. */
  readonly isIdentityRevoked: (spiffeId: string) => boolean;
  readonly nowMillis: number;
  /** The newest time that the records hold. */
  readonly latestRecordMillis: number;
  /** 0 to 1, without 1. */
  readonly chance: number;
}

export interface Wanted {
  readonly spiffeId: string | undefined;
  readonly csrPem: string;
  readonly ttlSeconds: number | undefined;
}

/** A certificate that may be given out, and what the record will say of the reason. */
export interface Granted {
  readonly ok: true;
  readonly grant: Grant;
  readonly issuing: IssuingAuthority;
  readonly evidence: IssuanceEvidence;
}

/**
 * May this caller have a certificate for this key, and for which identity and how long: `issuanceSteps` from `identity` to `lifetime`, in order. Nothing is
 * written, nothing awaited. Never throws.
 */
export function decideGrant(inForce: InForce, caller: Caller, wanted: Wanted, progress: Progress): Granted | Refused {
  const { authorities, registrations, settings, nowMillis } = inForce;
  const authorized = authorizeIdentity(matchEntries(registrations, caller, wanted.spiffeId), wanted.spiffeId, caller);
  if (!authorized.ok) {
    const { code, seen, wanted: expected } = authorized;
    return refuse({ step: "identity", code, seen, wanted: expected });
  }
  const { id, entry } = authorized;
  const reserved = reservedRefusal(id, authorities.bundle.trustDomain);
  if (reserved !== undefined) return refuse(reserved);
  if (inForce.isIdentityRevoked(id.toString())) return refuse(revokedRefusal("identity", id.toString()));
  progress.id = id;
  progress.entry = entry;

  const examined = examineRequest(inForce, wanted.csrPem, entry.keyKinds, progress);
  if (!examined.ok) return examined;
  const { csr } = examined;
  if (caller.method === "ended-x509-svid" && caller.keyHash !== csr.publicKey.hash) {
    const [seen, expected] = ["another key", "the key of the certificate that has ended"];
    return refuse({ step: "key-owner", code: "key/not-renewed", seen, wanted: expected });
  }
  const differing = namesThatDiffer(csr.names, id, entry.dnsNames);
  progress.differing = differing;
  if (differing.length > 0 && settings.csrNames === "strict")
    return refuse({ step: "names", code: "csr/names", seen: differing.join(", "), wanted: id.toString() });

  const { issuing } = authorities;
  const earliest = earliestIssuanceMillis(inForce.latestRecordMillis, issuing);
  if (nowMillis < earliest) {
    const [seen, expected] = [isoTime(nowMillis), `not before ${isoTime(earliest)}`];
    return refuse({ step: "clock", code: "clock/backwards", seen, wanted: expected });
  }
  if (issuing === undefined)
    return refuse({ step: "authority", code: "authority/none", seen: "none", wanted: "one that is active" });
  progress.issuerKeyId = issuing.keyId;
  const granted = grantLifetime(settings, {
    askedSeconds: wanted.ttlSeconds,
    registered: entry,
    issuer: { notBeforeMillis: issuing.certificate.notBefore.millis, notAfterMillis: issuing.notAfterMillis },
    nowMillis,
    chance: inForce.chance,
  });
  if (!granted.ok) return refuse(granted.refusal);
  progress.lifetime = granted.lifetime;
  return {
    ok: true,
    grant: Grant.toCaller(id, entry, csr, granted.lifetime),
    issuing,
    evidence: {
      method: caller.method,
      caller: nameOfCaller(caller),
      evidence: evidenceOf(caller),
      registration: entry.name,
      nameMismatch: differing,
      csrHash: hash("sha256", csr.der, "hex"),
      bundleSequence: authorities.bundle.sequence,
    },
  };
}

/** The authority's own identities are nobody else's, whatever a registration says: whoever had one could play the authority. */
function reservedRefusal(id: SpiffeId, trustDomain: string): Refusal | undefined {
  if (id.trustDomain === trustDomain && !isOwnId(id)) return undefined;
  const wanted = `an identity of ${trustDomain} outside ${ownPath}/`;
  return { step: "identity", code: "identity/not-allowed", seen: id.toString(), wanted };
}

/** The request and its key, cheapest check first: nothing is imported before its shape was looked at, no signature computed for a key that is not taken. */
function examineRequest(
  { keyPolicy, authorities }: InForce,
  csrPem: string,
  allowedKinds: readonly string[],
  progress: Progress,
): { readonly ok: true; readonly csr: ProvenCsr } | Refused {
  const parsed = parseCsr(csrPem);
  if (!parsed.ok) return refuse(csrRefusal(parsed.fault));
  const { publicKey } = parsed.csr;
  progress.publicKey = publicKey;
  if (allowedKinds.length > 0 && !allowedKinds.includes(publicKey.kind))
    return refuse({ step: "key", code: "key/not-allowed", seen: publicKey.kind, wanted: allowedKinds.join(", ") });
  if (authorities.keyHashes.has(publicKey.hash)) {
    const [seen, wanted] = ["an authority's key", "the workload's own"];
    return refuse({ step: "key-owner", code: "key/authority", seen, wanted });
  }
  const proven = proveCsr(parsed.csr, keyPolicy);
  return proven.ok ? { ok: true, csr: proven.csr } : refuse(csrRefusal(proven.fault));
}

/** The step that gives each fault of a request, and what it asks for. */
const csrChecks = {
  "csr/too-large": { step: "request", wanted: "at most 16 KiB of PEM and 8 KiB of DER" },
  "csr/pem": { step: "request", wanted: "one block of PEM, a certificate request" },
  "csr/der": { step: "request", wanted: "DER, whole and minimal" },
  "csr/shape": { step: "request", wanted: "a request of RFC 2986" },
  "csr/signature-algorithm": { step: "request", wanted: "a signature algorithm that fits the key" },
  "key/kind": { step: "key", wanted: "P-256, P-384 or RSA of 2048, 3072 or 4096 bits" },
  "key/weak": { step: "key-quality", wanted: "a key that resists the quick attacks" },
  "key/blocked": { step: "key-quality", wanted: "a key that is known to nobody else" },
  "csr/signature": { step: "proof", wanted: "a signature by the request's own key" },
} as const satisfies Readonly<Record<CsrRefusal, { readonly step: IssuanceStep; readonly wanted: string }>>;

/** The message says what was found, and of the many things that are wanted the one that was missing. */
function csrRefusal({ code, message }: CsrFault): Refusal {
  return { ...csrChecks[code], code, seen: message };
}
