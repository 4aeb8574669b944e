import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConditionKey } from "#policy-compiler/document/values/condition-key";
import { parseGoBoolean } from "#policy-compiler/document/values/go-boolean";
import { parseDuration } from "#policy-compiler/ruleset/duration";
import { type PathFault, parsePathTemplate } from "#policy-compiler/ruleset/patterns/parse-path-template";

test("every `when` key of Istio is known, with its attribute and its reach", () => {
  const header = (name: string) => [{ kind: "header", name }, "text", true];
  const claim = (...path: string[]) => [{ kind: "claim", path }, "text", true];
  const metadata = (namespace: string, key: string) => [{ kind: "metadata", namespace, key }, "metadata", false];
  const table: Readonly<Record<string, readonly unknown[]>> = {
    "source.ip": [{ kind: "peerAddress" }, "cidr", false],
    "remote.ip": [{ kind: "remoteAddress" }, "cidr", false],
    "source.namespace": [{ kind: "identity" }, "namespace", false],
    "source.serviceAccount": [{ kind: "identity" }, "serviceAccount", false],
    "source.principal": [{ kind: "identity" }, "principal", false],
    "source.trustDomain": [{ kind: "identity" }, "trustDomain", false],
    "request.auth.principal": [{ kind: "requestPrincipal" }, "requestPrincipal", true],
    "request.auth.audiences": claim("aud"),
    "request.auth.presenter": claim("azp"),
    "destination.ip": [{ kind: "destinationAddress" }, "cidr", false],
    "destination.port": [{ kind: "port" }, "port", false],
    "connection.sni": [{ kind: "sni" }, "text", false],
    "request.headers[X-Token]": header("x-token"),
    "request.headers[Host]": header(":authority"),
    "request.headers[:method]": header(":method"),
    "request.headers[a][b]": header("a][b"),
    "request.headers[[a]]": header("[a]"),
    "request.headers[\u00c4]": header("\u00c3\u0084"),
    "request.auth.claims[a]": claim("a"),
    "request.auth.claims[a][b][c]": claim("a", "b", "c"),
    "request.auth.claims[a.b]": claim("a.b"),
    "request.auth.claims[[a]": claim("[a"),
    "request.auth.claims[a]]": claim("a]"),
    "request.auth.claims[[a]]": claim("[a]"),
    "request.auth.claims[a]b[c]": claim("a]b[c"),
    "experimental.envoy.filters.network.x[k]": metadata("envoy.filters.network.x", "k"),
    "experimental.envoy.filters.x[a][b]": metadata("envoy.filters.x", "a][b"),
  };
  for (const [key, [attribute, syntax, httpOnly]] of Object.entries(table)) {
    assert.deepEqual(parseConditionKey(key), { kind: "known", attribute, syntax, httpOnly }, key);
  }
});

test("keys that Istio cannot compile say which kind of fault they have", () => {
  const malformed = {
    headers: "request.headers",
    claims: "request.auth.claims",
    filters: "experimental.envoy.filters.",
  };
  const table: readonly (readonly [string, keyof typeof malformed, string])[] = [
    ["request.headers", "headers", "shape"],
    ["request.headers[", "headers", "shape"],
    ["request.headers[]", "headers", "shape"],
    ["request.headers[x", "headers", "shape"],
    ["request.headersx]", "headers", "shape"],
    ["request.headersFoo[x]", "headers", "not-compiled"],
    ["request.headers[a\nb]", "headers", "refused-by-envoy"],
    ["request.auth.claims", "claims", "shape"],
    ["request.auth.claimsFoo[a]", "claims", "not-compiled"],
    ["request.auth.claims[a][]", "claims", "refused-by-envoy"],
    ["request.auth.claims[][a]", "claims", "refused-by-envoy"],
    ["experimental.envoy.filters.x", "filters", "shape"],
    ["experimental.envoy.filters.x[k", "filters", "shape"],
  ];
  for (const [key, of, fault] of table) {
    assert.deepEqual(parseConditionKey(key), { kind: "malformed", of: malformed[of], fault }, key);
  }
});

test("retired keys and unknown keys are told apart", () => {
  for (const key of ["destination.namespace", "destination.labels[a]", "destination.name", "destination.user"]) {
    assert.equal(parseConditionKey(key).kind, "retired", key);
  }
  for (const key of ["", "request.method", "source.labels[a]", "Source.ip", "source.ip ", "destination.names", "any"]) {
    assert.deepEqual(parseConditionKey(key), { kind: "unknown" }, key);
  }
});

