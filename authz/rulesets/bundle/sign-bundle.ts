import { type KeyObject, sign } from "node:crypto";
import { finish } from "#policy-compiler/ruleset/steps";
import { joinBundle, splitBundle } from "./layout.ts";
import { checkContent } from "./open-bundle.ts";
import { signedBytes } from "./signed-bytes.ts";

/**
 * The bundle with the signature of this Ed25519 key (RFC 8032) in the place of whatever stood there. Deterministic. Fails with `bundle/damaged`: what is
 * not whole is not signed.
 */
export function signBundle(bytes: Uint8Array, key: KeyObject): Uint8Array {
  const parts = splitBundle(bytes);
  finish(checkContent(parts));
  return joinBundle({ ...parts, signature: sign(null, signedBytes(parts.manifest), key) });
}
