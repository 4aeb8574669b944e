import type { HeaderOption, Verdict } from "./check-verdict.ts";
import type { DownstreamRequest, OwnReply } from "./downstream.ts";
import { HeaderMap } from "./header-map.ts";

/** What came of a request. `upstream` tells how the filters left it for the upstream, compared with how they got it. */
export type Outcome =
  | { readonly kind: "forwarded"; readonly upstream: UpstreamView }
  /** `own`: Envoy's own answer, whatever the authorization server said. */
  | { readonly kind: "replied"; readonly reply: ClientView; readonly own: boolean }
  | { readonly kind: "closed" };

export interface UpstreamView {
  readonly path: string;
  /** Lines added or changed. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly removed: readonly string[];
}

/** A local reply as the client sees it. `body` undefined: an answer to HEAD has none. */
export interface ClientView {
  readonly status: number;
  /** Every line of each header, by name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string | undefined;
}

/** Applies an answer of the authorization server to a request. Fails closed. */
export function carryOut(verdict: Verdict, request: HeaderMap, protocol: DownstreamRequest["protocol"]): Outcome {
  switch (verdict.kind) {
    case "allow":
      return { kind: "forwarded", upstream: forward(verdict, request) };
    case "deny":
      return {
        kind: "replied",
        reply: localReply(request, verdict.status, verdict.body, verdict.headers, protocol),
        own: false,
      };
    case "error":
      return { kind: "replied", reply: localReply(request, 403, "", [], protocol), own: false };
  }
}

/** Envoy's own answer to a request that it refuses itself. */
export function ownReply(own: OwnReply, request: HeaderMap): Outcome {
  if (own.status === undefined) return { kind: "closed" };
  return { kind: "replied", reply: localReply(request, own.status, own.body, []), own: true };
}

/** ORDER: set, append, remove, query. */
function forward(verdict: Verdict & { kind: "allow" }, before: HeaderMap): UpstreamView {
  const after = before.copy();
  const edits = verdict.headers.filter((edit) => edit.value !== "" || edit.keepEmpty);
  for (const edit of edits) if (!edit.append) after.set(edit.name, edit.value);
  for (const edit of edits) {
    // A header that is not there is not appended to.
    if (edit.append && after.get(edit.name) !== undefined) after.append(edit.name, edit.value);
  }
  for (const name of verdict.remove) {
    if (!name.startsWith(":") && name.toLowerCase() !== "host") after.remove(name);
  }
  const path = editQuery(after.get(":path") ?? "", verdict);

  const names = [...new Set([...before.entries(), ...after.entries()].map(([name]) => name))];
  const changed = names.filter((name) => name !== ":path" && !sameLines(before.values(name), after.values(name)));
  return {
    path,
    set: changed.flatMap((name) => after.values(name).map((value): [string, string] => [name, value])),
    removed: changed.filter((name) => after.values(name).length === 0),
  };
}

function sameLines(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, i) => line === other[i]);
}

function editQuery(path: string, verdict: Verdict & { kind: "allow" }): string {
  if (verdict.setQuery.length === 0 && verdict.removeQuery.length === 0) return path;
  const cut = path.indexOf("?");
  const touched = new Set([...verdict.setQuery.map(([name]) => name), ...verdict.removeQuery]);
  const kept = (cut < 0 ? "" : path.slice(cut + 1))
    .split("&")
    .filter((pair) => pair !== "" && !touched.has(pair.split("=", 1)[0]!));
  const removed = new Set(verdict.removeQuery);
  const added = verdict.setQuery.filter(([name]) => !removed.has(name)).map(([name, value]) => `${name}=${value}`);
  const query = [...kept, ...added].join("&");
  return `${cut < 0 ? path : path.slice(0, cut)}${query === "" ? "" : `?${query}`}`;
}

/** Status of a gRPC call by the HTTP status of the answer; any other is 2 (UNKNOWN). */
const grpcStatuses: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);

/** Envoy's local reply: callers that speak gRPC get 200 with the status and the body's text in headers. */
function localReply(
  request: HeaderMap,
  status: number,
  body: string,
  edits: readonly HeaderOption[],
  /** Undefined: nobody looks at the headers that the codec adds. */
  protocol?: DownstreamRequest["protocol"],
): ClientView {
  const headers = new HeaderMap();
  for (const edit of edits) headers.remove(edit.name);
  for (const edit of edits) {
    if (!edit.append && (edit.value !== "" || edit.keepEmpty)) headers.receive(edit.name, edit.value);
  }
  const head = request.get(":method") === "HEAD";
  if (isGrpc(request.get("content-type"))) {
    if (headers.get("grpc-status") === undefined) headers.set("grpc-status", String(grpcStatuses.get(status) ?? 2));
    if (body !== "" && !head) headers.set("grpc-message", percentEncode(body));
    headers.remove("content-length");
    headers.set("content-type", "application/grpc");
    return { status: 200, headers: byName(headers), body: head ? undefined : "" };
  }
  if (body === "") {
    headers.remove("content-type");
  } else if (headers.get("content-type") === undefined) {
    headers.set("content-type", "text/plain");
  }
  if (protocol?.startsWith("HTTP/1")) addCodecHeaders(headers, status, body, head);
  const sent = status === 204 || status === 304 ? "" : body;
  return { status, headers: byName(headers), body: head ? undefined : sent };
}

/** Statuses after which Envoy closes an HTTP/1 connection. */
const closing: ReadonlySet<number> = new Set([400, 408, 413, 431]);

/** What the HTTP/1 codec adds to a reply: how one without a length ends, and that the connection does. */
function addCodecHeaders(headers: HeaderMap, status: number, body: string, head: boolean): void {
  if (head && body === "") headers.set("transfer-encoding", "chunked");
  if (closing.has(status)) headers.set("connection", "close");
}

/** Exactly `application/grpc`, or it and a `+`; case counts. */
function isGrpc(contentType: string | undefined): boolean {
  return contentType === "application/grpc" || contentType?.startsWith("application/grpc+") === true;
}

function percentEncode(text: string): string {
  return text.replace(/[^ -}]|%/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

function byName(headers: HeaderMap): ReadonlyMap<string, readonly string[]> {
  return new Map(headers.entries().map(([name]) => [name, headers.values(name)]));
}
