import { deepEqual, equal, ok } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { carryOut, type Outcome } from "#test/support/envoy-front/carry-out";
import { readVerdict } from "#test/support/envoy-front/check-verdict";
import type { Connection, DownstreamRequest, Listener } from "#test/support/envoy-front/downstream";
import { HeaderMap } from "#test/support/envoy-front/header-map";
import { passThrough } from "#test/support/envoy-front/pass-through";
import { peerCertificate } from "#test/support/envoy-front/peer-certificate";

const listener: Listener = {
  kind: "waypoint",
  protocol: "HTTP",
  numTrustedProxies: 0,
  trustDomains: ["td"],
  mode: undefined,
  metadataNamespaces: ["envoy.filters.x"],
  bodyLimit: undefined,
  workload: { namespace: "foo", labels: { app: "é" }, gateway: "g", service: "foo/s" },
};
const connection: Connection = {
  tls: true,
  certificate: { uriSans: ["spiffe://td/ns/a/sa/b", "spiffe://td/ns/c/sa/d"], dnsSans: ["x.example"], subject: "a, b" },
  sni: "Up.Example",
  alpn: undefined,
  peer: { address: "2001:db8::5", port: 40000 },
  local: { address: "fd00::1", port: 8443 },
  proxyAddress: "7.7.7.7",
  remoteAddress: "1.1.1.1",
};
const request: DownstreamRequest = {
  method: "GET",
  authority: "h",
  target: "/a/../b?c=d\x80",
  headers: [
    ["x-a", "1"],
    ["x-a", "\x80"],
  ],
  protocol: "HTTP/2",
  scheme: "https",
  omit: [],
  body: "",
};

test("a request becomes the message that generated code reads", () => {
  const passage = passThrough(listener, connection, request);
  ok(passage.kind === "asks");
  const { attributes } = fromBinary(CheckRequestSchema, passage.call.message);
  const address = attributes?.source?.address?.address;
  ok(address?.case === "socketAddress");
  equal(address.value.address, "7.7.7.7");
  deepEqual(address.value.portSpecifier, { case: "portValue", value: 40000 });
  equal(attributes?.source?.principal, "spiffe://td/ns/a/sa/b");
  deepEqual(attributes?.contextExtensions, {
    "garita.dev/namespace": "foo",
    "garita.dev/labels": '{"app":"é"}',
    "garita.dev/kind": "waypoint",
    "garita.dev/gateway": "g",
    "garita.dev/service": "foo/s",
  });
  equal(attributes?.tlsSession?.sni, "Up.Example");
  deepEqual(attributes?.metadataContext?.filterMetadata, { "envoy.filters.x": {} });
  const http = attributes?.request?.http;
  deepEqual(
    [http?.method, http?.host, http?.path, http?.protocol, http?.scheme],
    ["GET", "h", "/a/../b?c=d!", "HTTP/2", "https"],
  );
  const lines = http?.headerMap?.headers.map((h) => [h.key, Buffer.from(h.rawValue).toString("latin1"), h.value]);
  deepEqual(lines?.slice(0, 4), [
    [":method", "GET", ""],
    [":scheme", "https", ""],
    [":authority", "h", ""],
    [":path", "/a/../b?c=d\x80", ""],
  ]);
  deepEqual(
    lines?.filter(([name]) => name === "x-a"),
    [
      ["x-a", "1", ""],
      ["x-a", "\x80", ""],
    ],
  );
  deepEqual(http?.headers, {});
});

test("the call's metadata stands in brackets", () => {
  const passage = passThrough(listener, connection, request);
  ok(passage.kind === "asks");
  const told = Object.fromEntries([...passage.call.metadata].filter(([name]) => name !== "x-garita-fingerprint"));
  deepEqual(told, {
    "x-garita-peer": ["[2001:db8::5]"],
    "x-garita-remote": ["[1.1.1.1]"],
    "x-garita-tls": ["[TLSv1.3]"],
    "x-garita-uris": ["[spiffe://td/ns/a/sa/b,spiffe://td/ns/c/sa/d]"],
    "x-garita-dns": ["[x.example]"],
    "x-garita-subject": ["[CN=a\\, b]"],
  });
});

test("a connection has no request, its workload in the labels and its server name in the service", () => {
  const passage = passThrough(
    { ...listener, protocol: "TCP" },
    { ...connection, tls: false, certificate: undefined, sni: "X.y" },
    undefined,
  );
  ok(passage.kind === "asks");
  const { attributes } = fromBinary(CheckRequestSchema, passage.call.message);
  equal(attributes?.request, undefined);
  deepEqual(attributes?.contextExtensions, {});
  equal(attributes?.destination?.labels["garita.dev/namespace"], "foo");
  equal(attributes?.destination?.principal, "");
  deepEqual(passage.call.metadata.get("x-garita-tls"), ["[]"]);
});

test("the peer's certificate is one that Node reads", () => {
  const made = peerCertificate(connection.certificate!);
  const certificate = new X509Certificate(decodeURIComponent(made.encoded));
  equal(certificate.subjectAltName, "URI:spiffe://td/ns/a/sa/b, URI:spiffe://td/ns/c/sa/d, DNS:x.example");
  equal(certificate.subject, "CN=a\\, b");
  equal(certificate.fingerprint256.replaceAll(":", "").toLowerCase(), made.fingerprint);
  ok(certificate.verify(certificate.publicKey));
  const bare = peerCertificate({ uriSans: [], dnsSans: [], subject: "peer-cn" });
  deepEqual(
    [new X509Certificate(decodeURIComponent(bare.encoded)).subjectAltName, bare.principal],
    [undefined, "CN=peer-cn"],
  );
});

