import type { TokenClaims } from "#identity/token/token";

export interface PlainClaims {
  readonly claims: Readonly<Record<string, unknown>>;
  /** What they take in memory, roughly. */
  readonly sizeBytes: number;
}

/**
 * Claims as JSON with texts as people write them, a copy that shares nothing with the token. No object has a prototype: a claim `constructor` or `__proto__` is
 * there when the token has it, and means nothing else. Cost: linear; no claim is deeper than the parser lets it be.
 */
export function plainClaims(claims: TokenClaims): PlainClaims {
  let sizeBytes = 0;
  const plainText = (bytes: string): string => {
    sizeBytes += 24 + 2 * bytes.length;
    return textOf(bytes);
  };
  const plainObject = (value: object): Readonly<Record<string, unknown>> => {
    sizeBytes += 200;
    const members: Record<string, unknown> = Object.create(null);
    for (const [name, member] of Object.entries(value)) members[plainText(name)] = plain(member);
    return members;
  };
  const plain = (value: unknown): unknown => {
    sizeBytes += 24;
    if (typeof value === "string") return plainText(value);
    if (typeof value !== "object" || value === null) return value;
    return Array.isArray(value) ? value.map(plain) : plainObject(value);
  };
  return { claims: plainObject(claims), sizeBytes };
}

/**
 * INVARIANT: different bytes, which the parser found to be UTF-8, are different texts. A decoder that leaves out a byte order mark would make `admin` of the
 * name that somebody gave himself with one in front. The text is one of its own: V8's slices keep the whole text alive that they were cut from.
 */
function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
