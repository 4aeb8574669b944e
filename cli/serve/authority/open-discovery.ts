import { createDenyListResources } from "#ca/deny-list/deny-list-resources";
import { createCallerKeys } from "#ca/service/caller-keys";
import type { RunningAuthority } from "#ca/service/open-authority";
import { createAuthoritySecrets } from "#ca/transport/sds/authority-secrets";
import { secretService, secretTypeUrl } from "#ca/transport/sds/encode-secret";
import { createStreamCallers, type StreamCaller } from "#ca/transport/stream-callers";
import type { Clock } from "#platform/clock";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { createDiscovery, type Discovery } from "#xds/discovery";
import { aggregatedService } from "#xds/services";
import type { CaConfig } from "../../config/ca-model.ts";
import type { ObserveStream } from "./stream-metrics.ts";

export interface AuthorityDiscoveryParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** From 0 up to 1, for jitter. */
  readonly chance: () => number;
  readonly onStream: ObserveStream;
}

/** What callers of the authority get by streams: the bundle in force, the deny list, and keys where the configuration says so. */
export function openAuthorityDiscovery(
  { trustDomain, grpc }: Pick<CaConfig, "trustDomain" | "grpc">,
  { authorities, service, clientCertificate, revoked, denyList, rotation }: RunningAuthority,
  { clock, timers, log, chance, onStream }: AuthorityDiscoveryParts,
): Discovery {
  const { nowMillis } = clock;
  const callers = createStreamCallers({ clientCertificate, revoked, nowMillis, log });
  const { issue } = service;
  const isTrusted = (rootDer: Uint8Array) =>
    service.bundle().anchors.some(({ der }) => Buffer.compare(der, rootDer) === 0);
  const root = () => authorities.current().issuing?.root.der;
  const keys = grpc?.sdsKeys ? createCallerKeys({ issue, root, isTrusted, clock, timers, chance, log }) : undefined;
  const stopLooking = keys && authorities.subscribe(keys.lookAtRoots);
  const secrets = createAuthoritySecrets({
    trustDomain,
    bundle: service.bundle,
    onBundle: authorities.subscribe,
    callers,
    keys,
    log,
    nowMillis,
    onEvent(...heard) {
      onStream(...heard);
      rotation.lookSoon();
    },
  });
  const discovery = createDiscovery<StreamCaller>({
    types: [secrets, createDenyListResources(denyList, callers)],
    services: [{ service: secretService, typeUrl: secretTypeUrl }, { service: aggregatedService }],
    async callerOf({ connection }) {
      const caller = await callers.authenticate(connection);
      return "code" in caller ? caller : { caller, text: caller.id.toString(), fingerprint: caller.fingerprint };
    },
    clock,
    timers,
    log,
  });
  return {
    ...discovery,
    close() {
      stopLooking?.();
      discovery.close();
    },
  };
}
