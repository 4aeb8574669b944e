import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildRules } from "#authz/rulesets/build-rules";
import { buildBundle } from "#authz/rulesets/bundle/build-bundle";
import type { TrustedKeys } from "#authz/rulesets/bundle/keys";
import { signBundle } from "#authz/rulesets/bundle/sign-bundle";
import { decodeRuleSet } from "#policy-compiler/ruleset/codec";
import { allowing } from "#test/support/git/test-repository";

/** An Ed25519 pair, with the public half as PEM and as what is trusted. */
export function bundleKeys(): {
  readonly key: KeyObject;
  readonly publicPem: string;
  readonly privatePem: string;
  readonly trusted: TrustedKeys;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    key: privateKey,
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    trusted: { keys: [publicKey], mark: "test" },
  };
}

/** A folder's files `key.pem` (mode 0600) and `key.pub` (mode 0644), of a new pair. */
export function keyFiles(folder: string) {
  const pair = bundleKeys();
  const keyFile = join(folder, "key.pem");
  const publicKeyFile = join(folder, "key.pub");
  writeFileSync(keyFile, pair.privatePem, { mode: 0o600 });
  writeFileSync(publicKeyFile, pair.publicPem);
  chmodSync(publicKeyFile, 0o644);
  return { ...pair, keyFile, publicKeyFile };
}

export interface MadeBundle {
  readonly name?: string;
  readonly revision?: string;
  readonly timeSeconds?: number;
  readonly expiresSeconds?: number;
  /** Bytes instead of compiled rules. */
  readonly rules?: Uint8Array;
}

const december = Date.parse("2025-12-01T00:00:00Z") / 1000;

/** A bundle of one policy that allows `path`, signed where a key is given. */
export function makeBundle(path: string, key: KeyObject | undefined, made: MadeBundle = {}): Uint8Array {
  const built = buildRules([{ path: "a.yaml", bytes: new TextEncoder().encode(allowing(path)) }]);
  if (built.kind !== "built") throw new Error("the policy does not compile");
  const decoded = decodeRuleSet(built.bytes);
  if (!decoded.ok) throw new Error(decoded.fault);
  const rules = made.rules ?? built.bytes;
  const bundle = buildBundle({
    name: made.name,
    revision: made.revision ?? path,
    timeSeconds: made.timeSeconds ?? december,
    expiresSeconds: made.expiresSeconds,
    digest: createHash("sha256").update(rules).digest("hex"),
    files: 1,
    ruleSet: decoded.ruleSet,
    rules,
  });
  return key === undefined ? bundle : signBundle(bundle, key);
}

/** The time of a bundle that is given none, and some seconds more. */
export function laterSeconds(more: number): number {
  return december + more;
}
