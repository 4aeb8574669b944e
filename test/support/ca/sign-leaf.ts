import { randomBytes } from "node:crypto";
import type { IssuingAuthority } from "#ca/authorities/contract";
import { lintTemplate } from "#ca/lint/linted-template";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { buildTbs, drawSerial } from "#ca/x509/write-certificate";

/** A leaf of the authority for the key and the SPIFFE ID, valid from `nowMillis` on: DER. Throws what the lints say. */
export function signLeaf(
  authority: IssuingAuthority,
  publicKey: SubjectPublicKey,
  uri: string,
  nowMillis: number,
  lifetimeMillis = 3_600_000,
) {
  const notBeforeMillis = Math.floor(nowMillis / 1000) * 1000;
  const notAfterMillis = notBeforeMillis + lifetimeMillis;
  const tbsDer = buildTbs({
    profile: "leaf",
    serial: drawSerial(randomBytes),
    issuer: authority.names,
    notBeforeMillis,
    notAfterMillis,
    subjectPublicKeyDer: publicKey.spkiDer,
    uri,
    dnsNames: [],
    ipAddresses: [],
  });
  const result = lintTemplate(tbsDer, {
    profile: "leaf",
    issuer: { body: authority.certificate, keyKind: authority.keyKind },
    signerKeyKind: authority.keyKind,
    subjectKeyKind: publicKey.kind,
    grantedSpkiDer: publicKey.spkiDer,
    grantedId: uri,
    grantedDnsNames: [],
    grantedIpAddresses: [],
    grantedNotBeforeMillis: notBeforeMillis,
    grantedNotAfterMillis: notAfterMillis,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return authority.sign(result.linted);
}
