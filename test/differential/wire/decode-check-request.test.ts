import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { narrowCheckRequestSchema } from "#test/support/protobuf/narrow-schema";
import { exceptions, type WireProblem, wireProblem } from "#test/support/protobuf/strict-wire";
import { Random, testSeed } from "#test/support/random";
import { checkRequestArbitrary } from "#test/support/wire/check-request-arbitrary";
import { type NarrowCheckRequest, viewDecoded, viewNarrow } from "#test/support/wire/decoded-view";
import { messageFile, wireCases } from "#test/support/wire/wire-case";

const VALID = 3000;
const MUTATIONS = 20_000;

const narrow = narrowCheckRequestSchema();
const seed = testSeed("lean decoder against protobuf-es");

const sample = (count: number, offset: number) =>
  fc
    .sample(checkRequestArbitrary, { seed: seed + offset, numRuns: count })
    .map((init) => toBinary(CheckRequestSchema, create(CheckRequestSchema, init)));

/** One message through both decoders; returns what the message was. */
function compare(message: Uint8Array): WireProblem | "accepted" | "too-deep" {
  const lean = decodeCheckRequest(message);
  const problem = wireProblem(narrow, message);
  let reference: NarrowCheckRequest | undefined;
  try {
    reference = fromBinary(narrow, message) as unknown as NarrowCheckRequest;
  } catch {
    reference = undefined;
  }
  if (problem !== undefined) {
    assert.equal(lean.ok, false, `accepted in spite of: ${problem}`);
    if (problem === "malformed") assert.equal(reference, undefined, "protobuf-es accepts what the encoding forbids");
    return problem;
  }
  if (reference === undefined) {
    assert.equal(lean.ok, false, "accepted what protobuf-es refuses");
    return "too-deep";
  }
  assert.ok(lean.ok, lean.ok ? "" : `refused what protobuf-es accepts: ${lean.fault}`);
  const { view, asked } = viewNarrow(reference);
  assert.deepEqual(viewDecoded(lean.request, asked), view);
  return "accepted";
}

function compareOrPrint(message: Uint8Array): WireProblem | "accepted" | "too-deep" {
  try {
    return compare(message);
  } catch (error) {
    console.log(`message: ${Buffer.from(message).toString("base64")}`);
    throw error;
  }
}

test("valid messages give what protobuf-es gives", () => {
  for (const message of sample(VALID, 0)) assert.equal(compareOrPrint(message), "accepted");
});

test("two messages after each other merge as protobuf says", () => {
  const messages = sample(2000, 1);
  for (let i = 0; i + 1 < messages.length; i++) {
    assert.equal(compareOrPrint(Buffer.concat([messages[i]!, messages[i + 1]!])), "accepted");
  }
});

test("a message cut off at any byte", () => {
  const seen = new Map<string, number>();
  const recorded = wireCases().map(({ name }) => readFileSync(messageFile(name)));
  for (const message of [...sample(60, 2), ...recorded]) {
    for (let length = 0; length < message.length; length++) {
      const outcome = compareOrPrint(message.subarray(0, length));
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
  }
  assert.ok((seen.get("malformed") ?? 0) > 1000, "cutting hardly ever broke a message");
});

test(`${MUTATIONS} mutated messages, every exception among them`, () => {
  const random = new Random(seed);
  const recorded = wireCases().map(({ name }) => readFileSync(messageFile(name)));
  const corpus = [...sample(300, 3).filter((message) => message.length > 0), ...recorded, ...recorded];
  const seen = new Map<string, number>();
  for (let i = 0; i < MUTATIONS; i++) {
    const outcome = compareOrPrint(mutate(random, corpus));
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  console.log(Object.fromEntries(seen));
  assert.ok((seen.get("accepted") ?? 0) > MUTATIONS / 20, "nearly every mutation broke its message");
  for (const exception of [...Object.keys(exceptions), "malformed"]) {
    assert.ok((seen.get(exception) ?? 0) > 0, `no mutation gave: ${exception}`);
  }
});

test("fields repeated inside one map entry, one header and one metadata value", () => {
  const random = new Random(seed + 1);
  let lists = 0;
  for (let i = 0; i < 3000; i++) {
    const namespaces = many(random, 3, () =>
      field(
        1,
        entry(random, (depth) => structBytes(random, depth)),
      ),
    );
    const headers = many(random, 4, () =>
      field(
        3,
        entry(random, () => textBytes(random)),
      ),
    );
    const lines = many(random, 3, () =>
      field(
        1,
        many(random, 5, () => field(1 + random.below(3), textBytes(random))),
      ),
    );
    const http = Buffer.concat([headers, random.below(2) === 0 ? field(13, lines) : Buffer.alloc(0)]);
    const message = field(1, Buffer.concat([field(11, namespaces), field(4, field(2, http))]));
    assert.equal(compareOrPrint(message), "accepted");
    const decoded = decodeCheckRequest(message);
    for (const namespace of ["", "a"]) {
      if (decoded.ok && Array.isArray(decoded.request.metadata(namespace, "a"))) lists++;
    }
  }
  assert.ok(lists > 50, "hardly any list of metadata");
});

function field(number: number, content: Uint8Array): Buffer {
  const length = content.length < 0x80 ? [content.length] : [(content.length & 0x7f) | 0x80, content.length >> 7];
  assert.ok(content.length < 0x4000);
  return Buffer.concat([Uint8Array.from([(number << 3) | 2, ...length]), content]);
}

function many(random: Random, most: number, make: () => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: random.below(most + 1) }, make));
}

