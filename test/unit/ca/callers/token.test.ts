import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { describe, it } from "node:test";
import { maxKeysTried, maxTokenBytes } from "#ca/callers/token";
import { prepareTokenIssuers } from "#ca/callers/token-issuers";
import type { Algorithm } from "#identity/token/token";
import {
  bothIssuers,
  cluster,
  keysOfText,
  nowMillis,
  nowSeconds,
  otherIssuer,
  projectedClaims,
  tokenScene,
} from "#test/support/ca/caller-tokens";
import { hmac, keySetOf, makeTestKeys, signWith, type TestKey } from "#test/support/tokens/test-keys";
import { headerOf, tokenOf, unsigned, withSignature } from "#test/support/tokens/token-text";

const keys = makeTestKeys();
const clusterKeys = (more: readonly TestKey[] = []) => ({
  [cluster]: keysOfText(keySetOf([keys.rsa, keys.p256, ...more])),
  [otherIssuer]: keysOfText(keySetOf([keys.otherP256, keys.ed25519])),
});

const text = (claims: unknown) => Buffer.from(JSON.stringify(claims)).toString("latin1");
const signed = (claims: unknown, key = keys.rsa, alg: Algorithm = "RS256", header: object = {}) =>
  tokenOf(key, alg, header, text(claims));

async function answerOf(token: string, at = nowMillis, scene = tokenScene(bothIssuers, clusterKeys())) {
  const answer = await scene.method(token, at);
  return answer.ok ? "" : answer.kind === "refused" ? answer.reason : `${answer.kind}: ${answer.reason}`;
}

