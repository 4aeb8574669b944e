import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import type { RunningEnvoy } from "./run-envoy.ts";

const WAIT_MILLIS = 60_000;

/** What Envoy logged of a request or connection; `null` where there is nothing. */
export interface LoggedDecision {
  readonly kind: "access";
  readonly path: string | null;
  /** Header `x-case` of the request. */
  readonly case: string | null;
  readonly code: number;
  readonly details: string | null;
  readonly decision_id: string | null;
  readonly outcome: string | null;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly digest: string | null;
}

/** An access log that prints, as a line of JSON, everything that Garita published about a decision, and what rules add (`more`). */
export function decisionLog(
  filter: "envoy.filters.http.ext_authz" | "envoy.filters.network.ext_authz",
  more: readonly string[] = [],
): JsonObject {
  const told = ["decision_id", "outcome", "rule", "reason", "digest", ...more];
  return {
    name: "envoy.access_loggers.stdout",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
      log_format: {
        json_format: {
          kind: "access",
          path: "%REQ(:PATH)%",
          case: "%REQ(X-CASE)%",
          code: "%RESPONSE_CODE%",
          details: "%RESPONSE_CODE_DETAILS%",
          ...Object.fromEntries(told.map((key) => [key, `%DYNAMIC_METADATA(${filter}:${key})%`])),
        },
      },
    },
  };
}

/** The logged decisions, once there are so many that are as wanted. */
export async function loggedDecisions(
  envoy: RunningEnvoy,
  wanted: (line: LoggedDecision) => boolean,
  count = 1,
): Promise<LoggedDecision[]> {
  const deadline = Date.now() + WAIT_MILLIS;
  let found: LoggedDecision[] = [];
  while (Date.now() < deadline) {
    await envoy.admin("/reopen_logs", "POST");
    const lines = (await envoy.log()).split("\n").slice(0, -1);
    found = lines.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as LoggedDecision);
    found = found.filter((line) => line.kind === "access" && wanted(line));
    if (found.length >= count) return found;
    await delay(20);
  }
  throw new Error(`expected ${count} lines of Envoy's access log, found ${found.length}`);
}
