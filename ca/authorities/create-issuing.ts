import type { KeyObject } from "node:crypto";
import type { KeyKind } from "#ca/x509/contract";
import { wholeSecond } from "#ca/x509/time";
import { drawSerial, subjectKeyId } from "#ca/x509/write-certificate";
import { CodedError } from "#platform/coded-error";
import { type AuthorityCertificate, hexOf } from "./authority-certificate.ts";
import { generateKey } from "./generate-key.ts";
import type { RandomBytes } from "./key-envelope.ts";
import { backdateMillis, type CreatedAuthority, organizationOf, signAuthority } from "./sign-authority.ts";

/** An issuing authority lives no shorter: it is replaced at half of its life, and leaves of a day must fit under it. */
export const shortestIssuingMillis = 24 * 3_600_000;

/** It ends before its root does, so that no verifier sees the one without the other. */
const marginMillis = 60_000;

/**
 * A new issuing authority with a new key under a root: subject `O=<trust domain>, CN=issuer <subject key id, first 16 digits>`, path length 0. It ends
 * with its root at the latest. Fails with `ca-authority/lifetime` for less than 24 h, `ca-authority/root-expiring` when the root does not last so long, or as
 * `signAuthority` does.
 */
export async function createIssuing(wanted: {
  readonly trustDomain: string;
  readonly keyKind: KeyKind;
  readonly lifetimeMillis: number;
  readonly nowMillis: number;
  readonly random: RandomBytes;
  readonly root: { readonly authority: AuthorityCertificate; readonly privateKey: KeyObject };
}): Promise<CreatedAuthority> {
  const { trustDomain, keyKind, nowMillis, root } = wanted;
  if (wanted.lifetimeMillis < shortestIssuingMillis)
    throw new CodedError("ca-authority/lifetime", "an issuing authority lives at least 24 hours");
  const rootEndMillis = root.authority.certificate.notAfter.millis;
  const notAfterMillis = wholeSecond(Math.min(nowMillis + wanted.lifetimeMillis, rootEndMillis - marginMillis));
  if (notAfterMillis < wholeSecond(nowMillis + shortestIssuingMillis))
    throw new CodedError(
      "ca-authority/root-expiring",
      `the root \`${root.authority.subject}\` ends at ${new Date(rootEndMillis).toISOString()}: less than 24 hours are left for an issuing authority`,
    );
  const { privateKey, publicKey } = await generateKey(keyKind);
  const authority = signAuthority(
    {
      profile: "issuing",
      serial: drawSerial(wanted.random),
      issuer: root.authority.names,
      organization: organizationOf(trustDomain),
      commonName: issuingCommonName(publicKey.spkiDer),
      // Nor does it begin before its root, which a clock that went back since would have it do.
      notBeforeMillis: Math.max(wholeSecond(nowMillis - backdateMillis), root.authority.certificate.notBefore.millis),
      notAfterMillis,
      subjectPublicKeyDer: publicKey.spkiDer,
      uri: `spiffe://${trustDomain}`,
    },
    root,
    keyKind,
  );
  return { authority, privateKey };
}

/** Names the key, so that no two issuing authorities share a name. */
export function issuingCommonName(spkiDer: Uint8Array): string {
  return `issuer ${hexOf(subjectKeyId(spkiDer)).slice(0, 16)}`;
}