const grpcCall: readonly (readonly [string, string])[] = [["content-type", "application/grpc+proto"]];

/** A CheckResponse, the request's headers beside `:method` and `:path`, what comes of it. */
const answers: readonly {
  readonly says: string;
  readonly response: Parameters<typeof create<typeof CheckResponseSchema>>[1];
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly outcome: Outcome;
}[] = [
  { says: "an empty response allows", response: {}, outcome: forwarded("/a?b=c", [], []) },
  {
    says: "allowed: set replaces every line, append joins, remove wins, pseudo headers cannot be removed",
    response: {
      httpResponse: {
        case: "okResponse",
        value: {
          headers: [
            { header: { key: ":path", value: "/n?b=c" }, append: false },
            { header: { key: "x-s", value: "new" }, append: false },
            { header: { key: "x-p", value: "2" }, append: true },
            { header: { key: "x-none", value: "2" }, append: true },
            { header: { key: "x-gone", value: "2" }, append: false },
            { header: { key: "x-empty", value: "" }, append: false },
            { header: { key: "x-kept", value: "" }, append: false, keepEmptyValue: true },
          ],
          headersToRemove: ["x-gone", ":method", "host", "x-absent"],
        },
      },
    },
    headers: [
      ["x-s", "1"],
      ["x-s", "2"],
      ["x-p", "1"],
      ["x-gone", "1"],
    ],
    outcome: forwarded(
      "/n?b=c",
      [
        ["x-s", "new"],
        ["x-p", "1,2"],
        ["x-kept", ""],
      ],
      ["x-gone"],
    ),
  },
  {
    says: "allowed: query edits",
    response: {
      httpResponse: {
        case: "okResponse",
        value: { queryParametersToSet: [{ key: "x", value: "1" }], queryParametersToRemove: ["b"] },
      },
    },
    outcome: forwarded("/a?x=1", [], []),
  },
  {
    says: "code 0 allows whatever stands beside it",
    response: { status: { code: 0 }, httpResponse: { case: "deniedResponse", value: {} } },
    outcome: forwarded("/a?b=c", [], []),
  },
  { says: "denied without an answer", response: { status: { code: 7 } }, outcome: replied(403, "", []) },
  {
    says: "denied with an ok answer",
    response: { status: { code: 7 }, httpResponse: { case: "okResponse", value: {} } },
    outcome: replied(403, "", []),
  },
  {
    says: "denied with an error is an error: closed",
    response: { status: { code: 7 }, httpResponse: { case: "errorResponse", value: { status: { code: 500 } } } },
    outcome: replied(403, "", []),
  },
  {
    says: "denied: status, body and headers",
    response: {
      status: { code: 16 },
      httpResponse: {
        case: "deniedResponse",
        value: {
          status: { code: 401 },
          body: "no",
          headers: [
            { header: { key: "WWW-Authenticate", value: "Bearer" }, append: false },
            { header: { key: "x-dropped", value: "1" }, append: true },
          ],
        },
      },
    },
    outcome: replied(401, "no", [
      ["www-authenticate", "Bearer"],
      ["content-type", "text/plain"],
    ]),
  },
  {
    says: "denied: HEAD has no body",
    method: "HEAD",
    response: { status: { code: 7 }, httpResponse: { case: "deniedResponse", value: { body: "no" } } },
    outcome: replied(403, undefined, [["content-type", "text/plain"]]),
  },
  {
    says: "denied gRPC: 200, status and percent-encoded message",
    headers: grpcCall,
    response: { status: { code: 7 }, httpResponse: { case: "deniedResponse", value: { body: "a%b\n~é" } } },
    outcome: replied(200, "", [
      ["grpc-status", "7"],
      ["grpc-message", "a%25b%0A%7E%C3%A9"],
      ["content-type", "application/grpc"],
    ]),
  },
  {
    says: "denied gRPC: 400 is 13, no body no message",
    headers: grpcCall,
    response: { status: { code: 3 }, httpResponse: { case: "deniedResponse", value: { status: { code: 400 } } } },
    outcome: replied(200, "", [
      ["grpc-status", "13"],
      ["content-type", "application/grpc"],
    ]),
  },
  {
    says: "grpc-web is not gRPC",
    headers: [["content-type", "application/grpc-web"]],
    response: { status: { code: 7 } },
    outcome: replied(403, "", []),
  },
];

for (const { says, response, method, headers, outcome } of answers) {
  test(says, () => {
    const map = new HeaderMap();
    for (const [name, value] of [[":method", method ?? "GET"], [":path", "/a?b=c"], ...(headers ?? [])] as const) {
      map.receive(name, value);
    }
    const bytes = toBinary(CheckResponseSchema, create(CheckResponseSchema, response));
    deepEqual(carryOut(readVerdict(bytes), map, "HTTP/2"), outcome);
  });
}

test("bytes that are no message fail closed", () => {
  for (const bytes of [[0x0a], [0x0a, 0x05, 0x01], [0x07], [0x12, 0x03, 0x1a, 0x01, 0xff]]) {
    // The last: a denial's body that is not UTF-8; with a status of its own so that it is read at all.
    const response = Uint8Array.from([0x0a, 0x02, 0x08, 0x07, ...bytes]);
    equal(readVerdict(response).kind, "error");
  }
});

function forwarded(path: string, set: readonly (readonly [string, string])[], removed: readonly string[]): Outcome {
  return { kind: "forwarded", upstream: { path, set, removed } };
}

function replied(status: number, body: string | undefined, headers: readonly (readonly [string, string])[]): Outcome {
  return {
    kind: "replied",
    reply: { status, body, headers: new Map(headers.map(([name, value]) => [name, [value]])) },
    own: false,
  };
}
