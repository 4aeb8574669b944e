/** `fork`ed with a certificate's and its key's files: serves one secret to whoever comes, tells its port, and pushes a new version at each message. A version is the time of its push, in microseconds. */

import { readFileSync } from "node:fs";
import { systemClock } from "#platform/clock";
import { defaultDoorLimits } from "#platform/door/door";
import { serveGrpc } from "#platform/grpc/serve";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import type { Resource, ResourceType } from "#xds/contract";
import { createDiscovery } from "#xds/discovery";
import { secretSizeBytes, secretTypeUrl } from "./xds-push.ts";

const [, , certFile = "", keyFile = ""] = process.argv;
const { log } = createLog({ level: "warn" });
const listeners = new Set<() => void>();
const version = () => String(Math.round((performance.timeOrigin + performance.now()) * 1000));
const make = (): Resource => ({ name: "ROOTCA", version: version(), body: new Uint8Array(secretSizeBytes).fill(65) });
let secret = make();
const type: ResourceType<undefined> = {
  typeUrl: secretTypeUrl,
  open: () => ({
    lookUp: (name) => (name === secret.name ? secret : undefined),
    wildcard: () => [],
    ended: () => undefined,
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  }),
};
const discovery = createDiscovery<undefined>({
  types: [type],
  services: [{ service: "envoy.service.secret.v3.SecretDiscoveryService", typeUrl: secretTypeUrl }],
  callerOf: () => ({ caller: undefined, text: "anybody", fingerprint: undefined }),
  clock: systemClock,
  timers: systemTimers,
  log,
});
const door = await serveGrpc(
  {
    name: "bench",
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    tls: { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    limits: { ...defaultDoorLimits, connectionsPerAddress: 20_000 },
    log,
  },
  discovery,
);
process.on("message", () => {
  secret = make();
  for (const changed of listeners) changed();
});
process.once("disconnect", () => process.exit());
process.send?.(door.address.kind === "tcp" ? door.address.port : 0);
