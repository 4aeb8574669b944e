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
import { createWorkloadApi, type WorkloadStream } from "../workload-api/serve-workloads.ts";

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
  const { served, socket, socketMode, onChange, clock, log } = start;
  const workloads = createWorkloadApi({ served, nowMillis: clock.nowMillis, onChange });
  const kept = served.bundle();
  const standing = new LocalStanding(clock.monotonicMillis, kept && bundleVersion(kept));
  const isServing = () => served.certificate() !== undefined;
  const door = await serveGrpc(
    {
      name: served.spiffeId.toString(),
      address: { kind: "unix", path: socket },
      socketMode,
      tls: undefined,
      limits: defaultDoorLimits,
      log,
    },
    {
      unary: new Map([...workloads.unary, [healthPath, createHealthCheck(isServing, [])]]),
      streams: workloads.streams,
    },
  );
  return {
    standing: (version) => standing.of(version, [...workloads.open().map(workloadStream)]),
    status: () => ({ streams: [], workloads: workloads.open() }),
    stop: door.stop,
  };
}

function workloadStream(stream: WorkloadStream): LocalStream {
  return { id: `workload ${stream.id}`, acknowledged: stream.bundleVersion, rejected: undefined };
}
