import type { Algorithm } from "#identity/token/token";
import { segment } from "./parse-cases.ts";
import { type Digest, type SigningOptions, signWith, type TestKey, type TestKeys } from "./test-keys.ts";

/** A payload that nobody has anything against. */
export const payload = '{"iss":"issuer","sub":"alice","aud":"istio-ca","exp":4102444800}';

export const headerOf = (alg: unknown, more: object = {}) => JSON.stringify({ alg, ...more });

/** `header.payload` of byte strings. */
export const unsigned = (header: string, body = payload) => `${segment(header)}.${segment(body)}`;

export const withSignature = (signed: string, signature: Uint8Array) =>
  `${signed}.${Buffer.from(signature).toString("base64url")}`;

/** A token whose signature is as `alg` says. */
export function tokenOf(key: TestKey, alg: Algorithm, more: object = {}, body = payload): string {
  const signed = unsigned(headerOf(alg, more), body);
  return withSignature(signed, signWith(key, signed, optionsOf(alg)));
}

export function optionsOf(alg: Algorithm): SigningOptions {
  return { digest: `sha${alg === "EdDSA" ? 512 : alg.slice(2)}` as Digest, pss: alg.startsWith("PS") };
}

/** The key that an algorithm goes with, and another of its kind. */
export function keysFor(keys: TestKeys, alg: Algorithm): readonly [TestKey, TestKey] {
  if (alg.startsWith("RS") || alg.startsWith("PS")) return [keys.rsa, keys.otherRsa];
  if (alg.startsWith("HS")) return [keys.oct, keys.otherOct];
  if (alg === "ES256") return [keys.p256, keys.otherP256];
  if (alg === "ES384") return [keys.p384, keys.otherP384];
  return alg === "ES512" ? [keys.p521, keys.otherP521] : [keys.ed25519, keys.otherEd25519];
}
