import type { AdminDoor, AdminParts } from "#authz/transport/admin/contract";
import type { AdminServer } from "#authz/transport/admin/serve";
import type { AdminConfig } from "#cli/config/model";
import { type Address, isLocal, renderAddress } from "#platform/address";
import { CodedError } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { readSecret } from "#platform/secret";
import { loadTlsMaterial, type TlsMaterial } from "#platform/tls-material";

/** The doors of the admin API that run. */
export interface AdminDoors {
  readonly addresses: readonly string[];
  stop(deadline: AbortSignal): Promise<void>;
}

export interface PreparedAdmin {
  readonly config: AdminConfig;
  readonly tls: TlsMaterial | undefined;
  readonly token: Uint8Array | undefined;
  /** Equal texts: nothing has changed. */
  readonly mark: string;
}

/** Reads the files that the admin API needs. */
export async function prepareAdmin(config: AdminConfig): Promise<PreparedAdmin> {
  const [tls, token] = await Promise.all([
    config.tls === undefined ? undefined : loadTlsMaterial(config.tls),
    config.tokenFile === undefined ? undefined : readSecret(config.tokenFile),
  ]);
  const files = [tls?.cert, tls?.key, tls?.ca, token].map((bytes) => Buffer.from(bytes ?? "").toString("base64"));
  return { config, tls, token, mark: JSON.stringify([config, files]) };
}

/** Opens the doors that are configured: a TCP address, a Unix socket, or both. */
export async function openAdmin(prepared: PreparedAdmin, parts: AdminParts, log: Log): Promise<AdminDoors> {
  // PERF: the web framework is loaded after the listeners answer.
  const { serveAdmin } = await import("#authz/transport/admin/serve");
  const { address, socket } = prepared.config;
  const servers: AdminServer[] = [];
  try {
    if (socket !== undefined) servers.push(await serveAdmin(parts, socketDoor, { kind: "unix", path: socket }, log));
    if (address !== undefined) servers.push(await serveAdmin(parts, tcpDoor(prepared, address), address, log));
  } catch (fault) {
    await Promise.all(servers.map((server) => server.stop(AbortSignal.abort())));
    if (!(fault instanceof CodedError)) throw fault;
    throw new CodedError(fault.code, `admin API: ${fault.message}`, { cause: fault });
  }
  for (const server of servers) log.info({ listener: "admin", address: renderAddress(server.address) }, "listening");
  return {
    addresses: servers.map((server) => renderAddress(server.address)),
    async stop(deadline) {
      await Promise.all(servers.map((server) => server.stop(deadline)));
    },
  };
}

/** Who can open the socket is the owner of the process. */
const socketDoor: AdminDoor = {
  reads: "open",
  writes: "open",
  hosts: undefined,
  token: () => undefined,
  tls: undefined,
};

function tcpDoor({ tls, token }: PreparedAdmin, address: Address): AdminDoor {
  const credentials = token !== undefined || tls?.ca !== undefined;
  const local = isLocal(address);
  return {
    reads: local ? "open" : "credential",
    writes: credentials ? "credential" : "closed",
    hosts: local ? new Set(["localhost", "127.0.0.1", "[::1]", hostText(address)]) : undefined,
    token: () => token,
    tls,
  };
}

function hostText(address: Address): string {
  if (address.kind === "unix") return "localhost";
  return address.host.includes(":") ? `[${address.host.toLowerCase()}]` : address.host.toLowerCase();
}
