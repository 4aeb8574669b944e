import { createServer, type IncomingMessage } from "node:http";
import type { Part } from "#platform/lifecycle";
import { listen } from "#platform/listen";
import { trackSockets } from "#platform/sockets";
import type { RunningAgent } from "./start-agent.ts";

export const statusPath = "/v1/status";
/** POST; `?id=SPIFFE-ID`: that identity alone. */
export const renewPath = "/v1/renew";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Serves the status as JSON, and has identities renewed, at a Unix socket, mode 0600. Fails with `listen/failed`. */
export async function serveAgentStatus(path: string, agent: Pick<RunningAgent, "status" | "renew">): Promise<Part> {
  const server = createServer((request, response) => {
    answer(request, agent).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(body));
    });
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 16;
  const sockets = trackSockets(server);
  await listen(server, { kind: "unix", path }, 0o600);
  return { name: "status socket", stop: (deadline) => sockets.drain(deadline) };
}

async function answer(
  { method, url = "" }: IncomingMessage,
  agent: Pick<RunningAgent, "status" | "renew">,
): Promise<Answer> {
  const asked = URL.parse(url, "http://agent");
  if (method === "GET" && asked?.pathname === statusPath) return { status: 200, body: agent.status() };
  if (method !== "POST" || asked?.pathname !== renewPath)
    return { status: 404, body: { error: "there is nothing here" } };
  const renewed = await agent.renew(asked.searchParams.get("id") ?? undefined);
  if (renewed === undefined) return { status: 404, body: { error: "the agent has no such identity" } };
  return { status: 200, body: renewed };
}
