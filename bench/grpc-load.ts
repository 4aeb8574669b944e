import { connect } from "node:http2";
import type { CheckMessage } from "#cli/request/check-message";
import { callUnary, frame } from "./grpc-call.ts";

export interface Load {
  readonly address: string;
  readonly connections: number;
  readonly streams: number;
  readonly requests: number;
}

/**
 * Sends `requests` checks over `connections` with `streams` in flight each, as Envoy's built-in client does: one unary call a stream. Resolves when all were
 * answered with `grpc-status: 0`; rejects at the first that was not. Bounded by the count.
 */
export async function sendChecks(load: Load, messages: readonly CheckMessage[]): Promise<void> {
  const frames = messages.map((each) => ({ body: frame(each.message), headers: metadataOf(each) }));
  let sent = 0;
  const one = async (session: ReturnType<typeof connect>): Promise<void> => {
    const { body, headers } = frames[sent % frames.length]!;
    await callUnary(session, "/envoy.service.auth.v3.Authorization/Check", body, {
      "grpc-timeout": "1000m",
      ...headers,
    });
  };
  const lane = async (session: ReturnType<typeof connect>): Promise<void> => {
    while (sent < load.requests) {
      sent += 1;
      await one(session);
    }
  };
  const sessions = Array.from({ length: load.connections }, () => {
    const session = connect(`http://${load.address}`);
    // Its streams fail with it, and they are waited for.
    session.on("error", () => {});
    return session;
  });
  try {
    await Promise.all(sessions.flatMap((session) => Array.from({ length: load.streams }, () => lane(session))));
  } finally {
    for (const session of sessions) session.close();
  }
}

const metadataNames = ["peer", "remote", "tls", "uris", "dns", "subject"].map((name) => `x-garita-${name}`);

function metadataOf(check: CheckMessage): Record<string, string> {
  return Object.fromEntries(metadataNames.map((name) => [name, check.metadata.get(name)[0] ?? "[]"]));
}
