import type { Expectation } from "../cases/case.ts";
import { headerValues, type RawResponse } from "../envoy/clients.ts";
import type { EchoedRequest } from "../envoy/echo-upstream.ts";
import { tellingHeaders } from "./oracle-config.ts";

const toldHeaders = ["www-authenticate", "location", "grpc-status", "grpc-message", "content-type"] as const;

/** What Envoy made of a case. */
export interface Recorded {
  readonly expect: Expectation;
  /** The application sees another target than without filters: a token was taken out of the query. */
  readonly targetEdited: boolean;
}

/** Did the request come through to the application? */
export function cameThrough(response: RawResponse | undefined): boolean {
  return response !== undefined && headerValues(response, "x-upstream").length > 0;
}

/**
 * What is recorded of an answer, in the form of the cases. `bare`: what the application saw of the same request without
 * filters; needed when it came through, because only the difference is told.
 */
export function observe(method: string, response: RawResponse | undefined, bare: RawResponse | undefined): Recorded {
  if (response === undefined) {
    const details = "connection closed without a reply";
    return { expect: { decision: "deny", status: null, body: null, rule: null, details }, targetEdited: false };
  }
  if (!cameThrough(response)) return { expect: denial(method, response), targetEdited: false };
  const rule = headerValues(response, tellingHeaders.rule)[0] ?? "-";
  const allow = { decision: "allow", status: 200, body: null, rule: rule === "-" ? null : rule } as const;
  if (method === "HEAD") return { expect: allow, targetEdited: false };
  const before = seenBy(bare);
  const after = seenBy(response);
  return { expect: { ...allow, upstream: upstreamView(before, after) }, targetEdited: before.target !== after.target };
}

function denial(method: string, response: RawResponse): Expectation {
  const details = headerValues(response, tellingHeaders.details)[0] ?? "";
  const told = toldHeaders.flatMap((name) =>
    headerValues(response, name).map((value): [string, string] => [name, value]),
  );
  return {
    decision: "deny",
    status: response.status,
    ...(method === "HEAD" ? {} : { body: response.body }),
    rule: /^rbac_access_denied_matched_policy\[(.*)\]$/.exec(details)?.[1] ?? null,
    headers: Object.fromEntries(told),
    details,
  };
}

function seenBy(response: RawResponse | undefined): EchoedRequest {
  if (response === undefined || !cameThrough(response))
    throw new Error("the same request without filters did not come through");
  // Node writes the echo as UTF-8 of what it read as Latin-1.
  const seen = JSON.parse(Buffer.from(response.body, "latin1").toString("utf8")) as EchoedRequest;
  if (seen.rawHeaders.length === 0) throw new Error(`the application could not read ${JSON.stringify(seen)}`);
  return seen;
}

function upstreamView(before: EchoedRequest, after: EchoedRequest): NonNullable<Expectation["upstream"]> {
  const linesBefore = linesOf(before);
  const linesAfter = linesOf(after);
  const names = [...new Set([...linesBefore.keys(), ...linesAfter.keys()])];
  const changed = names.filter(
    (name) => JSON.stringify(linesBefore.get(name)) !== JSON.stringify(linesAfter.get(name)),
  );
  return {
    path: after.target,
    set: changed.flatMap((name) => (linesAfter.get(name) ?? []).map((value): [string, string] => [name, value])),
    removed: changed.filter((name) => !linesAfter.has(name)),
  };
}

/** Without the id of the request, which is random. */
function linesOf({ rawHeaders }: EchoedRequest): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (name !== "x-request-id") lines.set(name, [...(lines.get(name) ?? []), rawHeaders[i + 1]!]);
  }
  return lines;
}
