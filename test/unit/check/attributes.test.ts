import assert from "node:assert/strict";
import { test } from "node:test";
import { readBracketed } from "#authz/check/attributes/call-metadata";
import { CheckAttributes } from "#authz/check/attributes/check-attributes";
import { parseIpAddress } from "#authz/check/attributes/ip-address";
import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import type { CallMetadata, ListenerSettings } from "#authz/check/contract";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { type IpAddress, type Maybe, type PeerNames, UNKNOWN, type WorkloadKind } from "#authz/engine/attributes";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { makeCertificate } from "../../support/check/certificate.ts";
import { type CheckInput, checkMessage, listenerOf, metadataOf } from "../../support/check/check-message.ts";

interface Given {
  readonly input?: CheckInput;
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>;
  readonly listener?: Partial<ListenerSettings>;
  readonly kind?: WorkloadKind;
  readonly numTrustedProxies?: number;
  readonly principalTold?: boolean;
}

function attributesOf({ input = {}, metadata = {}, listener = {}, kind = "sidecar", ...rest }: Given): CheckAttributes {
  const decoded = decodeCheckRequest(checkMessage(input));
  assert.ok(decoded.ok);
  const calls: CallMetadata = metadataOf(
    Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-garita-${name}`, value])),
  );
  return new CheckAttributes({
    request: decoded.request,
    metadata: calls,
    listener: listenerOf(listener),
    workload: { namespace: "foo", name: undefined, labels: new Map(), kind, gateway: undefined, service: undefined },
    mesh: {
      rootNamespace: "istio-system",
      trustDomain: "td",
      trustDomainAliases: [],
      pathNormalization: "BASE",
      numTrustedProxies: rest.numTrustedProxies ?? 0,
    },
    target: decoded.request.http?.path,
    nowMillis: 0,
    principalTold: rest.principalTold ?? true,
  });
}

const address = (value: Maybe<IpAddress>) =>
  value === undefined ? "absent" : value === UNKNOWN ? "unknown" : value.bytes.join(".");
const word = (value: unknown) => (value === undefined ? "absent" : value === UNKNOWN ? "unknown" : String(value));

test("an attribute counts in brackets, and once", () => {
  const cases: readonly (readonly [readonly string[], unknown])[] = [
    [["[x]"], "x"],
    [["[a]b]"], "a]b"],
    [["[ x ]"], " x "],
    [["[\xff]"], "\xff"],
    [["[]"], undefined],
    [[], UNKNOWN],
    [["x"], UNKNOWN],
    [[""], UNKNOWN],
    [["["], UNKNOWN],
    [["[x"], UNKNOWN],
    [["x]"], UNKNOWN],
    [["[x]", "[x]"], UNKNOWN],
    [["[x], [y]"], UNKNOWN],
    [["[\u0100]"], UNKNOWN],
  ];
  for (const [values, expected] of cases) assert.equal(readBracketed(values), expected, JSON.stringify(values));
});

test("IP addresses are read as Envoy prints them, and nothing else is", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["10.0.0.9", "10.0.0.9"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["256.0.0.1", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.4:80", undefined],
    [" 1.2.3.4", undefined],
    ["1..3.4", undefined],
    ["1.2.3.", undefined],
    ["", undefined],
    ["::", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"],
    ["::1", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1"],
    ["2001:DB8::9", "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.9"],
    ["fe80::1%eth0", "254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1"],
    ["::ffff:1.2.3.4", "0.0.0.0.0.0.0.0.0.0.255.255.1.2.3.4"],
    ["1:2:3:4:5:6:7:8", "0.1.0.2.0.3.0.4.0.5.0.6.0.7.0.8"],
    ["1:2:3:4:5:6:7::", "0.1.0.2.0.3.0.4.0.5.0.6.0.7.0.0"],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1::2::3", undefined],
    [":::", undefined],
    [":1", undefined],
    ["12345::", undefined],
    ["1.2.3.4::", undefined],
    ["[::1]", undefined],
    ["fe80::1%", undefined],
  ];
  for (const [text, bytes] of cases) {
    const parsed = parseIpAddress(text);
    assert.equal(parsed && [...parsed.bytes].join("."), bytes, text);
  }
});

test("physical peer: metadata, then the connection unless it may be a PROXY protocol header's", () => {
  const cases: readonly (readonly [Given, string])[] = [
    [{ metadata: { peer: "[1.1.1.1]" } }, "1.1.1.1"],
    [{ metadata: { peer: "[1.1.1.1]" }, listener: { proxyProtocol: true } }, "1.1.1.1"],
    [{ metadata: { peer: "[]" } }, "absent"],
    [{ metadata: { peer: "[/run/x.sock]" } }, "absent"],
    [{ metadata: { peer: "[1.1.1.1:80]" } }, "10.0.0.9"],
    [{}, "10.0.0.9"],
    [{ metadata: { peer: "1.1.1.1" } }, "10.0.0.9"],
    [{ listener: { proxyProtocol: true } }, "unknown"],
    [
      {
        input: {
          headers: [
            ["x-forwarded-for", "7.7.7.7"],
            ["x-garita-peer", "[7.7.7.7]"],
          ],
        },
      },
      "10.0.0.9",
    ],
  ];
  for (const [given, expected] of cases)
    assert.equal(address(attributesOf(given).peerAddress), expected, JSON.stringify(given));
});

test("remote address: metadata, then what a gateway's trusted proxies left, then the connection", () => {
  const forwarded = (value: string, joined = false): CheckInput => ({ headers: [["x-forwarded-for", value]], joined });
  const gateway = (input: CheckInput, numTrustedProxies: number): Given => ({
    input,
    kind: "gateway",
    numTrustedProxies,
  });
  const cases: readonly (readonly [Given, string])[] = [
    [{ metadata: { remote: "[2.2.2.2]" }, ...gateway(forwarded("1.1.1.1,10.0.0.9"), 1) }, "2.2.2.2"],
    [{ metadata: { remote: "[]" } }, "absent"],
    [gateway(forwarded("1.1.1.1,10.0.0.9"), 0), "10.0.0.9"],
    [gateway(forwarded("1.1.1.1,10.0.0.9"), 1), "1.1.1.1"],
    [gateway(forwarded("1.1.1.1, 2.2.2.2 ,10.0.0.9"), 1), "2.2.2.2"],
    [gateway(forwarded("1.1.1.1, 2.2.2.2 ,10.0.0.9"), 2), "1.1.1.1"],
    [gateway(forwarded("1.1.1.1,10.0.0.9"), 2), "10.0.0.9"],
    [gateway(forwarded("1.1.1.1:80,10.0.0.9"), 1), "10.0.0.9"],
    [gateway(forwarded("1.1.1.1,10.0.0.9", true), 1), "1.1.1.1"],
    [gateway({}, 1), "10.0.0.9"],
    [{ ...gateway(forwarded("1.1.1.1,10.0.0.9"), 1), kind: "k8s-gateway" }, "1.1.1.1"],
    [{ ...gateway(forwarded("1.1.1.1,10.0.0.9"), 1), kind: "sidecar" }, "10.0.0.9"],
    [gateway({ tcp: true }, 1), "10.0.0.9"],
  ];
  for (const [given, expected] of cases)
    assert.equal(address(attributesOf(given).remoteAddress), expected, JSON.stringify(given));
});

test("TLS: metadata, then whatever only TLS brings, else unknown", () => {
  const cases: readonly (readonly [Given, string])[] = [
    [{ metadata: { tls: "[TLSv1.3]" } }, "true"],
    [{ metadata: { tls: "[]" }, input: { sni: "x" } }, "false"],
    [{ input: { sni: "x" } }, "true"],
    [{ input: { source: { principal: "p" } } }, "true"],
    [{ input: { source: { certificate: "p" } } }, "true"],
    [{ input: { sni: "" } }, "unknown"],
    [{}, "unknown"],
  ];
  for (const [given, expected] of cases) assert.equal(word(attributesOf(given).tls), expected, JSON.stringify(given));
});

test("SNI: in lower case, from the session, on TCP from the destination's service", () => {
  const cases: readonly (readonly [Given, string])[] = [
    [{ input: { sni: "A.Example" } }, "a.example"],
    [{ input: { sni: "" } }, "absent"],
    [{ input: { sni: "", tcp: true, destination: { service: "b" } } }, "absent"],
    [{ input: { tcp: true, destination: { service: "B.Example" } } }, "b.example"],
    [{ input: { tcp: true } }, "unknown"],
    [{ input: { destination: { service: "b" } } }, "unknown"],
  ];
  for (const [given, expected] of cases) assert.equal(word(attributesOf(given).sni), expected, JSON.stringify(given));
});

const A = "spiffe://td/ns/foo/sa/a";
const B = "spiffe://td/ns/foo/sa/b";
const two = makeCertificate({ uris: [A, B], dns: ["x.example"], subject: [["CN", "web"]] });
const comma = makeCertificate({ uris: [`${A},${B}`], subject: [["CN", "web"]] });

const complete = (...names: string[]): PeerNames => ({ names, opaque: [], complete: true });
const incomplete = (...names: string[]): PeerNames => ({ names, opaque: [], complete: false });
const named = (principal: string, certificate = ""): CheckInput => ({ source: { principal, certificate } });
const tls = { tls: "[TLSv1.3]", dns: "[]", subject: "[]" };

test("peer: names in the order in which they are tested, believed in the order in which they can be", () => {
  const cases: readonly (readonly [string, Given, Maybe<PeerNames>])[] = [
    [
      "one name",
      { input: named(A), metadata: { ...tls, uris: `[${A}]`, subject: "[CN=w,O=x]" } },
      complete(A, "CN=w,O=x"),
    ],
    [
      "all three",
      { input: named(A), metadata: { ...tls, uris: `[${A}]`, dns: "[d]", subject: "[s]" } },
      complete(A, "d", "s"),
    ],
    [
      "a subject alone",
      { input: named("CN=w,O=x"), metadata: { ...tls, uris: "[]", subject: "[CN=w,O=x]" } },
      complete("CN=w,O=x"),
    ],
    ["no certificate", { metadata: { ...tls, uris: "[]" } }, undefined],
    ["plaintext", { metadata: { ...tls, tls: "[]", uris: "[]" } }, undefined],
    ["nothing told, no certificate", {}, undefined],
    [
      "joined names, certificate there",
      {
        input: named(A, two.encoded),
        metadata: { ...tls, uris: `[${A},${B}]`, dns: "[x.example]", subject: "[CN=web]" },
      },
      complete(A, B, "x.example", "CN=web"),
    ],
    [
      "one name with a comma, certificate there",
      { input: named(`${A},${B}`, comma.encoded), metadata: { ...tls, uris: `[${A},${B}]` } },
      complete(`${A},${B}`),
    ],
    [
      "joined names, no certificate",
      { input: named(A), metadata: { ...tls, uris: `[${A},${B}]` } },
      { names: [], opaque: [`${A},${B}`], complete: true },
    ],
    [
      "joined DNS names behind a URI",
      { input: named(A), metadata: { ...tls, uris: `[${A}]`, dns: "[a,b]" } },
      { names: [A], opaque: ["a,b"], complete: true },
    ],
    ["metadata missing, certificate there", { input: named(A, two.encoded) }, complete(A, B, "x.example", "CN=web")],
    [
      "metadata missing in part",
      { input: named(A, two.encoded), metadata: { ...tls, subject: [] } },
      complete(A, B, "CN=web"),
    ],
    ["nothing but the principal", { input: named(A) }, incomplete(A)],
    ["URIs untold", { input: named(A), metadata: tls }, incomplete(A)],
    ["URIs untold, DNS told", { input: named(A), metadata: { ...tls, dns: "[d]" } }, incomplete(A, "d")],
    [
      "URIs untold, and the principal is the DNS name",
      { input: named("d"), metadata: { ...tls, dns: "[d]" } },
      incomplete("d"),
    ],
    ["subject untold", { input: named(A), metadata: { ...tls, uris: `[${A}]`, subject: [] } }, incomplete(A)],
    [
      "another principal, certificate agrees",
      { input: named(A, two.encoded), metadata: { ...tls, uris: `[${B}]` } },
      complete(A, B, "x.example", "CN=web"),
    ],
    [
      "another principal, certificate too",
      { input: named("p", two.encoded), metadata: { ...tls, uris: `[${B}]` } },
      incomplete("p"),
    ],
    ["another principal, no certificate", { input: named(A), metadata: { ...tls, uris: `[${B}]` } }, incomplete(A)],
    [
      "another principal before joined names",
      { input: named("x"), metadata: { ...tls, uris: `[${A},${B}]` } },
      incomplete("x"),
    ],
    ["names, but no principal", { metadata: { ...tls, uris: `[${A}]` } }, incomplete()],
    ["a principal, but no names", { input: named(A), metadata: { ...tls, uris: "[]" } }, incomplete(A)],
    ["a certificate that is none", { input: named(A, "x") }, incomplete(A)],
    [
      "bytes that are no UTF-8",
      { input: named("spiffe://t/!"), metadata: { ...tls, uris: "[spiffe://t/\xff]" } },
      complete("spiffe://t/\xff"),
    ],
    ["no door for a principal, nothing told", { principalTold: false }, UNKNOWN],
    ["no door for a principal, all told", { principalTold: false, metadata: { ...tls, uris: `[${A}]` } }, complete(A)],
    [
      "no door for a principal, told in part",
      { principalTold: false, metadata: { ...tls, uris: `[${A}]`, dns: [] } },
      incomplete(A),
    ],
    ["no door for a principal, none", { principalTold: false, metadata: { ...tls, uris: "[]" } }, undefined],
    [
      "no door for a principal, two headers",
      { principalTold: false, metadata: { ...tls, uris: [`[${A}]`, `[${B}]`] } },
      UNKNOWN,
    ],
  ];
  for (const [what, given, expected] of cases) assert.deepEqual(attributesOf(given).peer, expected, what);
});

test("peer: an unverified certificate is no identity", () => {
  const told = { ...tls, uris: `[${A}]` };
  const cases: readonly (readonly [
    ListenerSettings["peerIdentity"],
    Given["metadata"],
    CheckInput,
    Maybe<PeerNames>,
  ])[] = [
    ["verified", { ...told, issuer: "[]" }, named(A), complete(A)],
    ["none", { ...told, issuer: "[ab]" }, named(A), undefined],
    [undefined, { ...told, issuer: "[ab]" }, named(A), complete(A)],
    [undefined, { ...told, issuer: "[]" }, named(A), UNKNOWN],
    [undefined, told, named(A), UNKNOWN],
    [undefined, { ...told, issuer: "ab" }, named(A), UNKNOWN],
    [undefined, {}, named(A), UNKNOWN],
    [undefined, {}, named("", two.encoded), UNKNOWN],
    [undefined, { ...told, tls: "[]", issuer: "[]" }, named(A), undefined],
    [undefined, { ...tls, uris: "[]", issuer: "[]" }, {}, undefined],
    [undefined, {}, {}, undefined],
  ];
  for (const [peerIdentity, metadata, input, expected] of cases) {
    const given = { input, metadata: metadata ?? {}, listener: { peerIdentity } };
    assert.deepEqual(attributesOf(given).peer, expected, `${peerIdentity} ${JSON.stringify(metadata)}`);
  }
});

test("headers: lines apart when raw; joined ones are ambiguous unless Envoy merges them anyway", () => {
  const headers: [string, string][] = [
    ["x-role", "user"],
    ["x-role", "admin"],
    ["accept", "a,b"],
    ["x-one", "1"],
    ["x-empty", ""],
  ];
  const raw = attributesOf({ input: { headers, path: "/p?q" } }).http?.headers;
  const joined = attributesOf({ input: { headers, path: "/p,q", joined: true } }).http?.headers;
  assert.deepEqual(raw?.get("x-role"), { lines: ["user", "admin"], joined: false });
  assert.deepEqual(joined?.get("x-role"), { lines: ["user,admin"], joined: true });
  assert.deepEqual(joined?.get("accept"), { lines: ["a,b"], joined: false });
  assert.deepEqual(joined?.get("x-one"), { lines: ["1"], joined: false });
  for (const list of [raw, joined]) {
    assert.deepEqual(list?.get("x-empty"), { lines: [""], joined: false });
    assert.equal(list?.get("x-none"), undefined);
    assert.deepEqual(list?.get(":method"), { lines: ["GET"], joined: false });
    assert.deepEqual(list?.get(":authority"), { lines: ["a.example"], joined: false });
    assert.deepEqual(list?.get(":scheme"), { lines: ["http"], joined: false });
  }
  assert.deepEqual(joined?.get(":path"), { lines: ["/p,q"], joined: false });
});

test("HTTP attributes", () => {
  const http = attributesOf({ input: { method: "PUT", host: "A.b:80", path: "/p?q#f" } }).http;
  assert.deepEqual([http?.method, http?.host, http?.path], ["PUT", "A.b:80", "/p"]);
  assert.equal(attributesOf({ input: { path: "" } }).http?.path, undefined);
  assert.equal(attributesOf({ input: { tcp: true } }).http, undefined);
});

test("gRPC by its content type", () => {
  const grpc = (type: string | undefined) =>
    attributesOf({ input: { headers: type === undefined ? [] : [["content-type", type]] } }).http?.grpc;
  for (const type of ["application/grpc", "application/grpc+proto", "application/grpc+"]) assert.ok(grpc(type), type);
  for (const type of [
    undefined,
    "application/grpc-web",
    "application/grpc ",
    "application/grpc;x",
    "Application/grpc",
    "text/plain",
  ])
    assert.equal(grpc(type), false, type);
});

test("dynamic metadata: an unsent namespace is unknown, an unset key absent", () => {
  const { metadata } = attributesOf({ input: { metadata: { "envoy.filters.a": { k: "v", l: ["x", "y"] } } } });
  assert.equal(metadata("envoy.filters.a", "k"), "v");
  assert.deepEqual(metadata("envoy.filters.a", "l"), ["x", "y"]);
  assert.equal(metadata("envoy.filters.a", "none"), undefined);
  assert.equal(metadata("envoy.filters.b", "k"), UNKNOWN);
});

test("destination: the local end", () => {
  const attributes = attributesOf({ input: { destination: { address: "10.1.1.1", port: 9090 } } });
  assert.equal(address(attributes.destinationAddress), "10.1.1.1");
  assert.equal(attributes.destinationPort, 9090);
});

test("bytes that are no UTF-8 are replaced one by one", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["abc", "abc"],
    [toByteString("é€😀"), toByteString("é€😀")],
    ["a\xffb", "a!b"],
    ["\xc3", "!"],
    ["\xe2\x82", "!!"],
    ["\xc0\x80", "!!"],
    ["\xed\xa0\x80", "!!!"],
    ["\xf4\x90\x80\x80", "!!!!"],
    [`\xff${toByteString("é")}`, `!${toByteString("é")}`],
  ];
  for (const [bytes, expected] of cases) assert.equal(sanitizeUtf8(bytes), expected, JSON.stringify(bytes));
});

test("what conditions alone ask for: scheme, protocol, size, port of the peer, the certificate shown, names of headers", () => {
  const of = (given: Given) => {
    const { http, peerPort, destinationPrincipal } = attributesOf(given);
    const request = http && [http.target, http.scheme, http.protocol, http.size, http.headers.names().join(" ")];
    return [...(request ?? []), peerPort, destinationPrincipal].map(word);
  };
  const headers = (...lines: [string, string][]) => ({ input: { headers: lines, protocol: "HTTP/2", path: "/a?b" } });
  const cases: readonly (readonly [name: string, given: Given, told: string])[] = [
    ["nothing more", headers(), "/a?b unknown HTTP/2 absent host 50000 absent"],
    [
      "a length",
      headers(["content-length", "12"], ["x-a", "1"]),
      "/a?b unknown HTTP/2 12 content-length x-a host 50000 absent",
    ],
    [
      "a length that is none",
      headers(["content-length", "-1"]),
      "/a?b unknown HTTP/2 unknown content-length host 50000 absent",
    ],
    [
      "two lengths",
      headers(["content-length", "1"], ["content-length", "1"]),
      "/a?b unknown HTTP/2 unknown content-length host 50000 absent",
    ],
    [
      "ours are no headers",
      headers(["x-garita-tls", "1"], ["x-a", "1"]),
      "/a?b unknown HTTP/2 absent x-a host 50000 absent",
    ],
    [
      "the HTTP service",
      { ...headers(["content-length", "0"]), principalTold: false },
      "/a?b unknown HTTP/2 unknown content-length host 50000 unknown",
    ],
    ["a peer that is the connection's", { input: { tcp: true }, metadata: { peer: "[10.0.0.9]" } }, "50000 absent"],
    ["another peer", { input: { tcp: true }, metadata: { peer: "[10.0.0.8]" } }, "unknown absent"],
    ["a peer without address", { input: { tcp: true }, metadata: { peer: "[]" } }, "unknown absent"],
    [
      "PROXY protocol",
      { input: { tcp: true }, listener: { proxyProtocol: true }, metadata: { peer: "[10.0.0.9]" } },
      "unknown absent",
    ],
    [
      "a certificate shown",
      { input: { tcp: true, destination: { principal: "spiffe://td/ns/a/sa/b" } } },
      "50000 spiffe://td/ns/a/sa/b",
    ],
    ["one without a URI", { input: { tcp: true, destination: { principal: "a.example" } } }, "50000 absent"],
    [
      "one with bytes that were lost",
      { input: { tcp: true, destination: { principal: "spiffe://td/!" } } },
      "50000 unknown",
    ],
  ];
  for (const [name, given, told] of cases) assert.equal(of(given).join(" "), told, name);
});
