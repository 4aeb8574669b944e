import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { MAX_ENTRIES } from "#authz/check/wire/wire-reader";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";

function decode(message: Uint8Array) {
  const decoded = decodeCheckRequest(message);
  assert.ok(decoded.ok, decoded.ok ? "" : decoded.fault);
  return decoded.request;
}

function fault(message: Uint8Array): string {
  const decoded = decodeCheckRequest(message);
  assert.ok(!decoded.ok, "accepted");
  return decoded.fault;
}

const encode = (init: MessageInitShape<typeof CheckRequestSchema>) =>
  toBinary(CheckRequestSchema, create(CheckRequestSchema, init));

/** A length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.from([(number << 3) | 2, ...length, rest]), content]);
}
const http = (content: Uint8Array) => field(1, field(4, field(2, content)));

test("an empty message is a connection of which nothing is known", () => {
  const request = decode(new Uint8Array());
  assert.equal(request.http, undefined);
  assert.equal(request.tlsSession, undefined);
  assert.equal(request.source.address, undefined);
  assert.equal(request.source.principal, "");
  assert.equal(request.contextExtension("a"), undefined);
  assert.equal(request.hasMetadataNamespace(""), false);
});

test("a message in the middle of a larger buffer", () => {
  const message = encode({ attributes: { source: { principal: "spiffe://a/b" } } });
  const chunk = Buffer.concat([Buffer.alloc(7, 0xff), message, Buffer.alloc(9, 0xff)]);
  const request = decode(chunk.subarray(7, 7 + message.length));
  assert.equal(request.source.principal, "spiffe://a/b");
});

test("the bytes may be reused when the request is decoded", () => {
  const message = encode({
    attributes: { request: { http: { headers: { "x-a": "1" } } }, contextExtensions: { k: "v" } },
  });
  const request = decode(message);
  message.fill(0);
  assert.deepEqual(request.http?.headerLines("x-a"), ["1"]);
  assert.equal(request.contextExtension("k"), "v");
});

test("texts are bytes, UTF-8 or not", () => {
  const request = decode(field(1, field(12, field(1, Buffer.from([0x61, 0xff, 0x62])))));
  assert.equal(request.tlsSession?.sni, "a\xffb");
  const utf8 = decode(encode({ attributes: { tlsSession: { sni: "é" } } }));
  assert.equal(utf8.tlsSession?.sni, "\xc3\xa9");
});

for (const count of [4, 500]) {
  const filler = Array.from({ length: count }, (_, i) => ({ key: `x-filler-${i}`, rawValue: Buffer.from("f") }));

  test(`raw header lines are kept apart and in order, beside ${count} others`, () => {
    const line = (key: string, value: string) => ({ key, rawValue: Buffer.from(value, "latin1") });
    const headers = [
      line("x-role", "user"),
      ...filler,
      line("X-Role", "admin"),
      line("x-role", "\xff,x"),
      line("x-rolf", "no"),
    ];
    const request = decode(encode({ attributes: { request: { http: { headerMap: { headers } } } } }));
    assert.equal(request.http?.raw, true);
    assert.deepEqual(request.http?.headerLines("x-role"), ["user", "admin", "\xff,x"]);
    assert.deepEqual(request.http?.headerLines("x-rol"), []);
    assert.deepEqual(request.http?.headerNamesBeginning("x-rol"), ["x-role", "x-rolf"]);
  });

  test(`of equal keys in the joined map the last counts, beside ${count} others`, () => {
    const entry = (key: string, value: string) =>
      field(3, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));
    const entries = [entry("x-role", "user"), ...filler.map(({ key }) => entry(key, "f")), entry("x-role", "admin")];
    const request = decode(http(Buffer.concat(entries)));
    assert.equal(request.http?.raw, false);
    assert.deepEqual(request.http?.headerLines("x-role"), ["admin"]);
    assert.equal(request.http?.headerNamesBeginning("").filter((name) => name === "x-role").length, 1);
    const capital = decode(http(Buffer.concat([...entries, entry("X-ROLE", "root")])));
    assert.deepEqual(capital.http?.headerLines("x-role"), ["admin,root"]);
  });
}

test("letters beyond ASCII are bytes, which have no capitals", () => {
  const headers = [{ key: "x-\u00c9", rawValue: Buffer.from("1") }];
  const request = decode(encode({ attributes: { request: { http: { headerMap: { headers } } } } }));
  assert.deepEqual(request.http?.headerNamesBeginning(""), ["x-\xc3\x89"]);
  assert.deepEqual(request.http?.headerLines("x-\xc3\x89"), ["1"]);
});

test("an empty header_map hides no joined headers; lines in it count instead of them", () => {
  const empty = decode(encode({ attributes: { request: { http: { headers: { a: "1" }, headerMap: {} } } } }));
  assert.equal(empty.http?.raw, false);
  assert.deepEqual(empty.http?.headerLines("a"), ["1"]);
  const both = decode(
    encode({
      attributes: { request: { http: { headers: { a: "1" }, headerMap: { headers: [{ key: "a", value: "2" }] } } } },
    }),
  );
  assert.equal(both.http?.raw, true);
  assert.deepEqual(both.http?.headerLines("a"), ["2"]);
});

test("metadata: a text, the texts of a list, nothing else", () => {
  const filterMetadata = {
    ns: { text: "a", list: ["x", 1, "y", ["z"]], number: 5, struct: { text: "b" }, none: null },
  };
  const request = decode(encode({ attributes: { metadataContext: { filterMetadata } } }));
  assert.equal(request.metadata("ns", "text"), "a");
  assert.deepEqual(request.metadata("ns", "list"), ["x", "y"]);
  for (const key of ["number", "struct", "none", "absent"]) assert.equal(request.metadata("ns", key), undefined);
  assert.equal(request.metadata("other", "text"), undefined);
  assert.ok(request.hasMetadataNamespace("ns"));
  assert.ok(!request.hasMetadataNamespace("other"));
});

test("10,000 headers are all there", () => {
  const headers = Array.from({ length: 10_000 }, (_, i) => ({ key: `x-${i % 5000}`, rawValue: Buffer.from(`${i}`) }));
  const request = decode(encode({ attributes: { request: { http: { headerMap: { headers } } } } }));
  assert.deepEqual(request.http?.headerLines("x-4999"), ["4999", "9999"]);
  assert.equal(request.http?.headerNamesBeginning("").length, 5_000);
});

test("a body of 16 MiB is passed over", () => {
  const rawBody = Buffer.alloc(16 * 1024 * 1024, 0xff);
  const request = decode(
    encode({ attributes: { request: { http: { method: "POST", rawBody, headers: { a: "1" } } } } }),
  );
  assert.equal(request.http?.method, "POST");
  assert.deepEqual(request.http?.headerLines("a"), ["1"]);
});

test("entries are counted together", () => {
  const entries = (count: number) => http(Buffer.concat(Array.from({ length: count }, () => Buffer.from([0x1a, 0]))));
  assert.deepEqual(decode(entries(MAX_ENTRIES)).http?.headerNamesBeginning(""), [""]);
  assert.match(fault(entries(MAX_ENTRIES + 1)), /more than 65536 headers/);
  const values = field(6, Buffer.concat(Array.from({ length: MAX_ENTRIES }, () => Buffer.from([0x0a, 0]))));
  const struct = field(1, Buffer.concat([field(1, Buffer.from("k")), field(2, values)]));
  assert.match(fault(field(1, field(11, field(1, field(2, struct))))), /more than 65536/);
});

test("nesting ends at 100 messages", () => {
  const nested = (lists: number) => {
    let value = field(3, Buffer.from("a"));
    for (let i = 0; i < lists; i++) value = field(6, field(1, value));
    const struct = field(1, Buffer.concat([field(1, Buffer.from("k")), field(2, value)]));
    return field(1, field(11, field(1, field(2, struct))));
  };
  // CheckRequest, attributes, metadata, struct, value: five, and each list adds itself and its value.
  assert.ok(decode(nested(47)).hasMetadataNamespace(""));
  assert.match(fault(nested(48)), /nested more than 100 deep/);
  assert.match(fault(nested(2000)), /nested more than 100 deep/);
});

const faults: readonly (readonly [name: string, bytes: readonly number[], fault: RegExp])[] = [
  ["field number 0", [0x02, 0x00], /field number 0/],
  ["a tag that is cut off", [0x8a], /ends inside a tag/],
  ["a tag of more than 32 bits", [0x8a, 0x80, 0x80, 0x80, 0x10], /longer than 32 bits/],
  ["a length that is cut off", [0x0a, 0x80], /ends inside a length/],
  ["a length beyond the message", [0x0a, 0x05, 0x12], /runs past the end/],
  ["a length of 2^32", [0x0a, 0x80, 0x80, 0x80, 0x80, 0x10], /runs past the end/],
  ["a length of eleven bytes", [0x0a, ...Array(10).fill(0x80), 0x00], /longer than 10 bytes/],
  ["a varint of eleven bytes", [0x10, ...Array(10).fill(0x80), 0x00], /longer than 10 bytes/],
  ["attributes as a varint", [0x08, 0x01], /field 1 has wire type 0, which is not its own/],
  ["a group", [0x13, 0x14], /field 2 has wire type 3, which no proto3 message has/],
  ["the end of a group", [0x14], /wire type 4/],
  ["wire type 6", [0x16], /wire type 6/],
  ["a fixed value that is cut off", [0x15, 0, 0, 0], /runs past the end/],
  ["a peer longer than the attributes that hold it", [0x0a, 0x02, 0x0a, 0x01, 0x00], /runs past the end/],
];
for (const [name, bytes, expected] of faults) {
  test(`refused: ${name}`, () => assert.match(fault(Uint8Array.from(bytes)), expected));
}

test("overlong tags and lengths mean what they say", () => {
  const request = decode(Uint8Array.from([0x8a, 0x00, 0x85, 0x80, 0x00, 0x62, 0x03, 0x0a, 0x01, 0x61]));
  assert.equal(request.tlsSession?.sni, "a");
});