function textBytes(random: Random): Buffer {
  return Buffer.from(random.pick(["", "a", "a", "b", "A", "x-role", "ü"]));
}

/** Keys and values in any order and number. */
function entry(random: Random, value: (depth: number) => Buffer, depth = 0): Buffer {
  return many(random, 4, () => (random.below(2) === 0 ? field(1, textBytes(random)) : field(2, value(depth))));
}

function structBytes(random: Random, depth: number): Buffer {
  return many(random, 3, () =>
    field(
      1,
      entry(random, (inner) => valueBytes(random, inner), depth + 1),
    ),
  );
}

/** Several members of the oneof after each other. */
function valueBytes(random: Random, depth: number): Buffer {
  return many(random, 3, () => {
    const kind = random.below(depth > 4 ? 3 : 6);
    if (kind === 0) return Buffer.from([0x20, 0x01]);
    if (kind < 3) return field(3, textBytes(random));
    if (kind === 3) return field(5, structBytes(random, depth));
    return field(
      6,
      many(random, 3, () => field(1, valueBytes(random, depth + 1))),
    );
  });
}

test("any bytes at all", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      compareOrPrint(bytes);
      compareOrPrint(field(1, field(4, field(2, bytes))));
    }),
    { seed, numRuns: 3000 },
  );
});

const INTERESTING = [
  0x00, 0x01, 0x02, 0x0a, 0x0b, 0x0c, 0x12, 0x1a, 0x22, 0x52, 0x5a, 0x62, 0x7f, 0x80, 0x81, 0xc3, 0xff,
];

/** One to three of: a byte changed, bytes put in, bytes taken out, a piece of another message put in, an overlong varint. */
function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = [...random.pick(corpus)];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(7)) {
      case 0:
        bytes[at % bytes.length || 0] = random.below(256);
        break;
      case 1:
        bytes[at % bytes.length || 0] = random.pick(INTERESTING);
        break;
      case 2:
        bytes.splice(at, 0, ...Array.from({ length: 1 + random.below(3) }, () => random.pick(INTERESTING)));
        break;
      case 3:
        bytes.splice(at, 1 + random.below(4));
        break;
      case 4: {
        const other = random.pick(corpus);
        const from = random.below(other.length);
        bytes.splice(at, 0, ...other.subarray(from, from + random.below(24)));
        break;
      }
      case 5: {
        const value = bytes[at % bytes.length || 0] ?? 0;
        const padding = Array.from({ length: random.below(11) }, () => 0x80);
        bytes.splice(at, 1, (value & 0x7f) | 0x80, ...padding, random.pick([0, 0, 1]));
        break;
      }
      default: {
        // An unknown field at the end of the message: where it is well formed it is passed over.
        const field = random.pick([
          [0x78, 0x05],
          [0xfa, 0x01, 0x01, 0x61],
          [0x7d, 1, 2, 3, 4],
          [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
        ]);
        bytes = [...bytes, ...field];
      }
    }
    if (bytes.length === 0) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}
