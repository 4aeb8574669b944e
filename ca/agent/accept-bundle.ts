import type { TrustBundle } from "#ca/authorities/contract";
import { buildBundle } from "#ca/bundle/build-bundle";
import { parsePemBundle } from "#ca/bundle/parse-pem-bundle";
import { sameBytes } from "#ca/x509/bytes";
import type { Certificate } from "#ca/x509/contract";
import { readKnownExtensions } from "#ca/x509/verify-extensions";
import { CodedError } from "#platform/coded-error";

/**
 * The bundle of a PEM text that came from the authority, or from the state folder: each certificate must be a CA that names itself as its issuer, for one that does not
 * would be trusted without its root being asked. Fails with `agent/bundle`. Not checked: who sent it.
 */
export function acceptBundle(pem: string, trustDomain: string, sequence: number): TrustBundle {
  const parsed = parsePemBundle(pem);
  if (!parsed.ok) throw new CodedError("agent/bundle", `the bundle cannot be read: ${parsed.fault.message}`);
  const odd = parsed.value.findIndex((certificate) => !isRoot(certificate));
  if (odd >= 0)
    throw new CodedError("agent/bundle", `certificate ${odd + 1} of the bundle is no self-issued authority`);
  return buildBundle(trustDomain, sequence, parsed.value);
}

function isRoot(certificate: Certificate): boolean {
  const { subjectDer, issuerDer } = certificate;
  return sameBytes(subjectDer, issuerDer) && readKnownExtensions(certificate)?.basicConstraints?.ca === true;
}
