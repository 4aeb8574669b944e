import type { TestContext } from "node:test";
import { secretService, secretTypeUrl } from "#ca/transport/sds/encode-secret";
import { openChannel } from "#platform/grpc/open-channel";
import { systemTimers } from "#platform/timers";
import { silentLog } from "#test/support/ca/silent-log";
import { type Acknowledgement, followDelta } from "#xds/client/follow-delta";
import type { Resource } from "#xds/contract";

/** A client of an agent's SDS, as Envoy is one; what it says of an update is the test's to decide. */
export interface LocalEnvoy {
  /** Updates that were not answered yet. */
  readonly waiting: { readonly resources: readonly Resource[]; readonly acknowledgement: Acknowledgement }[];
  /** What it was sent last, by name. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly removed: ReadonlySet<string>;
  close(): void;
}

/** It ends with the test. `accepts`: it takes everything at once. */
export function localEnvoy(
  t: TestContext,
  socket: string,
  names: readonly string[],
  { accepts }: { readonly accepts: boolean },
): LocalEnvoy {
  const channel = openChannel({ address: { kind: "unix", path: socket }, tls: undefined, keepaliveMillis: 30_000 });
  const waiting: LocalEnvoy["waiting"] = [];
  const resources = new Map<string, Resource>();
  const removed = new Set<string>();
  const following = followDelta({
    channel,
    path: `/${secretService}/DeltaSecrets`,
    typeUrl: secretTypeUrl,
    names,
    node: "sidecar~10.0.0.1~web",
    initialVersions: new Map(),
    timers: systemTimers,
    chance: () => 0,
    log: silentLog,
    onUpdate(update, acknowledgement) {
      for (const resource of update.resources) resources.set(resource.name, resource);
      for (const name of update.removed) removed.add(name);
      if (accepts) acknowledgement.accept();
      else waiting.push({ resources: update.resources, acknowledgement });
    },
  });
  const close = () => {
    following.close();
    channel.close();
  };
  t.after(close);
  return { waiting, resources, removed, close };
}