test("path templates become pieces and globs", () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["/{*}", ["/", ""], ["*"]],
    ["/{**}/", ["/", "/"], ["**"]],
    ["/a/{*}/b/{**}", ["/a/", "/b/", ""], ["*", "**"]],
    ["/a/{**}/c", ["/a/", "/c"], ["**"]],
    ["/{*}/{*}/{*}/{*}/{*}/{*}", ["/", "/", "/", "/", "/", "/", ""], ["*", "*", "*", "*", "*", "*"]],
    ["/a:b@c=d/%2f/{*}/", ["/a:b@c=d/%2f/", "/"], ["*"]],
  ];
  for (const [text, pieces, globs] of table) {
    assert.deepEqual(parsePathTemplate(text), { kind: "template", pieces, globs }, text);
  }
  for (const text of ["/a", "/a*", "*", "", "/a//b", "/a b", "//"]) {
    assert.deepEqual(parsePathTemplate(text), { kind: "pattern" }, text);
  }
});

test("paths that Istio refuses, or that end an Envoy, are refused with their reason", () => {
  const table: readonly (readonly [string, PathFault, string, boolean])[] = [
    ["/{**}/{*}", "glob-after-any", "{*}", true],
    ["/{**}/a/{**}", "glob-after-any", "{**}", true],
    ["/x{y}", "braces", "x{y}", false],
    ["/{", "braces", "{", false],
    ["/x}", "braces", "x}", false],
    ["/{*}/{id}", "braces", "{id}", true],
    ["/{*}.txt", "braces", "{*}.txt", true],
    ["/{***}", "braces", "{***}", false],
    ["/a//{*}", "empty-segment", "", true],
    ["/{*}///b", "empty-segment", "", true],
    ["/a*/{*}", "characters", "a*", true],
    ["/a b/{*}", "characters", "a b", true],
    ["/a?/{*}", "characters", "a?", true],
    ["/\u00e4/{*}", "characters", "\u00e4", true],
    ["foo/{*}", "aborts-envoy", "foo/{*}", true],
    ["{**}", "aborts-envoy", "{**}", true],
    ["//{*}", "aborts-envoy", "//{*}", true],
    ["//a/{*}", "aborts-envoy", "//a/{*}", true],
    ["/a/{*}//", "aborts-envoy", "/a/{*}//", true],
  ];
  for (const [text, fault, segment, template] of table) {
    assert.deepEqual(parsePathTemplate(text), { kind: "refused", fault, segment, template }, text);
  }
});

test("booleans are Go's", () => {
  for (const text of ["1", "t", "T", "TRUE", "true", "True"]) assert.equal(parseGoBoolean(text), true, text);
  for (const text of ["0", "f", "F", "FALSE", "false", "False"]) assert.equal(parseGoBoolean(text), false, text);
  for (const text of ["", "yes", "tRUE", " true", "on", "constructor"])
    assert.equal(parseGoBoolean(text), undefined, text);
});

test("durations are Go's", () => {
  const table: readonly (readonly [string, number, boolean])[] = [
    ["5s", 5000, true],
    ["0", 0, true],
    ["-0", 0, true],
    ["1.5s", 1500, true],
    [".5s", 500, true],
    ["1.s", 1000, true],
    ["1h30m", 5_400_000, true],
    ["100ms", 100, true],
    ["1us", 0, false],
    ["1\u00b5s", 0, false],
    ["1.0005s", 1000, false],
    ["-5s", -5000, true],
    ["+5s", 5000, true],
    ["2562047h47m16.854775807s", 9_223_372_036_854, false],
  ];
  for (const [text, millis, exact] of table) assert.deepEqual(parseDuration(text), { ok: true, millis, exact }, text);
  for (const text of ["", "-", "5", "s", ".s", "5 s", "5d", "1.5.5s", "5s-1s", "--5s", "0x5s", "00"]) {
    assert.deepEqual(parseDuration(text), { ok: false, fault: "syntax" }, text);
  }
  assert.deepEqual(parseDuration("2562047h47m16.854775808s"), { ok: false, fault: "range" });
});
