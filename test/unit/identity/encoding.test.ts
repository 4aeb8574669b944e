import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBase64Url, decodeToByteString, encodeBase64Url } from "#identity/encoding/base64url";
import { byteString, bytesOf, isUtf8, utf8ByteString, utf8Text } from "#identity/encoding/byte-string";
import { quote } from "#identity/encoding/quote";
import { readStruct } from "#identity/encoding/struct-json";
import { testSeed } from "#test/support/random";

const seed = testSeed("encodings");
const bytes = fc.uint8Array({ maxLength: 200 });

describe("base64url", () => {
  it("is Buffer's", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const text = Buffer.from(input).toString("base64url");
        assert.equal(encodeBase64Url(input), text);
        assert.deepEqual(decodeBase64Url(text), input);
        assert.deepEqual(decodeBase64Url(text + "=".repeat((4 - (text.length % 4)) % 4)), input);
      }),
      { seed },
    );
  });

  it("is the same with white space anywhere, and none with any other mark", () => {
    fc.assert(
      fc.property(
        bytes,
        fc.nat(300),
        fc.constantFrom(..." \t\n\v\f\r"),
        fc.constantFrom(..."+/%,\0\xa0\u0100"),
        (input, at, space, mark) => {
          const text = Buffer.from(input).toString("base64url");
          const place = at % (text.length + 1);
          assert.deepEqual(decodeBase64Url(text.slice(0, place) + space + text.slice(place)), input);
          assert.equal(decodeBase64Url(text.slice(0, place) + mark + text.slice(place)), undefined);
          assert.equal(decodeToByteString(text.slice(0, place) + space + text.slice(place)), byteString(input));
        },
      ),
      { seed },
    );
  });

  it("is refused as Envoy refuses it", () => {
    const cases: readonly (readonly [string, readonly number[] | undefined])[] = [
      ["", []],
      [" \t\n\v\f\r", []],
      ["A", undefined],
      ["AA", [0]],
      ["AP", [0]],
      ["AA=", undefined],
      ["AA==", [0]],
      ["AA..", [0]],
      ["AA=.", [0]],
      ["A A = =", [0]],
      ["AA===", undefined],
      ["AAA=", [0, 0]],
      ["AAA==", undefined],
      ["AAAA=", undefined],
      ["AAAA====", undefined],
      ["=", undefined],
      ["AA==AA", undefined],
      ["A+AA", undefined],
      ["A/AA", undefined],
      ["A\u00a0AA", undefined],
      ["A\u0100AA", undefined],
      ["AA\0A", undefined],
    ];
    for (const [text, expected] of cases) {
      const decoded = decodeBase64Url(text);
      assert.deepEqual(decoded === undefined ? undefined : [...decoded], expected, JSON.stringify(text));
    }
  });
});

describe("byte strings", () => {
  it("are the bytes", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        assert.equal(byteString(input), Buffer.from(input).toString("latin1"));
        assert.deepEqual(bytesOf(byteString(input)), input);
      }),
      { seed },
    );
    const large = new Uint8Array(100_000).map((_, i) => i);
    assert.deepEqual(bytesOf(byteString(large)), large);
  });

  it("of text are its UTF-8, and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.equal(utf8ByteString(text), Buffer.from(text).toString("latin1"));
        assert.equal(utf8Text(utf8ByteString(text)), Buffer.from(text).toString());
      }),
      { seed },
    );
    assert.equal(utf8Text(utf8ByteString("\ufeffadmin")), "\ufeffadmin");
  });

  it("are UTF-8 where a strict decoder says so", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const decodes = (input: Uint8Array) => {
      try {
        decoder.decode(input);
        return true;
      } catch {
        return false;
      }
    };
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee];
    const edge = fc.constantFrom(...edges, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
    let good = 0;
    const check = (input: Uint8Array) => {
      assert.equal(isUtf8(byteString(input)), decodes(input), Buffer.from(input).toString("hex"));
      good += decodes(input) ? 1 : 0;
    };
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 6 }), (list) => check(Uint8Array.from(list))),
      {
        seed,
        numRuns: 3000,
      },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => check(Buffer.from(text))),
      { seed },
    );
    assert.ok(good > 100);
  });
});

describe("protobuf's JSON", () => {
  it("is JSON.parse's for what JSON.stringify writes", () => {
    const json = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        const read = readStruct(utf8ByteString(text));
        // Half a surrogate pair is written as an escape that protobuf refuses.
        if (!text.includes("\\ud")) assert.ok(read.ok, text);
        if (read.ok) assert.equal(utf8Text(JSON.stringify(read.value)), JSON.stringify(JSON.parse(text)));
      }),
      { seed },
    );
  });

  it("gives an answer to anything", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."{}[]\"':,\\u0d8 \t1e-.ntf\xff\xc3") }), (text) => {
        assert.equal(typeof readStruct(text).ok, "boolean");
        assert.equal(typeof readStruct(`{"a":${text}`).ok, "boolean");
      }),
      { seed, numRuns: 2000 },
    );
  });

  it("says where it went wrong", () => {
    const cases: readonly (readonly [string, number, string])[] = [
      ["", 0, "the end of the text"],
      ["[]", 0, "no JSON object"],
      ['{"a":1', 6, "no comma or brace behind a member"],
      ['{"a" 1}', 5, "no colon behind a member name"],
      ["{1:1}", 1, "no member name in quotes"],
      ['{"a":[1 2]}', 8, "no comma or bracket behind an item"],
      ['{"a":x}', 5, "no JSON value"],
      ['{"a":', 5, "the end of the text"],
      ['{"a":1e999}', 5, "a number beyond double precision"],
      ['{"a":1,"b":2,"a":3}', 13, "a member twice"],
      ["{} {}", 3, "text behind the JSON value"],
    ];
    for (const [text, at, fault] of cases) {
      const read = readStruct(text);
      assert.ok(!read.ok);
      assert.deepEqual([read.at, read.fault], [at, fault], text);
    }
    const twice = readStruct('{"x":{"\xc3\xa9":1,"\\u00e9":2}}');
    assert.ok(!twice.ok);
    assert.equal(twice.repeated, "\xc3\xa9");
  });
});

describe("quote", () => {
  it("keeps a message on its line", () => {
    assert.equal(quote("a`b"), "`a`b`");
    assert.equal(quote("a\nb\u202e"), "`a\\u{a}b\\u{202e}`");
    assert.equal(quote("x".repeat(81)), `\`${"x".repeat(80)}…\``);
  });
});