describe("a token of an issuer", () => {
  it("proves its bearer, with all that it says", async () => {
    const { method } = tokenScene(bothIssuers, clusterKeys());
    const token = signed(projectedClaims());
    const answer = await method(token, nowMillis);
    assert.ok(answer.ok && answer.caller.method === "jwt");
    const { issuer, subject, claims, evidence } = answer.caller;
    assert.deepEqual({ issuer, subject }, { issuer: cluster, subject: "system:serviceaccount:foo:web" });
    assert.deepEqual(JSON.parse(JSON.stringify(claims)), projectedClaims());
    assert.match(evidence, /^[0-9a-f]{64}$/);
    assert.ok(!token.includes(evidence));
  });

  it("is taken with every asymmetric algorithm, by the key that goes with it", async () => {
    const each: readonly (readonly [Algorithm, TestKey])[] = [
      ["RS256", keys.rsa],
      ["RS384", keys.rsa],
      ["RS512", keys.rsa],
      ["PS256", keys.rsa],
      ["PS384", keys.rsa],
      ["PS512", keys.rsa],
      ["ES256", keys.p256],
      ["ES384", keys.p384],
      ["ES512", keys.p521],
      ["EdDSA", keys.ed25519],
    ];
    const states = { [cluster]: keysOfText(keySetOf(each.map(([, key]) => key).slice(5))) };
    for (const [alg, key] of each) {
      assert.equal(await answerOf(signed(projectedClaims(), key, alg), nowMillis, tokenScene(bothIssuers, states)), "");
    }
  });

  it("keeps what is odd in claims as what it is", async () => {
    const { method } = tokenScene(bothIssuers, clusterKeys());
    const body = JSON.stringify(projectedClaims({ name: "Zoë 😀", list: [1, null, { a: true }] }));
    const odd = `${body.slice(0, -1)},"__proto__":{"admin":true},"constructor":"x","hasOwnProperty":1}`;
    const answer = await method(tokenOf(keys.rsa, "RS256", {}, Buffer.from(odd).toString("latin1")), nowMillis);
    assert.ok(answer.ok && answer.caller.method === "jwt");
    const { claims } = answer.caller;
    assert.equal(Object.getPrototypeOf(claims), null);
    assert.equal(claims["admin"], undefined);
    assert.equal(claims["toString"], undefined);
    assert.equal(claims["name"], "Zoë 😀");
    assert.deepEqual(JSON.stringify(claims["list"]), '[1,null,{"a":true}]');
    const [, proto] = Object.entries(claims).find(([name]) => name === "__proto__") ?? [];
    assert.equal(JSON.stringify(proto), '{"admin":true}');
    assert.equal(claims["constructor"], "x");
    assert.equal(({} as { admin?: unknown }).admin, undefined);
  });

  it("tells names apart that look alike, a byte order mark in front among them", async () => {
    const { method } = tokenScene(bothIssuers, clusterKeys());
    const names = [
      "admin",
      "\ufeffadmin",
      "admin\u200b",
      "\u0430dmin",
      "admin\0",
      "a\u0301",
      "\u00e1",
      "\ufeff\ufeffadmin",
    ];
    const claims = projectedClaims({ ...Object.fromEntries(names.map((name) => [name, name])), list: names });
    const answer = await method(signed(claims), nowMillis);
    assert.ok(answer.ok && answer.caller.method === "jwt");
    assert.deepEqual(JSON.parse(JSON.stringify(answer.caller.claims)), claims);
    for (const sub of names) {
      const found = await method(signed(projectedClaims({ sub })), nowMillis);
      assert.ok(found.ok && found.caller.method === "jwt");
      assert.equal(found.caller.subject, sub);
    }
    assert.match(await answerOf(signed(projectedClaims({ iss: `\ufeff${cluster}` }))), /is not configured$/);
    assert.match(await answerOf(signed(projectedClaims({ aud: "\ufeffistio-ca" }))), /^it is for/);
  });

  it("is refused at a time that is none", async () => {
    assert.match(await answerOf(signed(projectedClaims()), Number.NaN), /^it has ended/);
  });

  /** Changes of good claims, and what is said of them; "" where they are as good. */
  const claimCases: readonly (readonly [
    name: string,
    changes: Readonly<Record<string, unknown>>,
    said: string | RegExp,
  ])[] = [
    ["an audience as text", { aud: "istio-ca" }, ""],
    ["an audience among others", { aud: ["a", "b", "istio-ca"] }, ""],
    ["no audience", { aud: undefined }, "it is for no audience, and not for `istio-ca`"],
    ["an empty list of audiences", { aud: [] }, "it is for no audience, and not for `istio-ca`"],
    ["another audience", { aud: "api" }, "it is for `api`, and not for `istio-ca`"],
    ["an audience in other case", { aud: "Istio-CA" }, /^it is for/],
    ["an audience with a slash", { aud: "istio-ca/" }, /^it is for/],
    ["an audience with a scheme", { aud: "https://istio-ca" }, /^it is for/],
    ["an audience with blanks", { aud: " istio-ca" }, /^it is for/],
    ["audiences in one text", { aud: "api,istio-ca" }, /^it is for/],
    ["audiences with one text among them", { aud: ["api istio-ca"] }, /^it is for/],
    ["audiences inside each other", { aud: [["istio-ca"]] }, /aud/],
    ["an audience that is an object", { aud: { "istio-ca": true } }, /aud/],
    ["an audience that is null", { aud: null }, /aud/],
    ["many audiences", { aud: ["a", "b", "c", "d", "e", "f"] }, /`d` and 2 more/],
    ["the other issuer's audience", { aud: ["garita"] }, /^it is for/],
    ["no end", { exp: undefined }, "it has no `exp`"],
    ["an end of 0", { exp: 0 }, "it has no `exp`"],
    ["an end of less than a second", { exp: 0.5 }, "it has no `exp`"],
    ["an end that is text", { exp: String(nowSeconds + 60) }, /exp/],
    ["an end that is null", { exp: null }, /exp/],
    ["an end that is a list", { exp: [nowSeconds + 60] }, /exp/],
    ["an end with a fraction", { exp: nowSeconds + 60.5 }, ""],
    ["an end with a fraction that is now", { exp: nowSeconds + 0.9 }, /^it has ended/],
    ["a negative end", { exp: -1 }, /exp/],
    ["a huge end", { exp: 2 ** 64 }, /exp/],
    ["a very far end", { exp: 2 ** 52 }, ""],
    ["an end in milliseconds of the past", { exp: 1 }, /^it has ended/],
    ["an end now", { exp: nowSeconds }, /^it has ended/],
    ["an end in a second", { exp: nowSeconds + 1 }, ""],
    ["no beginning", { nbf: undefined }, ""],
    ["a beginning in a minute", { nbf: nowSeconds + 60 }, ""],
    ["a beginning in more than a minute", { nbf: nowSeconds + 61 }, /^it is not valid yet/],
    ["a beginning that is text", { nbf: "0" }, /nbf/],
    ["issued in a minute", { iat: nowSeconds + 60 }, ""],
    ["issued in more than a minute", { iat: nowSeconds + 61 }, /^it is of the future/],
    ["issued, who knows", { iat: undefined }, ""],
    ["issued as text", { iat: "0" }, /iat/],
    ["no subject", { sub: undefined }, ""],
    ["a subject that is a number", { sub: 7 }, /sub/],
    ["a subject that is null", { sub: null }, /sub/],
    ["a subject that is a list", { sub: ["a"] }, /sub/],
    ["no issuer", { iss: undefined }, "it has no `iss`"],
    ["an empty issuer", { iss: "" }, "it has no `iss`"],
    ["an issuer that is a list", { iss: [cluster] }, /iss/],
    ["an issuer with a slash", { iss: `${cluster}/` }, /is not configured$/],
    ["an issuer in upper case", { iss: cluster.toUpperCase() }, /is not configured$/],
    ["a prefix of an issuer", { iss: cluster.slice(0, -1) }, /is not configured$/],
    ["a name of every object", { iss: "__proto__" }, /is not configured$/],
    ["an issuer with a password", { iss: "https://me:secret@issuer.example" }, /^the issuer `https:\/\/issuer/],
    ["the other issuer, whose key did not sign", { iss: otherIssuer, aud: "garita" }, /^no key of .* goes with/],
  ];
  for (const [name, changes, said] of claimCases) {
    it(`with ${name}`, async () => {
      const found = await answerOf(signed(projectedClaims(changes)));
      if (typeof said === "string") assert.equal(found, said);
      else assert.match(found, said);
    });
  }

  it("with a member twice, wherever it stands, is refused", async () => {
    const good = JSON.stringify(projectedClaims());
    for (const twice of [
      '"sub":"system:serviceaccount:foo:admin"',
      '"s\\u0075b":"b"',
      '"aud":"istio-ca"',
      '"iss":"x"',
    ]) {
      const body = `${good.slice(0, -1)},${twice}}`;
      assert.match(await answerOf(tokenOf(keys.rsa, "RS256", {}, body)), /invalid JSON/);
    }
    const nested = good.replace('"namespace":"foo"', '"namespace":"foo","namespace":"bar"');
    assert.notEqual(nested, good);
    assert.match(await answerOf(tokenOf(keys.rsa, "RS256", {}, nested)), /invalid JSON/);
    const header = '{"alg":"RS256","alg":"RS256"}';
    const text = unsigned(header, good);
    assert.match(await answerOf(withSignature(text, signWith(keys.rsa, text))), /invalid JSON/);
  });

  it("with JSON that only Envoy reads is refused", async () => {
    const good = JSON.stringify(projectedClaims());
    for (const body of [good.replaceAll('"', "'"), `${good.slice(0, -1)},}`, good.replace('"iss"', "iss")]) {
      assert.match(await answerOf(tokenOf(keys.rsa, "RS256", {}, body)), /invalid JSON/);
    }
  });

  it("is read up to its limit and no further", async () => {
    const { scene, method } = tokenScene(bothIssuers, clusterKeys());
    const filled = (length: number) => signed(projectedClaims({ x: "a".repeat(length) }));
    assert.equal(await answerOf(filled(11_000)), "");
    const long = filled(maxTokenBytes);
    const answer = await method(long, nowMillis);
    assert.deepEqual(answer, { ok: false, kind: "refused", reason: "more than 16384 bytes" });
    assert.equal(scene.keysLookedAt, 0);
  });

  it("that is no text of a token is refused before it is read", async () => {
    const good = signed(projectedClaims());
    const odd = [
      "",
      ".",
      "..",
      "a.b",
      "a.b.c.d",
      `${good}.`,
      `.${good}`,
      `${good}=`,
      ` ${good}`,
      `${good}\n`,
      "é.b.c",
      "💥",
      "\0",
    ];
    for (const token of odd)
      assert.match(await answerOf(token), /not three parts of base64url$/, JSON.stringify(token));
  });

  it("whose signature is not the key's is refused", async () => {
    const good = signed(projectedClaims());
    const [header = "", body = "", signature = ""] = good.split(".");
    const flipped = Buffer.from(signature, "base64url");
    flipped[0]! ^= 1;
    const other = Buffer.from(text(projectedClaims({ sub: "system:serviceaccount:foo:admin" })), "latin1");
    const bad = [
      `${header}.${body}.${flipped.toString("base64url")}`,
      `${header}.${other.toString("base64url")}.${signature}`,
      `${header}.${body}.AAAA`,
      signed(projectedClaims(), keys.otherRsa),
      signed(projectedClaims(), keys.otherP256, "ES256"),
    ];
    for (const token of bad) assert.match(await answerOf(token), /verification fails/);
    // The last byte of an RSA signature of 256 bytes leaves four bits over in base64url.
    assert.equal(signature.length, 342);
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(signature.at(-1)!);
    const loose = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + 1]!;
    assert.match(await answerOf(`${good.slice(0, -1)}${loose}`), /signature is an invalid Base64url/);
  });
});

describe("the algorithm of a token", () => {
  it("is never one of a secret: a public key is not even looked at", async () => {
    const { scene, method } = tokenScene(bothIssuers, {
      [cluster]: keysOfText(keySetOf([keys.rsa, keys.p256, keys.oct])),
    });
    const pem = createPublicKey({ key: keys.rsa.jwk, format: "jwk" }).export({ format: "pem", type: "spki" });
    for (const alg of ["HS256", "HS384", "HS512"] as const) {
      const content = unsigned(headerOf(alg), text(projectedClaims()));
      const forged = withSignature(content, hmac(Buffer.from(pem), content, `sha${alg.slice(2)}` as "sha256"));
      const shared = signed(projectedClaims(), keys.oct, alg);
      for (const token of [forged, shared]) {
        const answer = await method(token, nowMillis);
        assert.deepEqual(answer, { ok: false, kind: "refused", reason: `the symmetric algorithm \`${alg}\`` });
      }
    }
    assert.deepEqual({ verified: scene.verified, keysLookedAt: scene.keysLookedAt }, { verified: 0, keysLookedAt: 0 });
  });

  it("is none that is unknown, or none at all", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", "", "rs256", "ES256K", "RS1", "toString", null, 7, undefined]) {
      const content = unsigned(headerOf(alg), text(projectedClaims()));
      assert.match(await answerOf(withSignature(content, signWith(keys.rsa, content))), /\[alg\]/, String(alg));
      assert.match(await answerOf(`${content}.`), /not three parts/);
    }
  });

  it("goes with the key's type and curve", async () => {
    const { method } = tokenScene(bothIssuers, { [cluster]: keysOfText(keySetOf([keys.p384, keys.shortRsa])) });
    for (const token of [
      tokenOf(keys.p384, "ES256", {}, text(projectedClaims())),
      tokenOf(keys.shortRsa, "RS256", {}, text(projectedClaims())),
    ]) {
      const answer = await method(token, nowMillis);
      assert.ok(!answer.ok);
      assert.match(answer.reason, /goes with the algorithm/);
    }
  });
});

