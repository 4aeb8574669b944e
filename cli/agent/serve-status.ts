import { createServer } from "node:http";
import type { Part } from "#platform/lifecycle";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import type { AgentStatusShape } from "./status-shape.ts";

export const statusPath = "/v1/status";

/** Serves the status as JSON at a Unix socket, mode 0600. Fails with `listen/failed`. */
export async function serveAgentStatus(path: string, status: () => AgentStatusShape): Promise<Part> {
  const server = createServer((request, response) => {
    const isAsked = request.method === "GET" && request.url === statusPath;
    response.writeHead(isAsked ? 200 : 404, { "content-type": "application/json", connection: "close" });
    response.end(isAsked ? JSON.stringify(status()) : '{"error":"there is nothing here"}');
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 16;
  const sockets = trackSockets(server);
  await listen(server, { kind: "unix", path }, 0o600);
  return { name: "status socket", stop: (deadline) => sockets.drain(deadline) };
}
