import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseToken } from "#identity/token/parse";
import { header, parseCases, segment, token } from "#test/support/tokens/parse-cases";

describe("parseToken", () => {
  it("finds what Envoy finds", () => {
    for (const [text, expected] of parseCases) {
      const parsed = parseToken(text);
      assert.equal(parsed.ok ? "" : parsed.fault, expected, JSON.stringify(text));
    }
  });

  it("keeps what was signed, byte for byte", () => {
    const parsed = parseToken(`..${segment(header)}..e3 0.AP8=.`);
    assert.ok(parsed.ok);
    assert.equal(parsed.token.signedText, `${segment(header)}.e3 0`);
    assert.equal(parsed.token.payloadSegment, "e3 0");
    assert.deepEqual([...parsed.token.signature], [0, 255]);
  });

  it("reads the header", () => {
    const parsed = parseToken(token('{"alg":"RS512","kid":"\xc3\xa9","crit":null,"typ":"JWT"}', "{}"));
    assert.ok(parsed.ok);
    assert.equal(parsed.token.algorithm, "RS512");
    assert.equal(parsed.token.kid, "\xc3\xa9");
    assert.equal(parsed.token.critical, true);
    const plain = parseToken(token(header, "{}"));
    assert.ok(plain.ok && plain.token.kid === "" && !plain.token.critical);
  });

  it("reads the claims as byte strings and doubles, in the order of the text", () => {
    const payload =
      '{"iss":"i\\u00e9","aud":["a","\xc3\xa9"],"nbf":10.9,"exp":1e2,"big":12345678901234567891,"__proto__":{"b":[true,null],"a":-1.5}}';
    const parsed = parseToken(token(header, payload));
    assert.ok(parsed.ok);
    const { claims, ...rest } = parsed.token;
    assert.equal(rest.issuer, "i\xc3\xa9");
    assert.deepEqual(rest.audiences, ["a", "\xc3\xa9"]);
    assert.deepEqual([rest.notBefore, rest.expiresAt], [10, 100]);
    assert.equal(Object.getPrototypeOf(claims), null);
    assert.equal(
      JSON.stringify(claims),
      '{"iss":"iÃ©","aud":["a","Ã©"],"nbf":10.9,"exp":100,"big":12345678901234567000,"__proto__":{"b":[true,null],"a":-1.5}}',
    );
    assert.equal(Object.getPrototypeOf(Object.values(claims).at(-1)), null);
  });

  it("takes a megabyte of anything in its stride", () => {
    const large = 1 << 20;
    for (const text of [
      ".".repeat(large),
      "A".repeat(large),
      "A.".repeat(large / 2),
      `${" ".repeat(large)}.A.A`,
      token(header, "[".repeat(large)),
      token(header, `{"a":"${"\\u00e9".repeat(large / 6)}"}`),
      token(header, `{"a":"${"\xc3\xa9\\n".repeat(large / 4)}"}`),
      token(header, `{"a":${"9".repeat(large)}}`),
      token(header, `{"a":0.${"1".repeat(large)}}`),
      token(header, `{${Array.from({ length: large / 16 }, (_, i) => `"${i}x":${i}`).join(",")}}`),
      token(header, `{"a":[${"0,".repeat(large / 2)}]}`),
      token(header, `{${"a".repeat(large)}`),
    ]) {
      assert.equal(typeof parseToken(text).ok, "boolean");
    }
  });
});
