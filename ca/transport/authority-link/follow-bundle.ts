import type { BundleOffer } from "#ca/agent/contract";
import type { GrpcChannel } from "#platform/grpc/client-contract";
import { grpcCodes } from "#platform/grpc/codes";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { followDelta } from "#xds/client/follow-delta";
import { discoveryServices } from "#xds/services";
import { decodeTrustSecret } from "../sds/decode-trust-secret.ts";
import { secretService, secretTypeUrl } from "../sds/encode-secret.ts";
import { ownBundleName } from "../sds/secret-name.ts";

export interface FollowBundleParts {
  readonly trustDomain: string;
  /** As which the authority's status shows this agent; nothing is believed of it. */
  readonly node: string;
  readonly timers: Timers;
  /** 0 to 1, without 1. */
  readonly chance: () => number;
  readonly log: Log;
}

/**
 * Follows the bundle of the trust domain over a channel until the returned function is called: it is sent once for each channel, whatever is known of it, so that the authority hears of every certificate
 * what its holder has. An update that brings no such bundle is rejected.
 * `refused`: the authority does not take the channel's certificate.
 */
export function followBundle(
  { trustDomain, node, timers, chance, log }: FollowBundleParts,
  channel: GrpcChannel,
  heard: (offer: BundleOffer) => void,
  refused: () => void,
): () => void {
  const { close } = followDelta({
    channel,
    path: `/${secretService}/${discoveryServices[secretService].delta}`,
    typeUrl: secretTypeUrl,
    names: [ownBundleName],
    node,
    initialVersions: new Map(),
    timers,
    chance,
    log,
    onUpdate({ resources }, { accept, reject }) {
      const [secret] = resources;
      const bundles = secret && decodeTrustSecret(ownBundleName, secret.body);
      const own = bundles?.find((bundle) => bundle.trustDomain === trustDomain);
      if (own === undefined) reject("the update has no bundle of the trust domain");
      else heard({ pem: own.pem, accept, reject });
    },
    onDisconnected({ code, message }) {
      log.warn({ code, fault: message }, "the authority's stream of bundles ended: it is begun again");
      if (code === grpcCodes.unauthenticated || code === grpcCodes.permissionDenied) refused();
    },
  });
  return close;
}
