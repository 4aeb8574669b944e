import type { GrpcCheck, HttpCheck } from "#authz/check/contract";
import type { Health } from "#authz/transport/grpc/health";
import type { ListenerStart } from "#authz/transport/listener";
import type { StartListener } from "./listener-set.ts";

export interface ListenerParts extends Pick<ListenerStart, "observe" | "log" | "monotonicMillis"> {
  readonly grpcCheck: GrpcCheck;
  readonly httpCheck: HttpCheck;
  readonly health: Health;
}

/** Opens listeners of either protocol. PERF: a protocol that is not configured is not loaded. */
export function startListener(parts: ListenerParts): StartListener {
  return async ({ config, settings, tls }) => {
    const start = { settings, tls, address: config.address, unixMode: config.unixMode, ...parts };
    if (config.protocol === "grpc") {
      const { serveGrpc } = await import("#authz/transport/grpc/serve");
      return serveGrpc({ ...start, check: parts.grpcCheck });
    }
    const { serveHttp } = await import("#authz/transport/http/serve");
    return serveHttp({ ...start, check: parts.httpCheck });
  };
}