describe("the header of a token", () => {
  it("brings no key of its own", async () => {
    const mine = keys.otherRsa;
    const headers = [
      { jwk: mine.jwk },
      { jku: "https://evil.example/keys" },
      { x5u: "https://evil.example/chain" },
      { x5c: ["AAAA"] },
      { kid: "../../../../dev/null" },
      { kid: "' OR 1=1 --" },
      { kid: "__proto__" },
      { kid: "https://evil.example/keys" },
      { kid: "\0" },
    ];
    for (const header of headers) {
      assert.match(await answerOf(signed(projectedClaims(), mine, "RS256", header)), /verification fails/);
    }
  });

  it("names a key that then is the only one, and is missed where it is not there", async () => {
    const named = (key: TestKey, kid: string): TestKey => ({ ...key, jwk: { ...key.jwk, kid } });
    const { scene, method } = tokenScene(bothIssuers, {
      [cluster]: keysOfText(keySetOf([named(keys.rsa, "one"), named(keys.otherRsa, "two")])),
    });
    const by = async (key: TestKey, kid: string) => {
      const answer = await method(signed(projectedClaims(), key, "RS256", { kid }), nowMillis);
      return answer.ok ? "" : answer.reason;
    };
    assert.equal(await by(keys.rsa, "one"), "");
    assert.match(await by(keys.rsa, "two"), /verification fails/);
    assert.match(await by(keys.rsa, "three"), /^no key of .* is the one that the token names, `three`$/);
    assert.deepEqual(scene.missed, ["three"]);
  });

  it("has nothing that must be understood", async () => {
    for (const header of [{ crit: ["exp"] }, { crit: ["b64"], b64: false }, { crit: [] }]) {
      assert.notEqual(await answerOf(signed(projectedClaims(), keys.rsa, "RS256", header)), "");
    }
  });
});

