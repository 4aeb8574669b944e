import type { ByteString } from "#policy-compiler/ruleset/model";

const schemes = ["http://", "https://"] as const;

/** An audience as Envoy compares it: without one leading scheme and one trailing slash. Envoy: common/jwt, check_audience.cc. */
export function plainAudience(audience: ByteString): ByteString {
  const scheme = schemes.find((prefix) => audience.startsWith(prefix));
  return audience.slice(scheme?.length ?? 0, audience.endsWith("/") ? -1 : undefined);
}
