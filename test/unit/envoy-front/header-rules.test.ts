import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Admitted, admit } from "#test/support/envoy-front/admit";
import { readHttp1 } from "#test/support/envoy-front/codec-http1";
import { readHttp2 } from "#test/support/envoy-front/codec-http2";
import { prepareRequest } from "#test/support/envoy-front/connection-manager";
import { type Connection, type DownstreamRequest, isEdge, type Listener } from "#test/support/envoy-front/downstream";
import { HeaderMap } from "#test/support/envoy-front/header-map";

/**
 * Header lines in, header lines as policies see them out; text: the details of Envoy's own answer. Pseudo headers and what
 * Envoy makes on every request are left out, unless the row asks for the name.
 */
interface Row {
  readonly says: string;
  readonly kind?: Listener["kind"];
  readonly trusted?: number;
  readonly protocol?: DownstreamRequest["protocol"];
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string | null;
  readonly omit?: readonly string[];
  readonly tls?: boolean;
  readonly certificate?: boolean;
  readonly proxy?: string;
  readonly peer?: string;
  readonly lines?: readonly (readonly [string, string])[];
  readonly scheme?: string;
  readonly ask?: string;
  readonly sees: readonly string[] | string;
}

const h2 = "HTTP/2";
const rows: readonly Row[] = [
  {
    says: "unlisted names stay line by line",
    lines: [
      ["X-Role", "user"],
      ["x-role", "admin"],
    ],
    ask: "x-role",
    sees: ["user", "admin"],
  },
  { says: "one line with a comma stays one line", lines: [["x-a", "a,b"]], ask: "x-a", sees: ["a,b"] },
  {
    says: "slots are merged by a comma",
    lines: [
      ["User-Agent", "v1"],
      ["user-agent", "v2"],
    ],
    ask: "user-agent",
    sees: ["v1,v2"],
  },
  {
    says: "an empty second line adds nothing",
    lines: [
      ["accept", "text/html"],
      ["accept", ""],
    ],
    ask: "accept",
    sees: ["text/html"],
  },
  {
    says: "an empty first line adds nothing",
    lines: [
      ["user-agent", ""],
      ["user-agent", "v2"],
    ],
    ask: "user-agent",
    sees: ["v2"],
  },
  {
    says: "two empty lines are one empty line",
    lines: [
      ["user-agent", ""],
      ["user-agent", ""],
    ],
    ask: "user-agent",
    sees: [""],
  },
  {
    says: "authorization is merged",
    lines: [
      ["authorization", "a"],
      ["Authorization", "b"],
    ],
    ask: "authorization",
    sees: ["a,b"],
  },
  {
    says: "a listed x-envoy name is merged",
    lines: [
      ["x-envoy-attempt-count", "1"],
      ["x-envoy-attempt-count", "2"],
    ],
    ask: "x-envoy-attempt-count",
    sees: ["1,2"],
  },
  {
    says: "an unlisted x-envoy name is not",
    lines: [
      ["x-envoy-foo", "1"],
      ["x-envoy-foo", "2"],
    ],
    ask: "x-envoy-foo",
    sees: ["1", "2"],
  },
  {
    says: "HTTP/1 cookies stay apart",
    lines: [
      ["Cookie", "a=1"],
      ["Cookie", "b=2"],
    ],
    ask: "cookie",
    sees: ["a=1", "b=2"],
  },
  {
    says: "HTTP/2 crumbs are put together",
    protocol: h2,
    lines: [
      ["cookie", ""],
      ["cookie", "a=1"],
      ["cookie", "b=2"],
      ["cookie", ""],
    ],
    ask: "cookie",
    sees: ["a=1; b=2; "],
  },
  { says: "an empty HTTP/2 cookie vanishes", protocol: h2, lines: [["cookie", ""]], ask: "cookie", sees: [] },
  { says: "HTTP/1 values are trimmed", lines: [["x-a", "\t 1 2 \t"]], ask: "x-a", sees: ["1 2"] },
  {
    says: "HTTP/2 values are not",
    protocol: h2,
    lines: [["content-type", "application/grpc "]],
    ask: "content-type",
    sees: ["application/grpc "],
  },
  { says: "underscores pass", lines: [["x_a", "1"]], ask: "x_a", sees: ["1"] },
  { says: "two Host lines are merged", authority: "a", lines: [["Host", "b"]], ask: ":authority", sees: ["a,b"] },
  {
    says: "HTTP/2 host beside :authority is ignored",
    protocol: h2,
    lines: [["host", "b"]],
    ask: ":authority",
    sees: ["a.example"],
  },
  {
    says: "HTTP/2 host in place of :authority",
    protocol: h2,
    omit: [":authority"],
    lines: [["host", "b"]],
    ask: ":authority",
    sees: ["b"],
  },

  { says: "te becomes trailers", lines: [["TE", "gzip, trailers"]], ask: "te", sees: ["trailers"] },
  { says: "any other te goes", lines: [["TE", "deflate;q=0.5"]], ask: "te", sees: [] },
  {
    says: "what Connection names goes",
    lines: [
      ["Connection", "X-A"],
      ["x-a", "1"],
    ],
    ask: "x-a",
    sees: [],
  },
  { says: "so does Connection itself", lines: [["Connection", "keep-alive"]], ask: "connection", sees: [] },
  {
    says: "Connection may not name a pseudo header",
    lines: [["Connection", ":path"]],
    sees: "http1.connection_header_rejected",
  },
  {
    says: "Connection may not name x-forwarded-for",
    lines: [["Connection", "X-Forwarded-For"]],
    sees: "http1.connection_header_rejected",
  },
  {
    says: "keep-alive and the like go",
    lines: [
      ["Keep-Alive", "1"],
      ["Proxy-Connection", "x"],
      ["Upgrade", "foo"],
    ],
    sees: [],
  },
  {
    says: "a websocket upgrade keeps its headers",
    lines: [
      ["Connection", "Upgrade"],
      ["Upgrade", "WebSocket"],
    ],
    sees: ["connection: Upgrade", "upgrade: WebSocket"],
  },
  {
    says: "any other upgrade is refused",
    lines: [
      ["Connection", "upgrade"],
      ["Upgrade", "websocket, foo"],
    ],
    sees: "upgrade_failed",
  },
  {
    says: "but h2c is dropped",
    lines: [
      ["Connection", "upgrade"],
      ["Upgrade", "h2c"],
    ],
    sees: [],
  },
  {
    says: "HTTP/2 with a header of one hop",
    protocol: h2,
    lines: [["keep-alive", "1"]],
    sees: "http2.invalid.header.field",
  },
  { says: "HTTP/2 te other than trailers", protocol: h2, lines: [["te", "gzip"]], sees: "http2.invalid.header.field" },
  { says: "HTTP/2 te trailers", protocol: h2, lines: [["te", "trailers"]], ask: "te", sees: ["trailers"] },
  { says: "HTTP/2 te in another case is dropped", protocol: h2, lines: [["te", "Trailers"]], ask: "te", sees: [] },
  { says: "white space around an HTTP/1.1 target is nothing", target: " /x\t ", ask: ":path", sees: ["/x"] },

  { says: "x-request-id is made", ask: "x-request-id", sees: ["5a5e0c3e-3f5c-9c3a-8d0e-5b1d6f0a7c11"] },
  {
    says: "a client's x-request-id stays",
    lines: [
      ["x-request-id", "v1"],
      ["x-request-id", "v1"],
    ],
    ask: "x-request-id",
    sees: ["v1,v1"],
  },
  { says: "x-forwarded-proto is made", ask: "x-forwarded-proto", sees: ["http"] },
  { says: "an empty one stays", tls: true, lines: [["x-forwarded-proto", ""]], ask: "x-forwarded-proto", sees: [""] },
  { says: "a client's own stays", lines: [["x-forwarded-proto", "ftp"]], ask: "x-forwarded-proto", sees: ["ftp"] },
  {
    says: "a gateway without trusted proxies overwrites it",
    kind: "gateway",
    lines: [["x-forwarded-proto", "https"]],
    ask: "x-forwarded-proto",
    sees: ["http"],
  },
  {
    says: "one with trusted proxies does not",
    kind: "gateway",
    trusted: 1,
    lines: [["x-forwarded-proto", "https"]],
    ask: "x-forwarded-proto",
    sees: ["https"],
  },
  {
    says: ":scheme follows x-forwarded-proto",
    lines: [["x-forwarded-proto", "https"]],
    ask: ":scheme",
    sees: ["https"],
  },
  {
    says: ":scheme falls back to the connection",
    lines: [["x-forwarded-proto", "ftp"]],
    ask: ":scheme",
    sees: ["http"],
  },
  { says: "HTTP/2 :scheme is the client's", protocol: h2, tls: true, ask: ":scheme", sees: ["http"] },
  {
    says: "a sidecar leaves x-forwarded-for",
    lines: [["x-forwarded-for", "1.1.1.1"]],
    ask: "x-forwarded-for",
    sees: ["1.1.1.1"],
  },
  {
    says: "a gateway appends the peer",
    kind: "gateway",
    lines: [["x-forwarded-for", "1.1.1.1"]],
    ask: "x-forwarded-for",
    sees: ["1.1.1.1,10.0.0.9"],
  },
  { says: "or begins with it", kind: "k8s-gateway", ask: "x-forwarded-for", sees: ["10.0.0.9"] },
  {
    says: "or the address that PROXY protocol claims",
    kind: "gateway",
    proxy: "7.7.7.7",
    ask: "x-forwarded-for",
    sees: ["7.7.7.7"],
  },
  { says: "a loopback peer as itself", kind: "gateway", peer: "127.0.0.1", ask: "x-forwarded-for", sees: ["10.0.0.1"] },
  {
    says: "a gateway tells the client's address",
    kind: "gateway",
    ask: "x-envoy-external-address",
    sees: ["203.0.113.9"],
  },
  {
    says: "a gateway drops x-envoy-original-path",
    kind: "gateway",
    lines: [["x-envoy-original-path", "/"]],
    ask: "x-envoy-original-path",
    sees: [],
  },
  { says: "a sidecar does not", lines: [["x-envoy-original-path", "/"]], ask: "x-envoy-original-path", sees: ["/"] },
  {
    says: "x-envoy-internal goes everywhere",
    lines: [
      ["x-envoy-internal", "true"],
      ["x-envoy-retry-on", "5xx"],
    ],
    sees: [],
  },
  {
    says: "xfcc of a client without certificate goes",
    lines: [["x-forwarded-client-cert", "By=x"]],
    ask: "x-forwarded-client-cert",
    sees: [],
  },
  { says: "CONNECT is no configured upgrade", method: "CONNECT", target: "a:443", sees: "upgrade_failed" },
  { says: "CONNECT needs host and port", method: "CONNECT", target: "/x", sees: "http1.invalid_url" },
  { says: "an unknown method", method: "get", sees: "http1.codec_error" },
  { says: "M-SEARCH is unknown", method: "M-SEARCH", sees: "http1.codec_error" },
  { says: "HTTP/2 takes any method", protocol: h2, method: "get", ask: ":method", sees: ["get"] },
  { says: "QUERY without content-type", method: "QUERY", sees: "query_missing_content_type" },
  { says: "HTTP/1.0", protocol: "HTTP/1.0", sees: "low_version" },
  { says: "no Host", authority: null, sees: "missing_host_header" },
  { says: "a Host with a slash", authority: "a/b", sees: "http.invalid_authority" },
  { says: "absolute form replaces the Host", target: "http://u@h.example/x?y", ask: ":authority", sees: ["h.example"] },
  { says: "and becomes origin form", target: "HTTP://h.example/x?y", ask: ":path", sees: ["/x?y"] },
  { says: "without a path it is /", target: "http://h.example", ask: ":path", sees: ["/"] },
  { says: "without a path but with a query", target: "http://h.example?x", sees: "absolute_path_rejected" },
  {
    says: "https on plaintext at the edge",
    kind: "gateway",
    target: "https://h.example/x",
    sees: "http1.https_url_on_plaintext_connection",
  },
  { says: "https on plaintext at a sidecar", target: "https://h.example/x", ask: ":scheme", sees: ["https"] },
  { says: "another scheme", target: "ftp://h.example/x", sees: "http1.invalid_scheme" },
  { says: "an asterisk", target: "*", method: "OPTIONS", sees: "absolute_path_rejected" },
  { says: "a byte beyond ASCII", target: "/\x80", sees: "http1.codec_error" },
  { says: "HTTP/2 lets it pass", protocol: h2, target: "/\x80", ask: ":path", sees: ["/\x80"] },
  { says: "a raw fragment reaches the filters", target: "/a?b#c", ask: ":path", sees: ["/a?b#c"] },
  { says: "HTTP/2 without a slash", protocol: h2, target: "?x", sees: "http2.violation.of.messaging.rule" },
  { says: "HTTP/2 without :method", protocol: h2, omit: [":method"], sees: "http2.violation.of.messaging.rule" },
  {
    says: "a referer with a fragment is dropped",
    lines: [["referer", "https://r.example/p#f"]],
    ask: "referer",
    sees: [],
  },
  { says: "so is one that is no reference", lines: [["referer", "a b"]], ask: "referer", sees: [] },
  { says: "an empty one stays", lines: [["referer", ""]], ask: "referer", sees: [""] },
  {
    says: "a URL stays",
    lines: [["referer", "HTTPS://R.EXAMPLE/P?q"]],
    ask: "referer",
    sees: ["HTTPS://R.EXAMPLE/P?q"],
  },
  { says: "a fragment may be empty", lines: [["referer", "http://h/x#"]], ask: "referer", sees: ["http://h/x#"] },
  { says: "a path may hold a colon", lines: [["referer", "/a:b"]], ask: "referer", sees: ["/a:b"] },
  { says: "what ends a scheme is no path", lines: [["referer", "a?b:c"]], ask: "referer", sees: [] },
  { says: "a host that DNS does not know goes", lines: [["referer", "http://a_b/"]], ask: "referer", sees: [] },
  {
    says: "at the edge the request id is Envoy's own",
    kind: "gateway",
    lines: [["x-request-id", "mine"]],
    ask: "x-request-id",
    sees: ["5a5e0c3e-3f5c-9c3a-8d0e-5b1d6f0a7c11"],
  },
  {
    says: "x-envoy-original-host goes at the edge",
    kind: "gateway",
    lines: [["x-envoy-original-host", "a"]],
    ask: "x-envoy-original-host",
    sees: [],
  },
  { says: "HTTP/2 schemes are folded", protocol: h2, scheme: "HTTPS", ask: ":scheme", sees: ["https"] },
  {
    says: "two HTTP/2 host lines",
    protocol: h2,
    lines: [
      ["host", "a"],
      ["host", "a"],
    ],
    sees: "http2.invalid.header.field",
  },
  { says: "HTTP/2 user info", protocol: h2, authority: "u@a.example", sees: "http2.invalid.header.field" },
  { says: "HTTP/1 user info", authority: "u@a.example", ask: ":authority", sees: ["u@a.example"] },
  { says: "an empty Host is a host", authority: "", ask: ":authority", sees: [""] },
  { says: "a Host with a fragment", authority: "a#b", sees: "http.invalid_authority" },
  {
    says: "a coding that nobody knows",
    lines: [["transfer-encoding", "gzip"]],
    sees: "http1.invalid_transfer_encoding",
  },
  { says: "an absolute target with a host that DNS does not know", target: "http://h_h/x", sees: "http1.invalid_url" },
];

