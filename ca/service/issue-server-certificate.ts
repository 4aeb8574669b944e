import type { AuthoritySet } from "#ca/authorities/contract";
import type { IssueServerCertificate } from "#ca/authorities/server-certificate";
import { serverSpiffeId } from "#ca/authorities/server-certificate";
import type { ServerNames } from "#ca/authorities/server-names";
import { type CertifyParts, certify } from "#ca/issuance/certify";
import { Grant } from "#ca/issuance/grant";
import { grantLifetime } from "#ca/issuance/lifetime";
import type { Refusal } from "#ca/issuance/refusal";
import type { IssuanceSettings } from "#ca/issuance/settings";
import { writePem } from "#ca/x509/pem";
import { parseSpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";

export interface ServerCertificateParts extends CertifyParts {
  readonly authorities: () => AuthoritySet;
  readonly names: ServerNames;
  /** The identity of the authority's own that it is for, by trust domain; undefined: that of its doors. */
  readonly spiffeId?: (trustDomain: string) => string;
  readonly settings: () => IssuanceSettings;
}

/** Issues the authority's own server certificate, or another of its own: linted, recorded and verified like any other, for a lifetime of the default. Rejects with `ca-server/certificate`. */
export function createIssueServerCertificate(parts: ServerCertificateParts): IssueServerCertificate {
  const { spiffeId = serverSpiffeId } = parts;
  return async (publicKey) => {
    const { issuing, bundle } = parts.authorities();
    if (issuing === undefined) throw new Error("no authority is active");
    const parsed = parseSpiffeId(spiffeId(bundle.trustDomain));
    if (!parsed.ok) throw new Error(`the authority's own identity is not one: ${parsed.fault}`);
    const granted = grantLifetime(parts.settings(), {
      askedSeconds: undefined,
      registered: { ttlSeconds: undefined, maxTtlSeconds: undefined },
      issuer: { notBeforeMillis: issuing.certificate.notBefore.millis, notAfterMillis: issuing.notAfterMillis },
      nowMillis: parts.nowMillis(),
      chance: 0,
    });
    if (!granted.ok) throw refused(granted.refusal);
    const grant = Grant.toSelf({ id: parsed.id, ...parts.names, publicKey, lifetime: granted.lifetime });
    const certified = await certify(
      parts,
      issuing,
      grant,
      {
        method: "self",
        caller: "authority",
        evidence: "",
        registration: undefined,
        nameMismatch: [],
        csrHash: "",
        bundleSequence: bundle.sequence,
      },
      undefined,
      {},
    );
    if (!certified.ok) throw refused(certified.refusal);
    // For those who know the root by its fingerprint alone, as a join token names it.
    const rootPem = writePem("CERTIFICATE", issuing.root.der);
    return {
      chainPem: [writePem("CERTIFICATE", certified.issued.der), ...issuing.chainPem, rootPem],
      ...granted.lifetime,
    };
  };
}

function refused({ code, seen }: Refusal): CodedError {
  return new CodedError("ca-server/certificate", `the authority gives itself no certificate: ${code}: ${seen}`);
}
