import { parseSpiffeId, type SpiffeIdFault } from "#identity/spiffe-id";
import type { SpiffeIdPart } from "./model.ts";

/** Why parts make no SPIFFE ID of a workload. */
export type SpiffeIdPartsFault =
  | { readonly kind: "id"; readonly fault: SpiffeIdFault | "no-path" }
  /** A claim in front of the path: whoever signs tokens would choose the trust domain. */
  | { readonly kind: "claim-before-path" }
  /** Two claims in one segment: `a-b` with `c` and `a` with `b-c` would be one identity. */
  | { readonly kind: "two-claims" };

/** What stands for a claim's value where only the text around it is looked at. */
const anyValue = "x";

/**
 * The first fault of the parts of a workload's SPIFFE ID, or undefined: texts and claims in turn, beginning with `spiffe://trust-domain/`, at most one
 * claim in each segment, and a SPIFFE ID with a path whatever segment's text the claims are (its length and dots aside, of which only the values
 * decide). Total.
 */
export function spiffeIdPartsFault(parts: readonly SpiffeIdPart[]): SpiffeIdPartsFault | undefined {
  let claimInSegment = false;
  let text = "";
  for (const part of parts) {
    if (part.kind === "claim") {
      // The path begins with the third slash.
      if (text.split("/").length < 4) return { kind: "claim-before-path" };
      if (claimInSegment) return { kind: "two-claims" };
      claimInSegment = true;
      text += anyValue;
    } else {
      if (part.text.includes("/")) claimInSegment = false;
      text += part.text;
    }
  }
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) return { kind: "id", fault: parsed.fault };
  return parsed.id.path === "" ? { kind: "id", fault: "no-path" } : undefined;
}

/** The trust domain of parts that have no fault. */
export function trustDomainOf(parts: readonly SpiffeIdPart[]): string {
  const [first] = parts;
  return (first?.kind === "text" ? first.text.split("/")[2] : undefined) ?? "";
}
