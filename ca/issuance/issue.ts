import { createHash } from "node:crypto";
import type { AuthoritySet, IssuingAuthority } from "#ca/authorities/contract";
import { renderBundlePem } from "#ca/bundle/render-pem";
import type { AuthenticateCaller, Caller } from "#ca/callers/contract";
import type { CsrFault, CsrRefusal } from "#ca/csr/contract";
import type { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { type ProvenCsr, proveCsr } from "#ca/csr/prove-csr";
import type { Admission } from "#ca/limits/admission";
import type { CallLimits } from "#ca/limits/call-limits";
import { authorizeIdentity } from "#ca/registration/authorize-identity";
import type { Registrations } from "#ca/registration/build-registrations";
import { matchEntries } from "#ca/registration/match-entries";
import type { CaStore, IssuanceIntent } from "#ca/store/contract";
import { writePem } from "#ca/x509/pem";
import { buildTemplate } from "./build-template.ts";
import { namesThatDiffer } from "./compare-names.ts";
import type { CertificateRequest, IssuedAnswer } from "./contract.ts";
import { Grant } from "./grant.ts";
import { IssuedCertificate, RecordedIntent } from "./issued-certificate.ts";
import { grantLifetime } from "./lifetime.ts";
import { evidenceOf, nameOfCaller, type Progress } from "./progress.ts";
import type { Refusal } from "./refusal.ts";
import type { IssuanceSettings } from "./settings.ts";
import type { IssuanceStep } from "./steps.ts";

/** What issuance is made of. What may change while it runs is a function, asked once a request. */
export interface IssuanceParts {
  readonly authenticate: AuthenticateCaller;
  readonly registrations: () => Registrations;
  readonly authorities: () => AuthoritySet;
  readonly store: CaStore;
  readonly keyPolicy: KeyPolicy;
  readonly limits: CallLimits;
  readonly admission: Admission;
  readonly settings: () => IssuanceSettings;
  readonly nowMillis: () => number;
  /** The newest time that the records hold. */
  readonly latestRecordMillis: () => number;
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
  /** 0 to 1, without 1. */
  readonly chance: () => number;
  readonly nextId: () => string;
}

export type IssuanceOutcome = IssuedAnswer | { readonly ok: false; readonly refusal: Refusal };

/** The wall clock may go back so far before nothing is issued any more. */
const clockToleranceMillis = 5 * 60_000;

/**
 * One request, in the order of `issuanceSteps`: who asks, which identity that may be, the request and its key, the lifetime, the linted bytes, the record
 * of the intent, the signature, the record of the completion. `progress` is filled for the explanation. Rejects only for what is a defect or a store
 * that fails: the caller of this turns that into a refusal.
 */
export async function issueToCaller(
  parts: IssuanceParts,
  request: CertificateRequest,
  progress: Progress,
): Promise<IssuanceOutcome> {
  // What is in force is pinned on the first lines.
  const [authorities, registrations, settings] = [parts.authorities(), parts.registrations(), parts.settings()];
  const authentication = await parts.authenticate(request.credentials, parts.nowMillis());
  progress.attempts = authentication.attempts;
  if (!authentication.ok) {
    const code = `caller/${authentication.kind}` as const;
    return refuse({ step: "caller", code, seen: "no method succeeded", wanted: "one of them" });
  }
  const { caller } = authentication;
  progress.caller = caller;
  const early = metadataRefusal(request) ?? rateRefusal(parts, caller);
  if (early !== undefined) return refuse(early);

  const authorized = authorizeIdentity(matchEntries(registrations, caller), request.spiffeId, caller);
  if (!authorized.ok) {
    const { code, seen, wanted } = authorized;
    return refuse({ step: "identity", code, seen, wanted });
  }
  const { id, entry } = authorized;
  progress.id = id;
  progress.entry = entry;

  const examined = examineRequest(parts, request.csrPem, entry.keyKinds, authorities, progress);
  if (!examined.ok) return examined;
  const { csr } = examined;
  const differing = namesThatDiffer(csr.names, id, entry.dnsNames);
  progress.differing = differing;
  if (differing.length > 0 && settings.csrNames === "strict")
    return refuse({ step: "names", code: "csr/names", seen: differing.join(", "), wanted: id.toString() });

  const nowMillis = parts.nowMillis();
  const latest = parts.latestRecordMillis();
  if (nowMillis < latest - clockToleranceMillis) {
    const [seen, wanted] = [isoTime(nowMillis), `not before ${isoTime(latest - clockToleranceMillis)}`];
    return refuse({ step: "clock", code: "clock/backwards", seen, wanted });
  }
  const { issuing } = authorities;
  if (issuing === undefined)
    return refuse({ step: "authority", code: "authority/none", seen: "none", wanted: "one that is active" });
  progress.issuerKeyId = issuing.keyId;
  const granted = grantLifetime(settings, {
    askedSeconds: request.ttlSeconds,
    registered: entry,
    issuer: {
      notBeforeMillis: issuing.certificate.notBefore.millis,
      notAfterMillis: issuing.notAfterMillis,
    },
    nowMillis,
    chance: parts.chance(),
  });
  if (!granted.ok) return refuse(granted.refusal);
  progress.lifetime = granted.lifetime;

  const certified = await certify(
    parts,
    issuing,
    Grant.toCaller(id, entry, csr.publicKey, granted.lifetime),
    {
      method: caller.method,
      caller: nameOfCaller(caller),
      evidence: evidenceOf(caller),
      registration: entry.name,
      nameMismatch: differing,
      csrHash: createHash("sha256").update(csr.der).digest("hex"),
    },
    caller.method === "join-token"
      ? { tokenHash: caller.tokenHash, remoteAddress: request.credentials.remoteAddress }
      : undefined,
    progress,
  );
  return certified.ok ? { ok: true, ...answerOf(certified.issued, issuing, authorities) } : certified;
}

/** Who asked and by what right: the part of the record that the grant does not say. */
export type IssuanceEvidence = Pick<
  IssuanceIntent,
  "method" | "caller" | "evidence" | "registration" | "nameMismatch" | "csrHash"
>;

/** From a grant to a certificate: lint, record, sign, verify, record. The same for workloads and for the authority's own certificate. */
export async function certify(
  parts: Pick<IssuanceParts, "store" | "admission" | "nowMillis" | "randomBytes" | "nextId">,
  authority: IssuingAuthority,
  grant: Grant,
  evidence: IssuanceEvidence,
  redeem: { readonly tokenHash: string; readonly remoteAddress: string | undefined } | undefined,
  progress: Progress,
): Promise<
  { readonly ok: true; readonly issued: IssuedCertificate } | { readonly ok: false; readonly refusal: Refusal }
> {
  const { serial, result } = buildTemplate(grant, authority, parts.randomBytes);
  if (!result.ok) {
    const seen = result.findings.map(({ lint, message }) => `${lint}: ${message}`).join("; ");
    return refuse({ step: "lint", code: "issue/lint", seen, wanted: "no finding" });
  }
  const { id, dnsNames, publicKey, lifetime } = grant;
  const serialHex = Buffer.from(serial).toString("hex");
  progress.serialHex = serialHex;
  const recorded = await RecordedIntent.record(
    parts.store,
    {
      ...evidence,
      requestId: parts.nextId(),
      atMillis: parts.nowMillis(),
      serialHex,
      spiffeId: id.toString(),
      dnsNames,
      keyKind: publicKey.kind,
      spkiHash: publicKey.hash,
      ...lifetime,
      issuerKeyId: authority.keyId,
    },
    result.linted,
    redeem,
  );
  if (!(recorded instanceof RecordedIntent)) return refuse(intentRefusal(recorded.fault, id.toString()));
  await parts.admission.turn();
  const issued = await IssuedCertificate.complete(recorded, authority, parts.store, parts.nowMillis);
  if (issued instanceof IssuedCertificate) return { ok: true, issued };
  await parts.store.recordAbandoned(serialHex, parts.nowMillis(), issued.fault);
  return refuse({ step: "sign", code: "issue/defect", seen: issued.fault, wanted: "what was linted, signed" });
}

/** The request and its key, cheapest check first: nothing is imported before its shape was looked at, no signature computed for a key that is not taken. */
function examineRequest(
  { keyPolicy }: IssuanceParts,
  csrPem: string,
  allowedKinds: readonly string[],
  authorities: AuthoritySet,
  progress: Progress,
): { readonly ok: true; readonly csr: ProvenCsr } | { readonly ok: false; readonly refusal: Refusal } {
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

/** The step that gives each fault of a request. */
const csrSteps = {
  "csr/too-large": "request",
  "csr/pem": "request",
  "csr/der": "request",
  "csr/shape": "request",
  "csr/signature-algorithm": "request",
  "key/kind": "key",
  "key/weak": "key-quality",
  "key/blocked": "key-quality",
  "csr/signature": "proof",
} as const satisfies Readonly<Record<CsrRefusal, IssuanceStep>>;

/** The message says both what was expected and what was found. */
function csrRefusal({ code, message }: CsrFault): Refusal {
  return { step: csrSteps[code], code, seen: message, wanted: "" };
}

function metadataRefusal({ certSigner, impersonatedIdentity }: CertificateRequest): Refusal | undefined {
  const step = "impersonation";
  if (impersonatedIdentity !== undefined && impersonatedIdentity !== "")
    return { step, code: "identity/impersonation", seen: cut(impersonatedIdentity), wanted: "nothing" };
  if (certSigner !== undefined && certSigner !== "")
    return { step, code: "signer/unknown", seen: cut(certSigner), wanted: "nothing" };
  return undefined;
}

function rateRefusal({ limits }: IssuanceParts, caller: Caller): Refusal | undefined {
  // The operator's own socket is no stranger's.
  const answer = caller.method === "operator" ? undefined : limits.caller(caller);
  if (answer === undefined || answer.ok) return undefined;
  const { code, retryAfterMillis } = answer;
  const wanted = `again in ${Math.ceil(retryAfterMillis)} ms`;
  return { step: "caller-rate", code, seen: nameOfCaller(caller), wanted, retryAfterMillis };
}

/** What the store refuses in the step in which it writes the intent down. */
function intentRefusal(
  fault: Extract<Awaited<ReturnType<CaStore["recordIntent"]>>, { readonly ok: false }>["fault"],
  id: string,
): Refusal {
  switch (fault) {
    case "token-unknown":
    case "token-used":
    case "token-expired":
      return { step: "record", code: "caller/refused", seen: `join token: ${fault}`, wanted: "a token not used yet" };
    case "key-in-use":
      return {
        step: "record",
        code: "key/in-use",
        seen: "the key of another identity",
        wanted: `a key of ${id} alone`,
      };
    case "identity-revoked":
      return { step: "record", code: "identity/revoked", seen: id, wanted: "an identity that is not revoked" };
    case "serial-in-use":
      return { step: "record", code: "issue/defect", seen: "a serial was drawn twice", wanted: "a new one" };
    default:
      return fault satisfies never;
  }
}

/** ORDER: leaf, each intermediate by itself, all roots in one: pilot-agent and ztunnel both rely on it. */
export function answerOf(
  { der, intent }: IssuedCertificate,
  authority: IssuingAuthority,
  { bundle }: AuthoritySet,
): Omit<IssuedAnswer, "ok"> {
  return {
    serialHex: intent.serialHex,
    spiffeId: intent.spiffeId,
    notBeforeMillis: intent.notBeforeMillis,
    notAfterMillis: intent.notAfterMillis,
    chain: [writePem("CERTIFICATE", der), ...authority.chainPem, renderBundlePem(bundle)],
  };
}

function isoTime(millis: number): string {
  return new Date(millis).toISOString();
}

function cut(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

function refuse(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal };
}
