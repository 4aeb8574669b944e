import type { Server as TlsServer } from "node:tls";
import type { Address } from "#platform/address";
import { guardClients } from "#platform/guard-clients";
import { listen } from "#platform/listen";
import type { Log } from "#platform/log";
import { trackSockets } from "#platform/sockets";
import { secureContextOptions, type TlsMaterial } from "#platform/tls-material";
import { createAdminApp, serverOf, tlsServerOf } from "./app.ts";
import type { AdminDoor, AdminParts } from "./contract.ts";

/** A door of the admin API that answers. */
export interface AdminServer {
  readonly address: Address;
  /** From the next connection on. */
  updateTls(tls: TlsMaterial): void;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Only the owner of the process may open the admin socket: it takes writes. */
const socketMode = 0o600;

/** Starts one door of the admin API. */
export async function serveAdmin(parts: AdminParts, door: AdminDoor, address: Address, log: Log): Promise<AdminServer> {
  let tls = door.tls;
  const app = await createAdminApp(parts, door);
  const server = serverOf(app);
  if (tls !== undefined) {
    guardClients(
      server as TlsServer,
      () => tls!,
      (reason, remote) => log.warn({ listener: "admin", remote, reason }, "client refused"),
    );
  }
  const sockets = trackSockets(server);
  const bound = await listen(server, address, socketMode);
  return {
    address: bound,
    updateTls(next) {
      tlsServerOf(app).setSecureContext(secureContextOptions(next));
      tls = next;
    },
    async stop(deadline) {
      const drained = sockets.drain(deadline);
      app.server.closeIdleConnections();
      await drained;
      await app.close();
    },
  };
}
