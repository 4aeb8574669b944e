import { h2, headerValues, http1, type RawResponse } from "./clients.ts";
import type { EchoedRequest } from "./echo-upstream.ts";

/** What a request came to: what the upstream saw of it, or what the client was answered instead. */
export type Outcome =
  | { readonly to: "upstream"; readonly target: string; readonly headers: readonly string[]; readonly body: string }
  | { readonly to: "client"; readonly status: number; readonly headers: readonly string[]; readonly body: string };

/** A request as a client writes it; `h2` and `grpc` know no line for the version and no `host`. */
export interface Sent {
  readonly by?: "http1" | "h2" | "grpc";
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export const authority = "orders.shop";

/** Envoy's own, of one connection or of one request. */
const passedOver =
  /^(?:x-request-id|x-forwarded-proto|x-envoy-.*|date|server|connection|transfer-encoding|content-length)$/;

/** Sends a request through a port of Envoy to an echo upstream. */
export async function outcomeOf(port: number, sent: Sent): Promise<Outcome> {
  const response = await (sent.by === undefined || sent.by === "http1" ? overHttp1(port, sent) : overHttp2(port, sent));
  if (headerValues(response, "x-upstream").length === 0) {
    const { status, body } = response;
    return { to: "client", status, headers: listed(response.headers), body };
  }
  const { target, rawHeaders, body } = JSON.parse(Buffer.from(response.body, "latin1").toString()) as EchoedRequest;
  const pairs = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]!] as const] : [],
  );
  return { to: "upstream", target, headers: listed(pairs), body };
}

/** Lines of a header that the upstream saw, or of the answer to the client. */
export function linesOf({ headers }: Outcome, name: string): readonly string[] {
  return headers.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
}

function overHttp1(port: number, { method = "GET", path = "/orders", headers = [], body }: Sent): Promise<RawResponse> {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (body !== undefined) lines.push(`content-length: ${body.length}`);
  return http1(
    port,
    [`${method} ${path} HTTP/1.1`, `host: ${authority}`, ...lines],
    body === undefined ? {} : { body },
  );
}

async function overHttp2(
  port: number,
  { by, method, path = "/orders", headers = [], body }: Sent,
): Promise<RawResponse> {
  const grpc = by === "grpc" ? { "content-type": "application/grpc", te: "trailers" } : {};
  const lines = new Map<string, string[]>();
  for (const [name, value] of headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  const answer = await h2(
    port,
    {
      ":method": method ?? (by === "grpc" ? "POST" : "GET"),
      ":path": path,
      ":authority": authority,
      ...grpc,
      ...Object.fromEntries(lines),
    },
    body === undefined && by !== "grpc" ? {} : { body: Buffer.from(body ?? "", "latin1") },
  );
  const told = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(":") || value === undefined ? [] : [[name, String(value)]],
  );
  return {
    status: Number(answer.headers[":status"]),
    headers: told,
    body: Buffer.from(answer.body).toString("latin1"),
  };
}

/** Between names order says nothing; lines of one name keep theirs. */
function listed(pairs: Iterable<readonly [name: string, value: string]>): readonly string[] {
  const found = [...pairs].filter(([name]) => !passedOver.test(name));
  return found.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([name, value]) => `${name}: ${value}`);
}
