import { toByteString } from "../byte-string.ts";
import type { ByteString } from "../model.ts";

/**
 * Why a value of `paths` is refused. The first four are Istio's: `glob-after-any`: a glob behind `{**}`; `braces`: a segment
 * with `{` or `}` that is no glob (refused in values without a template too); `empty-segment` and `characters`: a literal
 * segment of a template that is empty, or has a character outside `A-Z a-z 0-9 - . _ ~ % ! $ & ' ( ) + , ; : @ =`.
 * `aborts-envoy`: Istio takes the template and Envoy 1.40 ends its whole process over it, because it does not begin with
 * exactly one slash, or ends with more than one.
 */
export type PathFault = "glob-after-any" | "braces" | "empty-segment" | "characters" | "aborts-envoy";

export type PathParse =
  /** No template: the four-way pattern applies. */
  | { readonly kind: "pattern" }
  /** Literal pieces with globs between them; `pieces.length === globs.length + 1`. */
  | { readonly kind: "template"; readonly pieces: readonly ByteString[]; readonly globs: readonly Glob[] }
  /** `segment` is the part of the value that is at fault; `template` tells whether the value has a glob at all. */
  | { readonly kind: "refused"; readonly fault: PathFault; readonly segment: string; readonly template: boolean };

export type Glob = "*" | "**";

/** Does a value contain `{*}` or `{**}`, so that it is a URI template and no four-way pattern? */
function hasPathTemplate(text: string): boolean {
  return text.includes("{*}") || text.includes("{**}");
}

/** Reads one value of `paths` or `notPaths` by the rules of Istio's CheckValidPathTemplate and of Envoy's URI templates. */
export function parsePathTemplate(text: string): PathParse {
  const template = hasPathTemplate(text);
  const refused = (fault: PathFault, segment: string): PathParse => ({ kind: "refused", fault, segment, template });
  let anySeen = false;
  for (const segment of trimSlashes(text).split("/")) {
    if (segment === "{*}" || segment === "{**}") {
      if (anySeen) return refused("glob-after-any", segment);
      anySeen = segment === "{**}";
    } else if (/[{}]/.test(segment)) {
      return refused("braces", segment);
    } else if (template && segment === "") {
      return refused("empty-segment", segment);
    } else if (template && !/^[A-Za-z0-9\-._~%!$&'()+,;:@=]+$/.test(segment)) {
      return refused("characters", segment);
    }
  }
  if (!template) return { kind: "pattern" };
  if (!text.startsWith("/") || text.startsWith("//") || text.endsWith("//")) return refused("aborts-envoy", text);
  return split(text);
}

function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === "/") start++;
  while (end > start && text[end - 1] === "/") end--;
  return text.slice(start, end);
}

function split(text: string): PathParse {
  // With one capturing group the pieces and the globs alternate.
  const parts = text.split(/\{(\*\*?)\}/);
  const pieces: ByteString[] = [];
  const globs: Glob[] = [];
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 0) pieces.push(toByteString(part));
    else globs.push(part === "**" ? "**" : "*");
  }
  return { kind: "template", pieces, globs };
}
