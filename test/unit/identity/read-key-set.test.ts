import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readDer } from "#identity/key-set/der";
import { readKeySet } from "#identity/key-set/read-key-set";
import { testSeed } from "#test/support/random";
import { certificate, pemOf, rsaPublicKey } from "#test/support/tokens/test-certificate";
import { keySetOf, makeTestKeys, privateJwk } from "#test/support/tokens/test-keys";

const keys = makeTestKeys();
const set = (...members: readonly object[]) => JSON.stringify({ keys: members });

describe("readKeySet", () => {
  it("keeps what an import needs, in one form", () => {
    const { n, e } = keys.rsa.jwk as { n: string; e: string };
    const padded = Buffer.concat([Buffer.alloc(2), Buffer.from(n, "base64url")]).toString("base64url");
    const read = readKeySet(
      set(
        { kty: "RSA", n: `${padded.slice(0, 7)} ${padded.slice(7)}`, e, kid: "é", alg: "RS256", x5c: ["x"] },
        keys.p256.jwk,
        { ...keys.p521.jwk, crv: undefined, alg: "ES512" },
        keys.ed25519.jwk,
        { ...keys.oct.jwk, k: `${keys.oct.jwk.k}==` },
      ),
    );
    assert.ok(read.ok);
    const { x, y } = keys.p256.jwk;
    const large = keys.p521.jwk;
    assert.deepEqual(read.keys, [
      { kty: "RSA", kid: "\xc3\xa9", alg: "RS256", crv: undefined, jwk: { n, e } },
      { kty: "EC", kid: "", alg: "", crv: "P-256", jwk: { crv: "P-256", x, y } },
      { kty: "EC", kid: "", alg: "ES512", crv: "P-521", jwk: { crv: "P-521", x: large.x, y: large.y } },
      { kty: "OKP", kid: "", alg: "", crv: "Ed25519", jwk: { crv: "Ed25519", x: keys.ed25519.jwk.x } },
      { kty: "oct", kid: "", alg: "", crv: undefined, jwk: { k: keys.oct.jwk.k } },
    ]);
  });

  it("fills up the coordinates of a point", () => {
    const cut = (text: string | undefined) => {
      const bytes = Buffer.from(text ?? "", "base64url");
      return bytes.subarray(bytes.findIndex((byte) => byte !== 0)).toString("base64url");
    };
    const { x, y } = keys.p521.jwk;
    const read = readKeySet(set({ ...keys.p521.jwk, x: cut(x), y: cut(y) }));
    assert.ok(read.ok);
    assert.deepEqual(read.keys[0]?.jwk, { crv: "P-521", x, y });
  });

  it("leaves private halves where they were", () => {
    for (const key of [keys.rsa, keys.p384, keys.ed25519]) {
      const { d, p } = privateJwk(key);
      const read = readKeySet(set(privateJwk(key)));
      assert.ok(read.ok);
      const text = JSON.stringify(read);
      assert.ok(d !== undefined && !text.includes(d));
      assert.ok(p === undefined || !text.includes(p));
    }
  });

  it("notes what a key is for", () => {
    const uses: readonly (readonly [object, true | undefined])[] = [
      [{}, undefined],
      [{ use: "sig" }, undefined],
      [{ use: "enc" }, true],
      [{ use: 1 }, true],
      [{ use: null }, undefined],
      [{ key_ops: ["verify", "sign"] }, undefined],
      [{ key_ops: ["sign"] }, true],
      [{ key_ops: [] }, true],
      [{ key_ops: "encrypt" }, undefined],
    ];
    for (const [more, otherUse] of uses) {
      const read = readKeySet(set({ ...keys.p256.jwk, ...more }));
      assert.ok(read.ok);
      assert.equal(read.keys[0]?.otherUse, otherUse, JSON.stringify(more));
    }
  });

  it("says what is wrong", () => {
    const cases: readonly (readonly [string, "notKeySet" | "noUsableKey", string])[] = [
      ["", "notKeySet", "no JSON: the end of the text at character 0"],
      ["[]", "notKeySet", "no JSON: no JSON object at character 0"],
      ['{"é":1,', "notKeySet", "no JSON: no member name in quotes at character 7"],
      ['{"a":1,"a":2}', "notKeySet", "the member `a` twice"],
      ["{}", "notKeySet", "a single key instead of a set"],
      ["null", "notKeySet", "a single key instead of a set"],
      ['{"keys":null}', "notKeySet", "`keys` that is a JSON null"],
      ['{"keys":{}}', "notKeySet", "`keys` that is a JSON object"],
      ['{"keys":[]}', "noUsableKey", "an empty set"],
      ['{"keys":[1]}', "noUsableKey", "none: the first has a JSON number for a key"],
      [set({}), "noUsableKey", "none: the first has no `kty` that is text"],
      [set({ kty: "é" }), "noUsableKey", "none: the first has the unknown `kty` `é`"],
      [set({ kty: "RSA" }), "noUsableKey", "none: the first has no `n` that is base64url"],
      [
        set({ ...keys.rsa.jwk, e: "Ag" }),
        "noUsableKey",
        "none: the first has the exponent `2`, where 3 and 65537 are taken",
      ],
      [
        set({ kty: "RSA", n: "AQ", e: "AQAB" }),
        "noUsableKey",
        "none: the first has a modulus of 1 bits, where 512 to 16384 are taken",
      ],
      [set({ ...keys.p256.jwk, crv: "P-384" }), "noUsableKey", "none: the first has a point that is not on its curve"],
      [JSON.stringify({ a: pemOf(Buffer.from("x")) }), "noUsableKey", "a certificate that cannot be read under `a`"],
    ];
    for (const [text, kind, fault] of cases) {
      const read = readKeySet(text);
      assert.ok(!read.ok, text);
      assert.deepEqual([read.kind, read.fault], [kind, fault], text);
    }
    const single = readKeySet(JSON.stringify(keys.p256.jwk));
    assert.equal(single.ok ? undefined : single.help, 'write `{"keys": [KEY]}` around the key');
  });

  it("skips keys at fault as long as one is left", () => {
    const read = readKeySet(`{"keys":[1,{"kty":"RSA"},${JSON.stringify(keys.p256.jwk)}]}`);
    assert.ok(read.ok && read.keys.length === 1);
  });

  it("tells no key material", () => {
    for (const text of [
      set({ kty: "oct", k: "c2VjcmV0c2VjcmV0!" }),
      keySetOf([keys.oct], { alg: "RS256" }),
      `${keySetOf([keys.oct])} x`,
      keySetOf([keys.oct]).slice(0, -2),
    ]) {
      const read = readKeySet(text);
      assert.ok(!read.ok);
      assert.ok(!read.fault.includes("c2VjcmV0") && !read.fault.includes(keys.oct.jwk.k ?? "x"), read.fault);
    }
  });

  it("takes a certificate's key", () => {
    const n = Buffer.from(keys.rsa.jwk.n ?? "", "base64url");
    const text = JSON.stringify({ ké: pemOf(certificate({ key: rsaPublicKey(n, Buffer.from([1, 0, 1])) })) });
    const read = readKeySet(text);
    assert.ok(read.ok);
    const jwk = { n: keys.rsa.jwk.n, e: "AQAB" };
    assert.deepEqual(read.keys, [{ kty: "RSA", kid: "k\xc3\xa9", alg: "", crv: undefined, jwk }]);
  });

  it("survives any damage to a certificate", () => {
    const n = Buffer.from(keys.rsa.jwk.n ?? "", "base64url");
    const good = certificate({ key: rsaPublicKey(n, Buffer.from([1, 0, 1])) });
    let taken = 0;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(3), (at, byte, cut) => {
        const bad = Buffer.concat([good.subarray(0, at), Buffer.from([byte]), good.subarray(at + cut)]);
        taken += readKeySet(JSON.stringify({ a: pemOf(bad) })).ok ? 1 : 0;
        assert.ok((readDer(bad)?.sizeBytes ?? 0) <= bad.length);
      }),
      { seed: testSeed("certificates"), numRuns: 500 },
    );
    // A byte of the modulus or of a name may change, and the certificate still be one.
    assert.ok(taken > 0 && taken < 400);
  });
});
