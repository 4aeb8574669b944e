import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusCodeSchema } from "#platform/envoy-api/gen/envoy/type/v3/http_status_pb";
import { parseHeaderFormat } from "#policy-compiler/ruleset/providers/header-format";
import { matchesHeader, parseHeaderPattern } from "#policy-compiler/ruleset/providers/header-pattern";
import { readProviderOptions } from "#policy-compiler/ruleset/providers/options";
import { isPathPrefix } from "#policy-compiler/ruleset/providers/path-prefix";
import {
  type ProviderSource,
  resolveProvider,
  resolveProviders,
  type ServiceSource,
} from "#policy-compiler/ruleset/providers/resolve";
import { parseServiceName } from "#policy-compiler/ruleset/providers/service-name";
import { envoyStatusCodes } from "#policy-compiler/ruleset/providers/status-codes";

const least = { service: "foo/authz.example", port: 9000 };
const read = (more: object, kind: "http" | "grpc" = "http") => readProviderOptions(kind, { ...least, ...more });
const optionsOf = (more: object, kind: "http" | "grpc" = "http") => {
  const result = read(more, kind);
  assert.ok(result.ok, JSON.stringify(result));
  return result.options;
};

test("options without anything said have Istio's defaults", () => {
  assert.deepEqual(optionsOf({}, "grpc"), {
    service: { namespace: "foo", host: "authz.example" },
    port: 9000,
    timeoutMillis: 600_000,
    failOpen: false,
    statusOnError: 403,
    body: undefined,
    http: undefined,
  });
  assert.deepEqual(optionsOf({}).http, {
    pathPrefix: "",
    toCheck: [],
    additional: [],
    upstreamOnAllow: [],
    downstreamOnAllow: [],
    downstreamOnDeny: [],
  });
});

test("the status of an error is a code that Envoy knows, in decimal", () => {
  for (const [text, status] of Object.entries({ "": 403, "503": 503, "+0429": 429, "511": 511, "100": 100 }))
    assert.equal(optionsOf({ statusOnError: text }).statusOnError, status, text);
  for (const text of ["99", "299", "512", "403.0", "0x193", "4_03", " 403", "abc", "1e2"]) {
    const result = read({ statusOnError: text });
    assert.deepEqual([result.ok, !result.ok && result.refusedBy], [false, "istio"], text);
  }
  const zero = read({ statusOnError: "0" });
  assert.equal(!zero.ok && zero.refusedBy, "envoy");
});

test("the status codes are those of Envoy's enumeration", () => {
  const known = StatusCodeSchema.values.map(({ number }) => number).filter((number) => number !== 0);
  assert.deepEqual([...envoyStatusCodes].toSorted(), known.toSorted());
});

test("a timeout is a duration; 0s is none, and a negative one stops Envoy", () => {
  const wanted = {
    "0.15s": 150,
    "1m": 60_000,
    "0s": undefined,
    "0": undefined,
    "100us": undefined,
    "2562047h": 9_223_369_200_000,
  };
  for (const [text, millis] of Object.entries(wanted))
    assert.equal(optionsOf({ timeout: text }).timeoutMillis, millis, text);
  for (const [text, by] of [
    ["5", "istio"],
    ["soon", "istio"],
    ["-1s", "envoy"],
    ["-1us", "envoy"],
  ] as const) {
    const result = read({ timeout: text });
    assert.equal(!result.ok && result.refusedBy, by, text);
  }
});

test("bodies need a limit", () => {
  assert.deepEqual(optionsOf({ includeRequestBodyInCheck: { maxRequestBytes: 8, packAsBytes: true } }, "grpc").body, {
    maxBytes: 8,
    allowPartial: false,
    asBytes: true,
  });
  for (const written of [{}, { maxRequestBytes: 0 }, { allowPartialMessage: true }]) {
    const result = read({ includeRequestBodyInCheck: written });
    assert.equal(!result.ok && result.refusedBy, "envoy");
  }
});

test("patterns of headers: a star alone is refused, in each of the five lists", () => {
  const fields = [
    "includeRequestHeadersInCheck",
    "includeHeadersInCheck",
    "headersToUpstreamOnAllow",
    "headersToDownstreamOnAllow",
    "headersToDownstreamOnDeny",
  ];
  for (const field of fields) {
    const result = read({ [field]: ["x-a", "*"] });
    assert.ok(!result.ok && result.refusedBy === "istio" && result.why.includes(field));
    assert.ok(read({ [field]: ["x-a", "x-*", "*-b"] }).ok);
    assert.ok(readProviderOptions("grpc", { ...least, [field]: ["*"] }).ok, "a gRPC provider has no such list");
  }
  assert.deepEqual(optionsOf({ includeHeadersInCheck: ["a"], includeRequestHeadersInCheck: ["B"] }).http?.toCheck, [
    { op: "exact", text: "b" },
  ]);
  assert.deepEqual(optionsOf({ includeHeadersInCheck: ["a"], includeRequestHeadersInCheck: [] }).http?.toCheck, [
    { op: "exact", text: "a" },
  ]);
});

