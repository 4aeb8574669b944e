import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { acceptToken } from "#authz/authenticate/accept";
import { createPlan } from "#authz/authenticate/plan";
import { createTokenVerification } from "#authz/check/tokens/verification";
import { VerifiedTokens } from "#authz/check/tokens/verified-tokens";
import type { KeySets, KeyState } from "#identity/key-sources/contract";
import { parseToken } from "#identity/token/parse";
import type { Verification } from "#identity/token/verification";
import { compile } from "#policy-compiler/compile";
import { tokenOf } from "../../support/check/stages.ts";

const issuer = "https://issuer.example";

/** The providers of these JWT rules, as one edition of a policy folder makes them. */
function providersOf(...rules: readonly string[]) {
  const policy = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec: { jwtRules: [${rules.join(", ")}] }
`;
  const { ruleSet } = compile([{ path: "p.yaml", bytes: Buffer.from(policy) }]);
  return createPlan(ruleSet!.requestAuthentications.flatMap(({ jwtRules }) => jwtRules))!.providers;
}

const plain = `{ issuer: "${issuer}", jwksUri: "${issuer}/keys" }`;
const [provider] = providersOf(plain);

function parsed(text: string) {
  const parse = parseToken(text);
  assert.ok(parse.ok);
  return parse.token;
}

const keysOf = (version: number): KeyState => ({ kind: "keys", keys: { version, keys: [] } });
const pinned = (state: KeyState): KeySets => ({ of: () => state });

/** A verification in which every signature is found as told, once for each time that it is looked at. */
function verificationOf(found: () => Verification | Promise<Verification> = () => ({ ok: true })) {
  const seen: { looks: number; nowMillis: number; missed: string[] } = { looks: 0, nowMillis: 0, missed: [] };
  const tokens = createTokenVerification({
    maxTokenBytes: 64 * 1024,
    verifyToken() {
      seen.looks++;
      return found();
    },
    acceptToken,
    kept: new VerifiedTokens({ maxEntries: 100, maxBytes: 1024 * 1024 }),
    nowMillis: () => seen.nowMillis,
    algorithmFit: "envoy",
    missed: (_source, kid) => seen.missed.push(kid),
  });
  return { tokens, seen };
}

const text = tokenOf({ iss: issuer, sub: "alice" }, "A".repeat(86));

test("what is known of a token is known of nothing else", async () => {
  const { tokens } = verificationOf();
  assert.ok((await tokens.verify({ provider: provider!, token: parsed(text) }, pinned(keysOf(1)))).ok);
  assert.ok(tokens.known(text, provider!, pinned(keysOf(1)))?.ok);
  const other = (rule: string) => providersOf(rule)[0]!;
  const unknown: Readonly<Record<string, ReturnType<typeof tokens.known>>> = {
    "another token of the same end": tokens.known(
      tokenOf({ iss: issuer, sub: "root" }, "A".repeat(86)),
      provider!,
      pinned(keysOf(1)),
    ),
    "written in another way": tokens.known(`.${text}`, provider!, pinned(keysOf(1))),
    "other keys": tokens.known(text, provider!, pinned(keysOf(2))),
    "no keys any more": tokens.known(text, provider!, pinned({ kind: "unfetched" })),
    "no usable keys any more": tokens.known(text, provider!, pinned({ kind: "unusable" })),
    "a rule with other keys": tokens.known(
      text,
      other(`{ issuer: "${issuer}", jwksUri: "${issuer}/other" }`),
      pinned(keysOf(1)),
    ),
    "a rule of any issuer": tokens.known(text, other(`{ jwksUri: "${issuer}/keys" }`), pinned(keysOf(1))),
    "a rule that was edited": tokens.known(
      text,
      other(`{ issuer: "${issuer}", jwksUri: "${issuer}/keys", audiences: [a] }`),
      pinned(keysOf(1)),
    ),
    "a rule with another output": tokens.known(
      text,
      other(`{ issuer: "${issuer}", jwksUri: "${issuer}/keys", outputPayloadToHeader: x-p }`),
      pinned(keysOf(1)),
    ),
  };
  for (const [name, verdict] of Object.entries(unknown)) assert.equal(verdict, undefined, name);
  assert.ok(tokens.known(text, other(plain), pinned(keysOf(1)))?.ok, "a rule of another edition that says the same");
});

test("a token that has ended is not known any more, and neither is one that was refused", async () => {
  const { tokens, seen } = verificationOf();
  const ending = tokenOf({ iss: issuer, exp: 1000 });
  await tokens.verify({ provider: provider!, token: parsed(ending) }, pinned(keysOf(1)));
  seen.nowMillis = 1_060_000;
  assert.ok(tokens.known(ending, provider!, pinned(keysOf(1)))?.ok);
  seen.nowMillis = 1_060_001;
  assert.equal(tokens.known(ending, provider!, pinned(keysOf(1))), undefined);
  const refusing = verificationOf(() => ({ ok: false, fault: "signature" }));
  assert.equal(
    (await refusing.tokens.verify({ provider: provider!, token: parsed(text) }, pinned(keysOf(1)))).ok,
    false,
  );
  assert.equal(refusing.tokens.known(text, provider!, pinned(keysOf(1))), undefined);
});

test("checks that bring a new token at once share a look at its signature for the keys that both have pinned", async () => {
  const { promise, resolve } = Promise.withResolvers<Verification>();
  const { tokens, seen } = verificationOf(() => promise);
  const ask = (version: number) => tokens.verify({ provider: provider!, token: parsed(text) }, pinned(keysOf(version)));
  const asked = [ask(1), ask(1), ask(2)];
  assert.equal(seen.looks, 2);
  resolve({ ok: false, fault: "keyMissing" });
  for (const verdict of await Promise.all(asked)) assert.deepEqual(verdict, { ok: false, fault: "keyMissing" });
  await ask(1);
  assert.equal(seen.looks, 3);
});

test("a limit of 0 keeps nothing", () => {
  const accepted = acceptToken({ provider: provider!, token: parsed(text) });
  const knows = (maxEntries: number, maxBytes: number) => {
    const kept = new VerifiedTokens({ maxEntries, maxBytes });
    kept.set(text, provider!, 1, accepted);
    kept.drop("another");
    return [kept.size, kept.get(text, provider!, 1) !== undefined];
  };
  assert.deepEqual(knows(1, 10_000), [1, true]);
  for (const [entries, bytes] of [
    [0, 10_000],
    [1, 0],
    [0, 0],
  ] as const)
    assert.deepEqual(knows(entries, bytes), [0, false]);
});

test("tokens full of objects take no more memory than they may", () => {
  const kept = new VerifiedTokens({ maxEntries: 1000, maxBytes: 16 * 1024 * 1024 });
  const before = heapBytes();
  for (let i = 0; i < 200; i++) {
    // Three characters each, and two hundred bytes when read.
    const full = tokenOf(
      { iss: issuer, i, full: Array.from({ length: 15_000 }, () => ({})) },
      `${i}`.padStart(86, "A"),
    );
    kept.set(full, provider!, 1, acceptToken({ provider: provider!, token: parsed(full) }));
  }
  assert.ok(kept.size > 0);
  const grown = heapBytes() - before;
  assert.ok(grown < 32 * 1024 * 1024, `${kept.size} tokens in ${grown} bytes`);
});

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}
