import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";

/** The words beside SPIFFE IDs. The same as SPIRE's agent has, so that one configuration of Envoy does for both. */
export const ownKeyName = "default";
export const ownBundleName = "ROOTCA";
export const allBundlesName = "ALL";

/** What a secret's name asks for. */
export type SecretName =
  /** The key of an identity; undefined: of the caller's own, whichever it is. */
  | { readonly kind: "key"; readonly id: SpiffeId | undefined }
  /** The bundle of one trust domain. */
  | { readonly kind: "bundle"; readonly trustDomain: string }
  /** Every bundle that the caller may have, each for its own trust domain. */
  | { readonly kind: "all-bundles" };

/**
 * Reads a secret's name as it stands, nothing folded: `default` or `spiffe://td/path` is a key, `ROOTCA` (of `trustDomain`) or `spiffe://td` a bundle, `ALL` all of them.
 * Undefined: it names nothing. Not checked: that there is such an identity or trust domain, and that the caller may have it.
 */
export function parseSecretName(text: string, trustDomain: string): SecretName | undefined {
  if (text === ownKeyName) return { kind: "key", id: undefined };
  if (text === ownBundleName) return { kind: "bundle", trustDomain };
  if (text === allBundlesName) return { kind: "all-bundles" };
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) return undefined;
  return parsed.id.path === ""
    ? { kind: "bundle", trustDomain: parsed.id.trustDomain }
    : { kind: "key", id: parsed.id };
}