describe("the keys of an issuer", () => {
  it("that are not there make the answer one for later", async () => {
    const { method } = tokenScene(bothIssuers, { [otherIssuer]: keysOfText('{"keys":[]}') });
    const answer = await method(signed(projectedClaims()), nowMillis);
    assert.ok(!answer.ok);
    assert.equal(answer.kind, "unavailable");
    assert.match(answer.reason, /have not been fetched$/);
    const unusable = await method(signed(projectedClaims({ iss: otherIssuer, aud: "garita" })), nowMillis);
    assert.ok(!unusable.ok);
    assert.equal(unusable.kind, "unavailable");
  });

  it("are not asked for where a token is refused anyway", async () => {
    const { scene, method } = tokenScene(bothIssuers, {});
    for (const changes of [{ aud: "x" }, { exp: 1 }, { iss: "x" }, { nbf: nowSeconds + 3600 }]) {
      const answer = await method(signed(projectedClaims(changes)), nowMillis);
      assert.ok(!answer.ok);
      assert.equal(answer.kind, "refused");
    }
    assert.equal(scene.keysLookedAt, 0);
  });

  it("are tried a few at most", async () => {
    const many = Array.from({ length: maxKeysTried + 1 }, (_, i) => (i % 2 === 0 ? keys.rsa : keys.otherRsa));
    const few = { [cluster]: keysOfText(keySetOf(many.slice(1))) };
    assert.equal(await answerOf(signed(projectedClaims()), nowMillis, tokenScene(bothIssuers, few)), "");
    const scene = tokenScene(bothIssuers, { [cluster]: keysOfText(keySetOf([...many, keys.p256])) });
    assert.match(await answerOf(signed(projectedClaims()), nowMillis, scene), /^5 keys of .* at most 4 are tried/);
    assert.equal(scene.scene.verified, 0);
    assert.equal(await answerOf(signed(projectedClaims(), keys.p256, "ES256"), nowMillis, scene), "");
  });
});

