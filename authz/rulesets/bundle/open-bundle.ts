import { createHash, verify } from "node:crypto";
import { CodedError } from "#platform/coded-error";
import type { Steps } from "#policy-compiler/ruleset/steps";
import { keyFingerprint, type TrustedKeys } from "./keys.ts";
import { type BundleParts, splitBundle } from "./layout.ts";
import { type BundleManifest, parseManifest } from "./manifest.ts";
import { signedBytes } from "./signed-bytes.ts";

/** A bundle whose signature, digest and size were found good. */
export interface OpenedBundle {
  readonly manifest: BundleManifest;
  /** The compiled rules; a view of the bundle's bytes. Not decoded yet. */
  readonly rules: Uint8Array;
  /** Fingerprint of the key. */
  readonly signer: string;
}

/**
 * Opens a bundle that one of the keys has signed, in steps of about a millisecond. ORDER: nothing of the manifest is read before its signature was found
 * good, and nothing of the rules before their digest was. Fails with `bundle/damaged` or `bundle/signature`.
 */
export function* openBundle(bytes: Uint8Array, { keys }: TrustedKeys): Steps<OpenedBundle> {
  const parts = splitBundle(bytes);
  const { signature } = parts;
  if (signature === undefined) throw new CodedError("bundle/signature", "the policy bundle is not signed");
  const signed = signedBytes(parts.manifest);
  const signer = keys.find((key) => verify(null, signed, key, signature));
  if (signer === undefined)
    throw new CodedError("bundle/signature", "the policy bundle is not signed by a trusted key, or was changed since");
  return { manifest: yield* checkContent(parts), rules: parts.rules, signer: keyFingerprint(signer) };
}

/** Bytes that are hashed between two interruptions. */
const hashRun = 256 * 1024;

/** The manifest of a bundle whose rules are those that it names. The signature is not looked at. Fails with `bundle/damaged`. */
export function* checkContent({ manifest: line, rules }: BundleParts): Steps<BundleManifest> {
  const manifest = parseManifest(Buffer.from(line).toString("utf8"));
  if (manifest === undefined) throw new CodedError("bundle/damaged", "the manifest of the policy bundle is none");
  if (rules.length !== manifest.sizeBytes) {
    const message = `the policy bundle has ${rules.length} bytes of rules, its manifest says ${manifest.sizeBytes}`;
    throw new CodedError("bundle/damaged", message);
  }
  const hash = createHash("sha256");
  for (let at = 0; at < rules.length; at += hashRun) {
    hash.update(rules.subarray(at, at + hashRun));
    yield;
  }
  if (hash.digest("hex") !== manifest.digest)
    throw new CodedError("bundle/damaged", "the rules of the policy bundle are not those of its manifest");
  return manifest;
}
