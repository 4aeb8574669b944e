import { renderBundleJwks } from "#ca/bundle/render-jwks";
import { renderBundlePem } from "#ca/bundle/render-pem";
import type { RunningAuthority } from "#ca/service/open-authority";
import { serveHttp } from "#ca/transport/http/serve";
import { serveIstio } from "#ca/transport/istio/serve";
import { type Address, renderAddress } from "#platform/address";
import type { Clock } from "#platform/clock";
import { CodedError } from "#platform/coded-error";
import { type Door, type DoorTls, defaultDoorLimits } from "#platform/door/door";
import type { GrpcMethods } from "#platform/grpc/contract";
import type { Log } from "#platform/log";
import type { CaConfig } from "../../config/ca-model.ts";

/** The doors of the authority that are open. */
export interface AuthorityDoors {
  readonly addresses: readonly { readonly name: string; readonly address: Address }[];
  /** From the next connection on. */
  updateTls(tls: DoorTls): void;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Consumers of the bundle should look again so often. */
const refreshHintSeconds = 300;

/** Opens those that are configured. Fails with `listen/failed`; then none is open. */
export async function openAuthorityDoors(
  config: CaConfig,
  { service, serving }: Pick<RunningAuthority, "service" | "serving">,
  discovery: GrpcMethods,
  tls: DoorTls | undefined,
  { clock, version, log }: { readonly clock: Clock; readonly version: string; readonly log: Log },
): Promise<AuthorityDoors> {
  const open: { readonly name: string; readonly door: Door; readonly secure: boolean }[] = [];
  const start = (name: string, address: Address, material: DoorTls | undefined) => ({
    name,
    address,
    tls: material,
    limits: defaultDoorLimits,
    log,
  });
  const http = {
    service,
    version,
    nowMillis: clock.nowMillis,
    renderPem: renderBundlePem,
    renderJwks: (bundle: Parameters<typeof renderBundlePem>[0]) => renderBundleJwks(bundle, refreshHintSeconds),
  };
  try {
    if (config.grpc !== undefined) {
      const material = config.grpc.plaintext ? undefined : tls;
      const door = await serveIstio({
        ...start("ca-grpc", config.grpc.address, material),
        service,
        serving,
        discovery,
      });
      open.push({ name: "grpc", door, secure: material !== undefined });
    }
    if (config.http !== undefined) {
      const hosts = new Set(config.serverNames.map(hostText));
      const door = await serveHttp({ ...http, hosts }, start("ca-http", config.http.address, tls));
      open.push({ name: "http", door, secure: true });
    }
    if (config.socket !== undefined) {
      const address = { kind: "unix", path: config.socket } as const;
      const door = await serveHttp({ ...http, hosts: undefined }, start("ca-socket", address, undefined));
      open.push({ name: "socket", door, secure: false });
    }
  } catch (fault) {
    await Promise.all(open.map(({ door }) => door.stop(AbortSignal.abort())));
    if (!(fault instanceof CodedError)) throw fault;
    throw new CodedError(fault.code, `certificate authority: ${fault.message}`, { cause: fault });
  }
  for (const { name, door } of open)
    log.info({ listener: `ca-${name}`, address: renderAddress(door.address) }, "listening");
  return {
    addresses: open.map(({ name, door }) => ({ name, address: door.address })),
    updateTls(next) {
      for (const { door, secure } of open) if (secure) door.updateTls(next);
    },
    async stop(deadline) {
      await Promise.all(open.map(({ door }) => door.stop(deadline)));
    },
  };
}

function hostText(name: string): string {
  return name.includes(":") ? `[${name.toLowerCase()}]` : name.toLowerCase();
}
