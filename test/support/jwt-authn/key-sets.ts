import type { Random } from "#test/support/random";
import type { SigningKey } from "./keys.ts";

export interface KeySetDraft {
  /** The JSON Web Key Set. */
  readonly text: string;
  /** The keys in it that Envoy takes, under the `kid` that they have there, with the `alg` that they say. */
  readonly keys: readonly PublishedKey[];
}

export interface PublishedKey {
  readonly key: SigningKey;
  /** Undefined: none. */
  readonly kid: string | undefined;
  readonly alg: string | undefined;
}

/** A set of one to four keys of any kind, with keys among them that Envoy skips; now and then none that it takes. */
export function randomKeySet(random: Random, ring: readonly SigningKey[]): KeySetDraft {
  const keys = random.chance(0.02)
    ? []
    : random.list(1, random.pick([1, 1, 2, 4]), () => publish(random, random.pick(ring)));
  const unusable = random.list(keys.length === 0 ? 1 : 0, random.pick([0, 0, 0, 2]), () => unusableKey(random, ring));
  const documents = [...keys.map((published) => document(random, published)), ...unusable];
  const ordered = random.chance(0.5) ? documents : documents.reverse();
  return { text: JSON.stringify({ keys: ordered }), keys };
}

function publish(random: Random, key: SigningKey): PublishedKey {
  return {
    key,
    kid: random.pick([key.name, key.name, key.name, undefined, "", "same"]),
    alg: random.chance(0.35) ? random.pick(Object.keys(key.algorithms)) : undefined,
  };
}

function document(random: Random, { key, kid, alg }: PublishedKey): object {
  return {
    ...key.jwk,
    ...(kid === undefined ? {} : { kid }),
    ...(alg === undefined ? {} : { alg }),
    ...(random.chance(0.2) ? { use: random.pick(["sig", "enc", ""]) } : {}),
    ...(random.chance(0.1) ? { key_ops: random.pick([["verify"], ["sign"], []]) } : {}),
    ...(random.chance(0.1) ? { "x-more": { nested: [1, null] } } : {}),
  };
}

/** A key that Istio's validation lets pass and Envoy's reader skips. */
function unusableKey(random: Random, ring: readonly SigningKey[]): object {
  const named = (name: string) => ring.find((key) => key.name === name)!.jwk;
  const { x: x256 = "", y: y256 = "" } = named("ec256-1");
  return random.pick<object>([
    { ...named("rsa-1"), e: "EQ" },
    { ...named("rsa-1"), alg: "HS256" },
    { ...named("rsa-1"), alg: "RSA-OAEP" },
    { kty: "RSA", n: "AQAB", e: "AQAB" },
    { ...named("ec256-1"), x: y256, y: x256 },
    { ...named("ec256-1"), crv: "P-384" },
    { ...named("ec256-1"), crv: "secp256k1" },
    { ...named("ec256-1"), alg: "ES384" },
    { ...named("ec256-1"), alg: "RS256" },
    { ...named("ed-1"), crv: "X25519" },
    { ...named("ed-1"), x: "AAAA" },
    { ...named("ed-1"), alg: "ES256" },
    { kty: "oct", k: "" },
    { ...named("oct-1"), alg: "A128KW" },
  ]);
}
