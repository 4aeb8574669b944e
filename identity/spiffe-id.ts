/** Lengths by SPIFFE-ID §2: a trust domain name is at most 255 bytes, a whole ID at most 2048. */
const MAX_TRUST_DOMAIN = 255;
const MAX_ID = 2048;
const SCHEME = "spiffe://";

export type SpiffeIdFault =
  | "empty"
  | "too-long"
  | "wrong-scheme"
  | "missing-trust-domain"
  | "trust-domain-too-long"
  | "bad-trust-domain-character"
  | "bad-path-character"
  | "empty-path-segment"
  | "dot-path-segment"
  | "trailing-slash";

export type ParsedSpiffeId =
  | { readonly ok: true; readonly id: SpiffeId }
  | { readonly ok: false; readonly fault: SpiffeIdFault };

/** A SPIFFE ID that is valid: whoever holds one need not look again. Made by `parseSpiffeId` alone. */
export class SpiffeId {
  /** Lower-case letters, digits, `.`, `-`, `_`. */
  readonly trustDomain: string;
  /** Empty for the ID of the trust domain itself, else begins with `/` and does not end with one. */
  readonly path: string;

  private constructor(trustDomain: string, path: string) {
    this.trustDomain = trustDomain;
    this.path = path;
  }

  /** The name of a workload in Istio's form, `/ns/NAMESPACE/sa/SERVICE_ACCOUNT` and nothing else; undefined for any other path. */
  get istioName(): { readonly namespace: string; readonly serviceAccount: string } | undefined {
    const [root, ns, namespace, sa, serviceAccount, ...more] = this.path.split("/");
    if (root !== "" || ns !== "ns" || sa !== "sa" || namespace === undefined || serviceAccount === undefined)
      return undefined;
    return more.length === 0 ? { namespace, serviceAccount } : undefined;
  }

  toString(): string {
    return SCHEME + this.trustDomain + this.path;
  }

  /** See `parseSpiffeId`. */
  static parse(text: string): ParsedSpiffeId {
    if (text === "") return failed("empty");
    if (text.length > MAX_ID) return failed("too-long");
    if (!text.startsWith(SCHEME)) return failed("wrong-scheme");
    const slash = text.indexOf("/", SCHEME.length);
    const trustDomain = slash < 0 ? text.slice(SCHEME.length) : text.slice(SCHEME.length, slash);
    const path = slash < 0 ? "" : text.slice(slash);
    const fault = trustDomainFault(trustDomain) ?? pathFault(path);
    return fault === undefined ? { ok: true, id: new SpiffeId(trustDomain, path) } : failed(fault);
  }
}

/**
 * Reads `spiffe://trust-domain/path`, strictly: SPIFFE-ID §2.1 (trust domain: `a-z 0-9 . - _`; no port, user, query,
 * fragment, escape) and §2.2 (path segments of `A-Z a-z 0-9 . - _`; none empty, none `.` or `..`; no slash at the end).
 * The scheme is taken in lower case only, and nothing is folded or decoded: two IDs are equal when their texts are.
 * Fails with a fault, never throws.
 */
export function parseSpiffeId(text: string): ParsedSpiffeId {
  return SpiffeId.parse(text);
}

function trustDomainFault(name: string): SpiffeIdFault | undefined {
  if (name === "") return "missing-trust-domain";
  if (name.length > MAX_TRUST_DOMAIN) return "trust-domain-too-long";
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (!isLower(c) && !isDigit(c) && !isMark(c)) return "bad-trust-domain-character";
  }
  return undefined;
}

function pathFault(path: string): SpiffeIdFault | undefined {
  if (path === "") return undefined;
  if (path.endsWith("/")) return "trailing-slash";
  for (const segment of path.slice(1).split("/")) {
    if (segment === "") return "empty-path-segment";
    if (segment === "." || segment === "..") return "dot-path-segment";
    for (let i = 0; i < segment.length; i++) {
      const c = segment.charCodeAt(i);
      if (!isLower(c) && !isUpper(c) && !isDigit(c) && !isMark(c)) return "bad-path-character";
    }
  }
  return undefined;
}

function isLower(c: number): boolean {
  return c >= 0x61 && c <= 0x7a;
}

function isUpper(c: number): boolean {
  return c >= 0x41 && c <= 0x5a;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** `.`, `-`, `_`. */
function isMark(c: number): boolean {
  return c === 0x2e || c === 0x2d || c === 0x5f;
}

function failed(fault: SpiffeIdFault): ParsedSpiffeId {
  return { ok: false, fault };
}