for (const row of rows) {
  test(row.says, () => deepEqual(seenBy(row), row.sees));
}

test("x-forwarded-client-cert: a sidecar appends its element, a gateway replaces the client's", () => {
  const ask = {
    says: "",
    tls: true,
    certificate: true,
    lines: [["x-forwarded-client-cert", "By=x"]],
    ask: "x-forwarded-client-cert",
  } as const;
  const [sidecar] = seenBy({ ...ask, sees: [] });
  const [gateway] = seenBy({ ...ask, kind: "gateway", sees: [] });
  const own =
    /^By=spiffe:\/\/td\/ns\/foo\/sa\/default;Hash=[0-9a-f]{64};(?:Cert="[^"]+";)?Subject="";URI=spiffe:\/\/td\/ns\/a\/sa\/b$/;
  deepEqual([sidecar!.slice(0, 5), own.test(sidecar!.slice(5)), own.test(gateway!)], ["By=x,", true, true]);
});

/** Lines that Envoy makes on every request: of interest only where a row asks for them. */
const made = new Set(["x-request-id", "x-forwarded-proto", "x-forwarded-for", "x-envoy-external-address"]);

function seenBy(row: Row): readonly string[] | string {
  const listener: Listener = {
    kind: row.kind ?? "sidecar",
    protocol: "HTTP",
    numTrustedProxies: row.trusted ?? 0,
    trustDomains: ["td"],
    mode: undefined,
    metadataNamespaces: [],
    bodyLimit: undefined,
    workload: { namespace: "foo", labels: {}, gateway: undefined, service: undefined },
  };
  const connection: Connection = {
    tls: row.tls ?? false,
    certificate: row.certificate ? { uriSans: ["spiffe://td/ns/a/sa/b"], dnsSans: [], subject: undefined } : undefined,
    sni: undefined,
    alpn: undefined,
    peer: { address: row.peer ?? "10.0.0.9", port: 50000 },
    local: { address: "10.0.0.1", port: 8080 },
    proxyAddress: row.proxy,
    remoteAddress: "203.0.113.9",
  };
  const request: DownstreamRequest = {
    method: row.method ?? "GET",
    authority: row.authority === null ? undefined : (row.authority ?? "a.example"),
    target: row.target ?? "/",
    headers: row.lines ?? [],
    protocol: row.protocol ?? "HTTP/1.1",
    scheme: row.scheme ?? "http",
    omit: row.omit ?? [],
    body: "",
  };
  const admitted: Admitted = admit(listener, connection)!;
  const headers = request.protocol === h2 ? readHttp2(request) : readHttp1(request, admitted.tls || !isEdge(listener));
  if (!(headers instanceof HeaderMap)) return headers.details;
  const refusal = prepareRequest(headers, listener, connection, admitted);
  if (refusal !== undefined) return refusal.details;
  if (row.ask !== undefined) return headers.values(row.ask);
  return headers
    .entries()
    .filter(([name]) => !name.startsWith(":") && !made.has(name))
    .map(([name, value]) => `${name}: ${value}`);
}
