import type { ProviderHeader, ProviderQuestion } from "#authz/custom/contract";
import { editRequest } from "#authz/custom/edit-request";
import { isHeaderLine } from "#authz/custom/header-line";
import { ProviderFault } from "#authz/custom/provider-fault";
import type { Answer } from "#authz/custom/transport";
import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import { matchesHeader } from "#policy-compiler/ruleset/providers/header-pattern";
import type { HttpOptions } from "#policy-compiler/ruleset/providers/options";
import type { HttpReply } from "./send.ts";

/** Names of request headers that are to go, in a comma list that may come several times. */
const HEADERS_TO_REMOVE = "x-envoy-auth-headers-to-remove";

/** Passed to the client of a refusal whatever the options list. */
const alwaysToClient: ReadonlySet<string> = new Set(["www-authenticate", "location"]);

/** Written anew by whoever answers the client. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-connection",
  "server",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * What an answer comes to for Envoy (`RawHttpClientImpl::toResponse`): 200 allows, 500 to 599 is a failure, any other status refuses and goes to
 * the client with its body. Throws a `ProviderFault` for a failure.
 */
export function readHttpAnswer(reply: HttpReply, options: HttpOptions, { http }: ProviderQuestion): Answer {
  const { status } = reply;
  if (status >= 500 && status <= 599) throw new ProviderFault(`an answer with status ${status}`);
  const lines = reply.headers.map(([name, value]) => [toAsciiLowerCase(name), value] as const);
  if (status !== 200) {
    return {
      kind: "denied",
      status,
      headers: headersOf(
        lines.filter(([name]) => !ofConnection.has(name) && isForClient(name, options)),
        false,
      ),
      body: reply.body?.toString("latin1") ?? "",
    };
  }
  if (http === undefined) throw new ProviderFault("an HTTP provider knows no connections");
  const remove = lines.filter(([name]) => name === HEADERS_TO_REMOVE).flatMap(([, value]) => commaList(value));
  const others = lines.filter(([name]) => name !== HEADERS_TO_REMOVE);
  const set = others.filter(([name]) => matchesHeader(options.upstreamOnAllow, name));
  const edited = editRequest(http.request, { set, append: [], remove, setQuery: [], removeQuery: [] });
  if (!edited.ok) return { kind: "malformed", fault: edited.fault };
  return {
    kind: "allowed",
    request: edited.request.edited ? edited.request : undefined,
    responseHeaders: headersOf(
      others.filter(([name]) => matchesHeader(options.downstreamOnAllow, name)),
      true,
    ),
    failedOpen: undefined,
  };
}

/** Without a list every header is for the client. */
function isForClient(name: string, { downstreamOnDeny }: HttpOptions): boolean {
  if (name === HEADERS_TO_REMOVE) return false;
  return downstreamOnDeny.length === 0 || alwaysToClient.has(name) || matchesHeader(downstreamOnDeny, name);
}

/** `add`: to the upstream's own; else in their place, all lines of a name together. */
function headersOf(
  lines: readonly (readonly [name: string, value: string])[],
  add: boolean,
): readonly ProviderHeader[] {
  const seen = new Set<string>();
  return lines.flatMap(([name, value]) => {
    if (!isHeaderLine(name, value)) return [];
    const header = { name, value, add: add || seen.has(name) };
    seen.add(name);
    return [header];
  });
}

function commaList(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
