import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import { claimAt } from "./claims.ts";
import type { SpiffeIdPart } from "./contract.ts";

/** A SPIFFE ID some of whose path segments are made from claims. Made by `readTemplate` alone. */
export interface IdTemplate {
  readonly trustDomain: string;
  /** Of the path, in order; at least one has a claim. */
  readonly segments: readonly TemplateSegment[];
}

/** `before` + value of the claim + `after`; without a claim `before` is the whole segment. */
export interface TemplateSegment {
  readonly before: string;
  readonly claim: readonly string[] | undefined;
  readonly after: string;
}

const scheme = "spiffe://";

/**
 * Reads the parts of an entry's SPIFFE ID as a template. Undefined for what is none: without a claim, with a claim in the trust domain, with two claims
 * in one segment (two identities could then have one ID: `a-b` + `c` and `a` + `b-c`), or with texts that no SPIFFE ID has.
 */
export function readTemplate(parts: readonly SpiffeIdPart[]): IdTemplate | undefined {
  const [first, ...rest] = parts;
  if (first?.kind !== "text" || !first.text.startsWith(scheme)) return undefined;
  const [trustDomain = "", ...begun] = first.text.slice(scheme.length).split("/");
  if (begun.length === 0) return undefined;
  const segments = begun.map((before): TemplateSegment => ({ before, claim: undefined, after: "" }));
  for (const part of rest) {
    const last = segments.at(-1)!;
    if (part.kind === "claim") {
      if (last.claim !== undefined || part.path.length === 0) return undefined;
      segments[segments.length - 1] = { ...last, claim: part.path };
      continue;
    }
    const [onward = "", ...more] = part.text.split("/");
    segments[segments.length - 1] =
      last.claim === undefined ? { ...last, before: last.before + onward } : { ...last, after: last.after + onward };
    segments.push(...more.map((before): TemplateSegment => ({ before, claim: undefined, after: "" })));
  }
  const template = { trustDomain, segments };
  const hasClaim = segments.some(({ claim }) => claim !== undefined);
  // Any value that may stand for a claim will do to see whether the texts around it are those of a SPIFFE ID.
  return hasClaim && idOf(template, () => "x") !== undefined ? template : undefined;
}

/** The SPIFFE ID that a template gives the bearer of these claims; undefined when one of them is lacking, or is no text that may stand in a segment. */
export function fillTemplate(template: IdTemplate, claims: Readonly<Record<string, unknown>>): SpiffeId | undefined {
  return idOf(template, (path) => {
    const value = claimAt(claims, path);
    return typeof value === "string" && isPiece(value) ? value : undefined;
  });
}

/** Could the template give this ID to somebody? */
export function fitsTemplate({ trustDomain, segments }: IdTemplate, id: SpiffeId): boolean {
  if (id.trustDomain !== trustDomain) return false;
  const found = segmentsOf(id);
  return found.length === segments.length && segments.every((segment, i) => fitsSegment(segment, found[i] ?? ""));
}

/** The segments of an ID's path. */
export function segmentsOf({ path }: SpiffeId): readonly string[] {
  return path === "" ? [] : path.slice(1).split("/");
}

function fitsSegment({ before, claim, after }: TemplateSegment, found: string): boolean {
  if (claim === undefined) return found === before;
  if (found.length <= before.length + after.length || !found.startsWith(before) || !found.endsWith(after)) return false;
  return isPiece(found.slice(before.length, found.length - after.length));
}

/**
 * INVARIANT: a value never changes the number of segments, nor a text beside it: it holds no slash, and the whole is parsed by the one parser, which
 * refuses what is no SPIFFE ID.
 */
function idOf(
  { trustDomain, segments }: IdTemplate,
  textFor: (path: readonly string[]) => string | undefined,
): SpiffeId | undefined {
  let text = scheme + trustDomain;
  for (const { before, claim, after } of segments) {
    const value = claim === undefined ? "" : textFor(claim);
    if (value === undefined) return undefined;
    text += `/${before}${value}${after}`;
  }
  const parsed = parseSpiffeId(text);
  return parsed.ok ? parsed.id : undefined;
}

/** May a text stand in a path segment (SPIFFE-ID §2.2), by itself or beside other text? A dot and two dots are a way to other segments, never a name. */
function isPiece(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) && text !== "." && text !== "..";
}