test("a header matches without regard to case, by one star at an end", () => {
  for (const [pattern, yes, no] of [
    ["X-A", ["x-a"], ["x-ab", "y-x-a"]],
    ["x-*", ["x-", "x-a"], ["ax-a"]],
    ["*-Role", ["-role", "my-role"], ["my-roles"]],
    ["**", ["a*"], ["a"]],
    ["a*b", ["a*b"], ["axb"]],
    ["", [""], ["a"]],
  ] as const) {
    const patterns = [parseHeaderPattern(pattern)];
    for (const name of yes) assert.ok(matchesHeader(patterns, name), `${pattern} ${name}`);
    for (const name of no) assert.ok(!matchesHeader(patterns, name), `${pattern} ${name}`);
  }
});

test("added headers are formats, in byte order of their names", () => {
  const { http } = optionsOf({
    includeAdditionalHeadersInCheck: { b: "1", B: "%REQ(X-A?:path):5% 100%%", "x-p": "%PROTOCOL%" },
  });
  assert.deepEqual(http?.additional, [
    {
      name: "b",
      value: [
        { kind: "header", name: "x-a", otherwise: ":path", maxLength: 5 },
        { kind: "text", text: " 100%" },
      ],
    },
    { name: "b", value: [{ kind: "text", text: "1" }] },
    { name: "x-p", value: [{ kind: "protocol" }] },
  ]);
  const refusals: readonly (readonly [object, string])[] = [
    [{ Host: "a" }, "envoy"],
    [{ ":path": "a" }, "envoy"],
    [{ "": "a" }, "envoy"],
    [{ "x-a": "a\nb" }, "envoy"],
    [{ "x-a": "100%" }, "envoy"],
    [{ "x-a": "%REQ(a)" }, "envoy"],
    [{ "x-a": "%START_TIME%" }, "garita"],
    [{ "bad name": "a" }, "garita"],
  ];
  for (const [headers, by] of refusals) {
    const result = read({ includeAdditionalHeadersInCheck: headers });
    assert.equal(!result.ok && result.refusedBy, by, JSON.stringify(headers));
  }
});

test("formats that say nothing or twice nothing are unknown", () => {
  for (const text of ["%REQ()%", "%REQ%", "%REQ(a?)%", "%REQ(a?b?c)%", "%PROTOCOL(a)%", "%PROTOCOL:3%"])
    assert.deepEqual(parseHeaderFormat(text), { ok: false, fault: "unknown" }, text);
  assert.deepEqual(parseHeaderFormat(""), { ok: true, pieces: [] });
});

test("a path prefix is the beginning of a URL's path", () => {
  for (const text of ["/", "/check", "/a b", "/check?for=", "/caf%C3%A9/é", "/a?b=%zz", "//host:80/a", "///a", "/a#b"])
    assert.ok(isPathPrefix(text), text);
  for (const text of ["", "check", "/%zz", "/a%", "/a#%zz", "/a\tb", "/a\x7f", "//a b/", "//[::1/", "//h:x/"])
    assert.ok(!isPathPrefix(text), text);
});

test("a service is a domain or an address, or a namespace and a domain with a dot", () => {
  for (const [text, name] of [
    ["authz", { namespace: undefined, host: "authz" }],
    ["authz.example.", { namespace: undefined, host: "authz.example." }],
    ["10.0.0.1", { namespace: undefined, host: "10.0.0.1" }],
    ["::1", { namespace: undefined, host: "::1" }],
    ["foo/authz.example", { namespace: "foo", host: "authz.example" }],
    ["*/a.b", { namespace: "*", host: "a.b" }],
    ["foo/*.b.c", { namespace: "foo", host: "*.b.c" }],
  ] as const)
    assert.deepEqual(parseServiceName(text), name, text);
  for (const text of [
    "",
    "a b",
    "-a",
    "a..b",
    "a.7",
    "foo/authz",
    "foo/",
    "/a.b",
    "foo/a/b.c",
    "f_o/a.b",
    "foo/10.0.0.1",
    "a*.b",
    "x".repeat(64),
  ])
    assert.equal(parseServiceName(text), undefined, text);
});

