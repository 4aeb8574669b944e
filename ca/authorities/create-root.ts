import type { KeyKind } from "#ca/x509/contract";
import { wholeSecond } from "#ca/x509/time";
import { drawSerial } from "#ca/x509/write-certificate";
import { generateKey } from "./generate-key.ts";
import type { RandomBytes } from "./key-envelope.ts";
import { backdateMillis, type CreatedAuthority, organizationOf, signAuthority } from "./sign-authority.ts";

/**
 * A new root with a new key: subject `O=<trust domain>, CN=root <generation>`, so that no two of a trust domain share a name. Fails as
 * `signAuthority` does.
 */
export async function createRoot(wanted: {
  readonly trustDomain: string;
  readonly keyKind: KeyKind;
  /** 1 for the first root of the trust domain. */
  readonly generation: number;
  readonly lifetimeMillis: number;
  readonly nowMillis: number;
  readonly random: RandomBytes;
}): Promise<CreatedAuthority> {
  const { trustDomain, keyKind, nowMillis } = wanted;
  const { privateKey, publicKey } = await generateKey(keyKind);
  const authority = signAuthority(
    {
      profile: "root",
      serial: drawSerial(wanted.random),
      issuer: undefined,
      organization: organizationOf(trustDomain),
      commonName: `root ${wanted.generation}`,
      notBeforeMillis: wholeSecond(nowMillis - backdateMillis),
      notAfterMillis: wholeSecond(nowMillis + wanted.lifetimeMillis),
      subjectPublicKeyDer: publicKey.spkiDer,
      uri: `spiffe://${trustDomain}`,
    },
    { authority: undefined, privateKey },
    keyKind,
  );
  return { authority, privateKey };
}
