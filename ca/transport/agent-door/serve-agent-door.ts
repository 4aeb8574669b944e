import type { BundleStanding, ServedIdentity } from "#ca/agent/contract";
import { LocalStanding, type LocalStream } from "#ca/agent/local-standing";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { Clock } from "#platform/clock";
import { type Door, defaultDoorLimits } from "#platform/door/door";
import { createHealthCheck, healthPath } from "#platform/grpc/health";
import { serveGrpc } from "#platform/grpc/serve";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { StreamStatus } from "#xds/contract";
import { createDiscovery } from "#xds/discovery";
import { bundleStreams } from "../sds/bundle-streams.ts";
import { secretService, secretTypeUrl } from "../sds/encode-secret.ts";
import { createSecretType } from "../sds/secret-type.ts";
import { createWorkloadApi, type WorkloadStream } from "../workload-api/serve-workloads.ts";
import { createLocalSecrets } from "./local-secrets.ts";

export interface AgentDoorStart {
  readonly served: ServedIdentity;
  /** Path; its folder must exist. */
  readonly socket: string;
  readonly socketMode: number;
  /** Local streams answered, came or went. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

export interface AgentDoor {
  /** What the streams of this door have of a version of the bundle. */
  standing(version: string): BundleStanding;
  status(): { readonly streams: readonly StreamStatus[]; readonly workloads: readonly WorkloadStream[] };
  stop: Door["stop"];
}

/** Opens the socket of an identity. Fails with `listen/failed`. */
export async function serveAgentDoor(start: AgentDoorStart): Promise<AgentDoor> {
  const { served, socket, socketMode, onChange, clock, timers, log } = start;
  const { trustDomain } = served.spiffeId;
  const name = served.spiffeId.toString();
  const secrets = createLocalSecrets(served);
  const discovery = createDiscovery({
    types: [
      createSecretType({
        trustDomain,
        open: () => secrets,
        observe({ kind, stream, name: secret, version, message }) {
          if (kind === "rejected")
            log.warn({ spiffeId: name, node: stream.node, secret, version, fault: message }, "a secret was rejected");
          onChange();
        },
      }),
    ],
    services: [{ service: secretService, typeUrl: secretTypeUrl }],
    // Whoever can open the socket has the identity.
    callerOf: () => ({ caller: undefined, text: name, fingerprint: undefined }),
    clock,
    timers,
    log,
  });
  const workloads = createWorkloadApi({ served, nowMillis: clock.nowMillis, onChange });
  const kept = served.bundle();
  const standing = new LocalStanding(clock.monotonicMillis, kept && bundleVersion(kept));
  const isServing = () => served.certificate() !== undefined;
  const door = await serveGrpc(
    {
      name,
      address: { kind: "unix", path: socket },
      socketMode,
      tls: undefined,
      limits: defaultDoorLimits,
      log,
    },
    {
      unary: new Map([...discovery.unary, ...workloads.unary, [healthPath, createHealthCheck(isServing, [])]]),
      streams: new Map([...discovery.streams, ...workloads.streams]),
    },
  );
  const envoyStreams = () => discovery.status().flatMap((stream) => envoyStream(stream, trustDomain));
  return {
    standing: (version) => standing.of(version, [...envoyStreams(), ...workloads.open().map(workloadStream)]),
    status: () => ({ streams: discovery.status(), workloads: workloads.open() }),
    async stop(deadline) {
      discovery.close();
      await door.stop(deadline);
    },
  };
}

/** What a stream has of the bundle, by each name under which it asked for it. */
function envoyStream(stream: StreamStatus, trustDomain: string): readonly LocalStream[] {
  return bundleStreams([stream], trustDomain).map(({ acknowledged, rejected }, i) => ({
    id: `envoy ${stream.id} ${i}`,
    acknowledged,
    rejected,
  }));
}

function workloadStream(stream: WorkloadStream): LocalStream {
  return { id: `workload ${stream.id}`, acknowledged: stream.bundleVersion, rejected: undefined };
}
