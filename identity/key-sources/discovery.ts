/** OpenID Connect Discovery 1.0, as far as Istio goes: where does an issuer publish its keys? */

export type DiscoveryRead =
  | { readonly ok: true; readonly jwksUri: string; readonly issuer: string | undefined }
  /** `fault` completes a sentence that ends in `found`. */
  | { readonly ok: false; readonly fault: string };

/** The address of the discovery document of a source's issuer (§4). The issuer's one trailing `/` is gone already. */
export function discoveryUri(issuer: string): string {
  return `${issuer}/.well-known/openid-configuration`;
}

/**
 * Reads the text of a discovery document. `issuer` is given back and not compared with the one that was asked for, though §4.3
 * wants them equal: Istio does not compare, issuers behind a proxy or with one name for many tenants differ, and the claim `iss` of every token is
 * compared with the policy's issuer anyway. `garita jwks fetch` tells the difference.
 */
export function readDiscovery(text: string): DiscoveryRead {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, fault: "no JSON" };
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    return { ok: false, fault: "no JSON object" };
  }
  const { jwks_uri: jwksUri, issuer } = document as { readonly jwks_uri?: unknown; readonly issuer?: unknown };
  if (typeof jwksUri !== "string" || jwksUri === "") return { ok: false, fault: "no `jwks_uri` that is text" };
  return { ok: true, jwksUri, issuer: typeof issuer === "string" ? issuer : undefined };
}
