import { generateKey } from "#ca/authorities/generate-key";
import { buildTemplate } from "#ca/issuance/build-template";
import { decideGrant, type InForce } from "#ca/issuance/decide-grant";
import { explainRefusal, stepsBefore } from "#ca/issuance/explain-refusal";
import type { Progress } from "#ca/issuance/progress";
import type { DryRunAnswer, DryRunRequest } from "#ca/service/contract";
import { signTbs } from "#ca/x509/import-key";
import { writePem } from "#ca/x509/pem";
import { assembleCertificate } from "#ca/x509/write-certificate";

/**
 * What would be issued, with its lints: every check and the very bytes, but the signature is by a key that is thrown away, so that nobody trusts the result.
 * Nothing is recorded, counted or redeemed. Cost: a key pair of the issuing authority's kind.
 */
export async function dryRun(
  inForce: InForce,
  request: DryRunRequest,
  randomBytes: (sizeBytes: number) => Uint8Array,
): Promise<DryRunAnswer> {
  const progress: Progress = { caller: { method: "operator" }, attempts: [] };
  const granted = decideGrant(inForce, { method: "operator" }, request, progress);
  if (!granted.ok) return { steps: explainRefusal(granted.refusal, progress), certificatePem: undefined, findings: [] };
  const { issuing, grant } = granted;
  const { result } = buildTemplate(grant, issuing, randomBytes);
  if (!result.ok) {
    const refusal = {
      step: "lint",
      code: "issue/lint",
      seen: `${result.findings.length} findings`,
      wanted: "none",
    } as const;
    return { steps: explainRefusal(refusal, progress), certificatePem: undefined, findings: result.findings };
  }
  const { tbsDer } = result.linted.body;
  const { privateKey } = await generateKey(issuing.keyKind);
  const der = assembleCertificate(tbsDer, issuing.keyKind, signTbs(issuing.keyKind, privateKey, tbsDer));
  return { steps: stepsBefore("record", progress), certificatePem: writePem("CERTIFICATE", der), findings: [] };
}