const service = (more: Partial<ServiceSource> = {}): ServiceSource => ({
  namespace: "foo",
  hosts: ["other.example", "authz.example"],
  ports: [
    { number: 9000, name: "grpc", protocol: "GRPC", targetPort: undefined },
    { number: 443, name: "tls", protocol: "https", targetPort: 8443 },
  ],
  resolution: "DNS",
  endpoints: [],
  ...more,
});
const provider = (more: object = {}, rest: Partial<ProviderSource> = {}): ProviderSource => ({
  name: "p",
  kind: "grpc",
  options: { ...least, ...more },
  ...rest,
});
const targetOf = (source: ProviderSource, services: readonly ServiceSource[]) => {
  const resolution = resolveProvider(source, services);
  assert.ok(resolution.ok, JSON.stringify(resolution));
  return resolution.target;
};

test("a provider is where its service is", () => {
  const dns = {
    host: "authz.example",
    tls: false,
    endpoints: [{ kind: "tcp", host: "authz.example", port: 9000 }],
    fault: undefined,
  };
  assert.deepEqual(targetOf(provider(), [service()]), dns);
  assert.deepEqual(targetOf(provider({ service: "authz.example" }), [service()]), dns);
  assert.deepEqual(targetOf(provider({ port: 443 }), [service({ resolution: "DNS_ROUND_ROBIN" })]), {
    ...dns,
    tls: true,
    endpoints: [{ kind: "tcp", host: "authz.example", port: 8443 }],
  });
  const endpoints = [
    { address: "10.0.0.1", ports: [["grpc", 7000]] },
    { address: "10.0.0.2", ports: [["other", 7000]] },
    { address: "unix:///run/authz.sock", ports: [] },
  ] as const;
  for (const resolution of ["STATIC", "DNS"] as const)
    assert.deepEqual(targetOf(provider(), [service({ resolution, endpoints })]).endpoints, [
      { kind: "tcp", host: "10.0.0.1", port: 7000 },
      { kind: "tcp", host: "10.0.0.2", port: 9000 },
      { kind: "unix", path: "/run/authz.sock" },
    ]);
});

test("a service without an address makes a provider that cannot be reached", () => {
  for (const [more, services, says] of [
    [{ port: 1 }, [service()], "has no port 1"],
    [{}, [service({ resolution: "NONE" })], "NONE"],
    [{}, [service({ resolution: "NONE", endpoints: [{ address: "10.0.0.1", ports: [] }] })], "NONE"],
    [{}, [service({ resolution: "STATIC" })], "STATIC"],
    [{ service: "foo/*.b.c" }, [service({ hosts: ["*.b.c"] })], "DNS"],
  ] as const) {
    const { fault, endpoints } = targetOf(provider(more), services);
    assert.ok(fault?.includes(says), fault);
    assert.deepEqual(endpoints, []);
  }
});

test("a provider whose name, kind, options or service will not do does not resolve", () => {
  const refused: readonly (readonly [ProviderSource, readonly ServiceSource[], string])[] = [
    [provider({}, { name: "Opa" }), [service()], "small letters"],
    [provider({}, { name: "-a" }), [service()], "small letters"],
    [provider({}, { name: "a-" }), [service()], "small letters"],
    [provider({}, { name: "x".repeat(64) }), [service()], "small letters"],
    [provider({}, { name: "" }), [service()], "small letters"],
    [provider({}, { kind: "other" }), [service()], "another kind"],
    [provider({ port: 0 }), [service()], "port"],
    [provider({ port: undefined }), [service()], "port"],
    [provider({ port: 65536 }), [service()], "port"],
    [provider({ service: "foo/authz" }), [service({ hosts: ["authz"] })], "such as"],
    [provider({ service: undefined }), [service()], "such as"],
    [provider(), [], "found none"],
    [provider(), [service({ namespace: "bar" })], "in namespace `foo`"],
    [provider({ service: "*/authz.example" }), [service()], "found none"],
    [provider({ service: "AUTHZ.example" }), [service()], "found none"],
    [provider({ service: "authz.example" }), [service(), service({ namespace: "bar" })], "in several"],
  ];
  for (const [source, services, says] of refused) {
    const resolution = resolveProvider(source, services);
    assert.ok(
      !resolution.ok && resolution.refusedBy === "istio" && resolution.why.includes(says),
      JSON.stringify(resolution),
    );
  }
  assert.ok(resolveProvider(provider({}, { name: "x".repeat(63) }), [service()]).ok);
});

test("options that are no JSON do not resolve; of two of one name the first counts", () => {
  const one = { name: "p", kind: "grpc", options: JSON.stringify(least) } as const;
  const services = [{ ...service(), name: "s", origin: { file: "a", line: 1, column: 1 } }];
  const resolved = (options: string, more = one.options) =>
    resolveProviders({
      providers: [
        { ...one, options },
        { ...one, options: more },
      ],
      services,
    }).get("p")?.ok;
  assert.equal(resolved(one.options, "{"), true);
  for (const options of ["{", "null", "[]", '"a"', "7"]) assert.equal(resolved(options), false, options);
});
