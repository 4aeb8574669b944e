import { X509Certificate } from "node:crypto";
import { sameBytes } from "#ca/x509/bytes";
import { readCertificate } from "#ca/x509/read-certificate";
import { svidFaults } from "#ca/x509/svid-faults";
import { wholeSecond } from "#ca/x509/time";
import { verifySvid } from "#ca/x509/verify-svid";
import { drawSerial } from "#ca/x509/write-certificate";
import { messageOf } from "#platform/coded-error";
import type { AuthorityCertificate } from "./authority-certificate.ts";
import type { IssuingAuthority } from "./contract.ts";
import { generateKey } from "./generate-key.ts";
import type { RandomBytes } from "./key-envelope.ts";
import { lintLeaf } from "./lint-leaf.ts";

export type SelfTestResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly step: "lint" | "sign" | "verify"; readonly message: string };

const leafMillis = 60_000;

/**
 * Issues a leaf `spiffe://<trust domain>/selftest` under an authority that is not active yet, for a key that is thrown away, and verifies it as a relying party
 * would, up to the root. The leaf is thrown away too. Never throws for a reason in the authority.
 */
export async function selfTest(tested: {
  readonly authority: IssuingAuthority;
  /** From the authority's own certificate up to the root. */
  readonly path: readonly AuthorityCertificate[];
  readonly trustDomain: string;
  readonly nowMillis: number;
  readonly random: RandomBytes;
}): Promise<SelfTestResult> {
  const { authority, nowMillis } = tested;
  const { publicKey } = await generateKey("P-256");
  const uri = `spiffe://${tested.trustDomain}/selftest`;
  const notBeforeMillis = Math.max(wholeSecond(nowMillis), authority.certificate.notBefore.millis);
  const notAfterMillis = Math.min(notBeforeMillis + leafMillis, authority.notAfterMillis);
  const serial = drawSerial(tested.random);
  const result = lintLeaf(authority, { serial, publicKey, uri, notBeforeMillis, notAfterMillis });
  if (!result.ok) {
    const findings = result.findings.map(({ lint, message }) => `${lint}: ${message}`).join("; ");
    return { ok: false, step: "lint", message: findings };
  }
  let der: Uint8Array;
  try {
    der = authority.sign(result.linted);
  } catch (fault) {
    return { ok: false, step: "sign", message: messageOf(fault) };
  }
  const fault = leafFault(der, tested) ?? pathFault(der, tested.path);
  return fault === undefined ? { ok: true } : { ok: false, step: "verify", message: fault };
}

/** What the authority's key and our own verifier say of it, for both purposes. */
function leafFault(
  der: Uint8Array,
  { authority, nowMillis, path, trustDomain }: Parameters<typeof selfTest>[0],
): string | undefined {
  const read = readCertificate(der);
  if (!read.ok) return read.fault.message;
  if (!authority.verify(read.value.tbsDer, read.value.signature)) return "the signature of the leaf does not verify";
  const certificates = path.map(({ certificate }) => certificate);
  const chain = [der, ...certificates.slice(0, -1).map((certificate) => certificate.der)];
  const bundleOf = (name: string) => (name === trustDomain ? certificates.slice(-1) : undefined);
  for (const purpose of ["server", "client"] as const) {
    const verified = verifySvid(chain, bundleOf, nowMillis, purpose);
    if (!verified.ok) return `a relying party says ${svidFaults[verified.reason]} (${verified.reason})`;
  }
  return undefined;
}

/** What OpenSSL says of it, certificate by certificate. */
function pathFault(der: Uint8Array, path: readonly AuthorityCertificate[]): string | undefined {
  let child = new X509Certificate(der);
  for (const { certificate, subject, verifyKey } of path) {
    const parent = new X509Certificate(certificate.der);
    if (!child.checkIssued(parent)) return `OpenSSL does not take \`${subject}\` for the issuer of what is below it`;
    if (!child.verify(verifyKey)) return `the signature by \`${subject}\` does not verify`;
    child = parent;
  }
  const root = path.at(-1);
  if (root === undefined || !sameBytes(root.certificate.subjectDer, root.certificate.issuerDer))
    return "the path does not end with a root";
  return child.verify(root.verifyKey) ? undefined : `the signature of the root \`${root.subject}\` does not verify`;
}
