import type { Server, Socket } from "node:net";

/** The connections of a server, for its end. */
export interface Sockets {
  /** Takes no new connections, and resolves when the last one is gone. Those left when the deadline aborts are cut off. */
  drain(deadline: AbortSignal): Promise<void>;
}

/** Keeps count of a server's connections from now on. */
export function trackSockets(server: Server): Sockets {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return {
    async drain(deadline) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const cut = () => {
        for (const socket of open) socket.destroy();
      };
      if (deadline.aborted) cut();
      else deadline.addEventListener("abort", cut, { once: true });
      await closed;
      deadline.removeEventListener("abort", cut);
    },
  };
}
