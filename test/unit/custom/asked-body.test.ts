import assert from "node:assert/strict";
import { test } from "node:test";
import { askedBody } from "#authz/custom/asked-body";
import type { AskedHttp } from "#authz/custom/asked-headers";
import { Rotation } from "#authz/custom/rotation";
import { EditedRequest } from "#authz/engine/edited-request";

const http = (
  more: Partial<AskedHttp> & { readonly headers?: Readonly<Record<string, readonly string[]>> },
): AskedHttp => ({
  request: new EditedRequest({ target: "/", lines: (name) => more.headers?.[name] ?? [] }),
  method: "POST",
  authority: "a",
  scheme: "http",
  protocol: "HTTP/1.1",
  headerNames: Object.keys(more.headers ?? {}),
  body: undefined,
  bodyIsPartial: false,
  ...more,
});
const whole = { maxBytes: 8, allowPartial: false, asBytes: false };
const partly = { ...whole, allowPartial: true };
const bytes = (text: string) => new TextEncoder().encode(text);
const marked = { "x-envoy-auth-partial-body": ["false"] };

test("a body of the limit is whole, a longer one is cut or too large", () => {
  assert.deepEqual(askedBody(http({ body: bytes("12345678") }), whole), {
    kind: "sent",
    bytes: bytes("12345678"),
    partial: false,
  });
  assert.deepEqual(askedBody(http({ body: bytes("123456789") }), whole), { kind: "tooLarge" });
  assert.deepEqual(askedBody(http({ body: bytes("123456789") }), partly), {
    kind: "sent",
    bytes: bytes("12345678"),
    partial: true,
  });
  assert.deepEqual(askedBody(http({ body: bytes("12"), bodyIsPartial: true }), whole), { kind: "tooLarge" });
  assert.deepEqual(askedBody(http({ body: bytes("12"), bodyIsPartial: true }), partly), {
    kind: "sent",
    bytes: bytes("12"),
    partial: true,
  });
});

test("an empty body is one where Envoy marked it", () => {
  assert.deepEqual(askedBody(http({ body: bytes("") }), whole), { kind: "none" });
  assert.deepEqual(askedBody(http({ body: bytes(""), headers: marked }), whole), {
    kind: "sent",
    bytes: bytes(""),
    partial: false,
  });
});

test("a provider that does not want it is told of no body", () => {
  assert.deepEqual(askedBody(http({ body: bytes("1234567890") }), undefined), { kind: "none" });
});

test("a body that the asking Envoy does not send is missed where there may be one", () => {
  const missed = (more: Parameters<typeof http>[0]) => askedBody(http(more), whole).kind;
  assert.equal(missed({}), "unsent");
  assert.equal(missed({ headers: { "content-length": ["3"] } }), "unsent");
  assert.equal(missed({ method: "GET", headers: { "content-length": ["3"] } }), "unsent");
  assert.equal(missed({ headers: { upgrade: ["h2c"] } }), "unsent");
  assert.equal(missed({ headers: { "content-length": ["0"] } }), "none");
  assert.equal(missed({ method: "GET" }), "none");
  assert.equal(missed({ headers: { upgrade: ["WebSocket"] } }), "none");
});

test("endpoints are taken in turn, one that failed is passed over for a second while others are left", () => {
  const rotation = new Rotation(["a", "b", "c"]);
  const take = (now: number, count: number) => Array.from({ length: count }, () => rotation.take(now)).join("");
  assert.equal(take(0, 4), "abca");
  rotation.failed("b", 0);
  assert.equal(take(999, 3), "cac");
  assert.equal(take(1000, 3), "abc");
  for (const one of ["a", "b", "c"]) rotation.failed(one, 2000);
  assert.equal(new Set(take(2001, 3)).size, 3);
  rotation.answered("b");
  assert.equal(take(2001, 2), "bb");
});
