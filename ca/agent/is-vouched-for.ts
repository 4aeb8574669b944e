import type { TrustBundle } from "#ca/authorities/contract";
import type { Certificate } from "#ca/x509/contract";
import { verifySvid } from "#ca/x509/verify-svid";
import type { SpiffeId } from "#identity/spiffe-id";
import type { HeldCertificate } from "./contract.ts";

/** Does the bundle vouch for the certificate, and is it this identity's? Whether it has begun or ended is not asked: a moment within its life, the nearest to now, is looked at. */
export function isVouchedFor(
  { chain }: HeldCertificate,
  spiffeId: SpiffeId,
  bundle: TrustBundle | undefined,
  nowMillis: number,
): boolean {
  const { notBefore, notAfter } = chain[0]!;
  const atMillis = Math.min(Math.max(nowMillis, notBefore.millis), notAfter.millis);
  const verified = verifyHeld(chain, spiffeId.trustDomain, bundle?.anchors ?? [], atMillis);
  return verified.ok && verified.id.toString() === spiffeId.toString();
}

/** See `verifySvid`: by these anchors, for this trust domain alone, as a server and as a client. */
export function verifyHeld(
  chain: readonly Certificate[],
  trustDomain: string,
  anchors: readonly Certificate[],
  nowMillis: number,
) {
  const ders = chain.map(({ der }) => der);
  const bundleOf = (name: string) => (name === trustDomain ? anchors : undefined);
  const asServer = verifySvid(ders, bundleOf, nowMillis, "server");
  return asServer.ok ? verifySvid(ders, bundleOf, nowMillis) : asServer;
}