describe("a token that was found good", () => {
  it("is not verified again for a minute, and not beyond its end", async () => {
    const { scene, method } = tokenScene(bothIssuers, clusterKeys());
    const token = signed(projectedClaims());
    const first = await method(token, nowMillis);
    assert.deepEqual(await method(token, nowMillis + 59_999), first);
    assert.equal(scene.verified, 1);
    assert.ok((await method(token, nowMillis + 60_000)).ok);
    assert.equal(scene.verified, 2);

    const short = signed(projectedClaims({ exp: nowSeconds + 5 }));
    assert.ok((await method(short, nowMillis)).ok);
    assert.ok((await method(short, nowMillis + 4_999)).ok);
    assert.equal(scene.verified, 3);
    const late = await method(short, nowMillis + 5_000);
    assert.ok(!late.ok);
    assert.match(late.reason, /^it has ended/);
  });

  it("is looked at anew when the clock goes back, the keys change, or the configuration does", async () => {
    const { scene, method } = tokenScene(bothIssuers, clusterKeys());
    const token = signed(projectedClaims());
    assert.ok((await method(token, nowMillis)).ok);
    assert.ok((await method(token, nowMillis - 1)).ok);
    assert.equal(scene.verified, 2);
    const early = await method(token, nowMillis - 120_000);
    assert.ok(!early.ok);

    scene.states = { [cluster]: keysOfText(keySetOf([keys.otherRsa])) };
    assert.ok(!(await method(token, nowMillis)).ok);
    scene.states = {};
    const gone = await method(token, nowMillis);
    assert.ok(!gone.ok && gone.kind === "unavailable");

    scene.states = clusterKeys();
    assert.ok((await method(token, nowMillis)).ok);
    scene.issuers = prepareTokenIssuers(bothIssuers.map((each) => ({ ...each, audiences: ["other"] })));
    const other = await method(token, nowMillis);
    assert.ok(!other.ok);
    assert.match(other.reason, /^it is for/);
  });

  it("says nothing of another token", async () => {
    const { method } = tokenScene(bothIssuers, clusterKeys());
    const token = signed(projectedClaims());
    assert.ok((await method(token, nowMillis)).ok);
    const [header = "", body = "", signature = ""] = token.split(".");
    const changed = Buffer.from(body, "base64url").toString().replace("foo:web", "foo:adm");
    const answer = await method(`${header}.${Buffer.from(changed).toString("base64url")}.${signature}`, nowMillis);
    assert.ok(!answer.ok);
  });
});

describe("issuers of tokens", () => {
  it("name each source of keys once, as others name it", () => {
    const { keySources } = prepareTokenIssuers([
      ...bothIssuers,
      { issuer: "https://third.example/", audiences: undefined, keys: { kind: "discovery" } },
      { issuer: "inline", audiences: undefined, keys: { kind: "inline", text: "{}" } },
      { issuer: "same", audiences: undefined, keys: { kind: "inline", text: "{}" } },
    ]);
    assert.deepEqual(
      keySources.map(({ id }) => id),
      [
        `uri - ${cluster}/openid/v1/jwks`,
        `discovery - ${otherIssuer}`,
        "discovery - https://third.example",
        "inline {}",
      ],
    );
  });

  it("are not twice, not without a name, not without an audience", () => {
    const one = bothIssuers[0]!;
    for (const configs of [
      [one, one],
      [{ ...one, issuer: "" }],
      [{ ...one, audiences: [] }],
      [{ ...one, audiences: [""] }],
    ]) {
      assert.throws(() => prepareTokenIssuers(configs), /issuer/);
    }
  });
});
