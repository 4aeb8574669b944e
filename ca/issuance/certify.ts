import type { AuthoritySet, IssuingAuthority } from "#ca/authorities/contract";
import { renderBundlePem } from "#ca/bundle/render-pem";
import type { Admission } from "#ca/limits/admission";
import type { CaStore, IssuanceIntent } from "#ca/store/contract";
import { writePem } from "#ca/x509/pem";
import { messageOf } from "#platform/coded-error";
import type { Abandonments } from "./abandonments.ts";
import { buildTemplate } from "./build-template.ts";
import type { IssuedAnswer } from "./contract.ts";
import type { Grant } from "./grant.ts";
import { IssuedCertificate, RecordedIntent } from "./issued-certificate.ts";
import type { Progress } from "./progress.ts";
import { type Refusal, type Refused, refuse, revokedRefusal } from "./refusal.ts";

export interface CertifyParts {
  readonly store: CaStore;
  readonly admission: Admission;
  readonly abandonments: Pick<Abandonments, "add">;
  readonly nowMillis: () => number;
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
  readonly nextId: () => string;
}

/** Who asked and by what right, and which bundle the answer will carry: the part of the record that the grant does not say. */
export type IssuanceEvidence = Pick<
  IssuanceIntent,
  "method" | "caller" | "evidence" | "registration" | "nameMismatch" | "csrHash" | "bundleSequence"
>;

/** From a grant to a certificate: lint, record, sign, verify, record. The same for workloads and for the authority's own certificate. */
export async function certify(
  parts: CertifyParts,
  authority: IssuingAuthority,
  grant: Grant,
  evidence: IssuanceEvidence,
  redeem: { readonly tokenHash: string; readonly remoteAddress: string | undefined } | undefined,
  progress: Progress,
): Promise<{ readonly ok: true; readonly issued: IssuedCertificate } | Refused> {
  const { serial, result } = buildTemplate(grant, authority, parts.randomBytes);
  if (!result.ok) {
    const seen = result.findings.map(({ lint, message }) => `${lint}: ${message}`).join("; ");
    return refuse({ step: "lint", code: "issue/lint", seen, wanted: "no finding" });
  }
  const { id, dnsNames, publicKey, lifetime } = grant;
  const serialHex = Buffer.from(serial).toString("hex");
  progress.serialHex = serialHex;
  const intent = {
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
  };
  try {
    const recorded = await RecordedIntent.record(parts.store, intent, result.linted, redeem);
    if (!RecordedIntent.is(recorded)) return refuse(intentRefusal(recorded.fault, id.toString()));
    await parts.admission.turn();
    const issued = await IssuedCertificate.complete(recorded, authority, parts.store, parts.nowMillis);
    if (IssuedCertificate.is(issued)) return { ok: true, issued };
    await parts.store.recordAbandoned(serialHex, parts.nowMillis(), issued.fault);
    return refuse({ step: "sign", code: "issue/defect", seen: issued.fault, wanted: "what was linted, signed" });
  } catch (fault) {
    parts.abandonments.add(serialHex, messageOf(fault));
    throw fault;
  }
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
      return revokedRefusal("record", id);
    case "serial-in-use":
      return { step: "record", code: "issue/defect", seen: "a serial was drawn twice", wanted: "a new one" };
    default:
      return fault satisfies never;
  }
}

/** ORDER: leaf, each intermediate by itself, all roots in one: pilot-agent and ztunnel both rely on it. */
export function answerOf(
  issued: IssuedCertificate,
  authority: IssuingAuthority,
  { bundle }: AuthoritySet,
): Omit<IssuedAnswer, "ok"> {
  if (!IssuedCertificate.is(issued)) throw new Error("nothing is handed out that was not issued");
  const { der, intent } = issued;
  return {
    serialHex: intent.serialHex,
    spiffeId: intent.spiffeId,
    notBeforeMillis: intent.notBeforeMillis,
    notAfterMillis: intent.notAfterMillis,
    chain: [writePem("CERTIFICATE", der), ...authority.chainPem, renderBundlePem(bundle)],
  };
}
