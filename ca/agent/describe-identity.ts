import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { SpiffeId } from "#identity/spiffe-id";
import type { OfferAnswer } from "./bundle-offers.ts";
import type { AgentFailure, HeldCertificate, IdentityStatus } from "./contract.ts";
import { phaseOf } from "./renewal.ts";

/** What an identity's life is at a moment. */
export interface IdentityMoment {
  readonly spiffeId: SpiffeId;
  readonly given: HeldCertificate | undefined;
  readonly bundle: TrustBundle | undefined;
  readonly nowMillis: number;
  readonly nextMillis: number | undefined;
  readonly failure: AgentFailure | undefined;
  readonly answer: OfferAnswer | undefined;
  /** Has the open connection brought a bundle? */
  readonly hasHeard: boolean;
  readonly kept: boolean;
}

/** The identity for the status page. */
export function describeIdentity(moment: IdentityMoment): IdentityStatus {
  const { spiffeId, given, bundle, nowMillis, nextMillis, failure, kept } = moment;
  return {
    spiffeId: spiffeId.toString(),
    state: given === undefined ? "waiting" : phaseOf(given, nowMillis),
    certificate: given && certificateOf(given),
    nextMillis,
    failure,
    bundle: bundle && bundleOf(bundle, moment),
    kept,
  };
}

function certificateOf({ chain, receivedMillis }: HeldCertificate): NonNullable<IdentityStatus["certificate"]> {
  const { serial, notBefore, notAfter } = chain[0]!;
  return {
    serialHex: Buffer.from(serial).toString("hex"),
    notBeforeMillis: notBefore.millis,
    notAfterMillis: notAfter.millis,
    receivedMillis,
  };
}

function bundleOf(bundle: TrustBundle, { answer, hasHeard }: IdentityMoment): NonNullable<IdentityStatus["bundle"]> {
  const version = bundleVersion(bundle);
  const own = answer?.version === version ? answer : undefined;
  return {
    version,
    anchors: bundle.anchors.length,
    acknowledged: hasHeard ? own !== undefined && own.rejected === undefined : undefined,
    rejected: own?.rejected,
  };
}
