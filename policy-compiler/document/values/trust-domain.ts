import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ValueTest } from "#policy-compiler/ruleset/model";

export type TrustDomainTest = Extract<ValueTest, { kind: "trustDomain" }>;

/** Why a trust-domain pattern is refused: more than one star, a star that is not at an end, or a slash. */
export type TrustDomainFault = "stars" | "inner-star" | "slash";

export type TrustDomainParse =
  | { readonly ok: true; readonly test: TrustDomainTest }
  | { readonly ok: false; readonly fault: TrustDomainFault };

/**
 * A value of `trustDomains` or `source.trustDomain`: at most one star, and only at an end. `slashes` says whether a slash is
 * tolerated: Istio refuses it in `trustDomains` and lets it pass in the `when` key.
 */
export function parseTrustDomainPattern(text: string, slashes: "refused" | "tolerated"): TrustDomainParse {
  if (slashes === "refused" && text.includes("/")) return { ok: false, fault: "slash" };
  if (text === "*") return { ok: true, test: { kind: "trustDomain", op: "any" } };
  const star = text.indexOf("*");
  if (star === -1) return { ok: true, test: { kind: "trustDomain", op: "exact", text: toByteString(text) } };
  if (star !== text.lastIndexOf("*")) return { ok: false, fault: "stars" };
  if (star !== 0 && star !== text.length - 1) return { ok: false, fault: "inner-star" };
  const before = toByteString(text.slice(0, star));
  const after = toByteString(text.slice(star + 1));
  return { ok: true, test: { kind: "trustDomain", op: "star", before, after } };
}
