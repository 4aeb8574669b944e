import type { SpiffeIdPart } from "#policy-compiler/ruleset/model";
import { parseClaimPath } from "./claim-path.ts";

export type SpiffeIdTemplateParse =
  | { readonly ok: true; readonly parts: readonly SpiffeIdPart[] }
  /** `braces`: one without its other. `claim`: what stands in a pair of them, `text`, is no path of a claim. */
  | { readonly ok: false; readonly fault: "braces" }
  | { readonly ok: false; readonly fault: "claim"; readonly text: string };

/**
 * Cuts a SPIFFE ID at its braces, in which paths of claims stand: `/sa/{sub}`. No brace can be part of a SPIFFE ID or be written otherwise. Not checked:
 * what the parts make together (`spiffeIdPartsFault`). Total.
 */
export function parseSpiffeIdTemplate(text: string): SpiffeIdTemplateParse {
  const parts: SpiffeIdPart[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{", at);
    const plain = text.slice(at, open === -1 ? text.length : open);
    if (plain.includes("}")) return { ok: false, fault: "braces" };
    if (plain !== "") parts.push({ kind: "text", text: plain });
    if (open === -1) break;
    const close = text.indexOf("}", open);
    const inside = text.slice(open + 1, close === -1 ? text.length : close);
    if (close === -1 || inside.includes("{")) return { ok: false, fault: "braces" };
    const path = parseClaimPath(inside);
    if (path === undefined) return { ok: false, fault: "claim", text: inside };
    parts.push({ kind: "claim", path });
    at = close + 1;
  }
  return { ok: true, parts };
}
