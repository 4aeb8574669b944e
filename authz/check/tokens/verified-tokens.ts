import { LRUCache } from "lru-cache";
import type { AcceptedToken, TokenProvider } from "#authz/authenticate/contract";
import type { JwtRule } from "#policy-compiler/ruleset/model";

/** How much is kept of tokens that were found good; 0 of either keeps none. */
export interface TokenCacheLimits {
  readonly maxEntries: number;
  /** Of tokens and what was made of them, as estimated. */
  readonly maxBytes: number;
}

interface Kept {
  readonly text: string;
  readonly rule: string;
  readonly keySet: number;
  readonly accepted: AcceptedToken;
}

/**
 * Tokens that were found good, by the whole token, the JWT rule and the version of the key set: with other keys nothing is known.
 *
 * PERF: looked up by the end of the token, the signature, and then compared whole: JavaScript would hash each fresh text of
 * some hundred characters (`bench/tokens.ts`).
 */
export class VerifiedTokens {
  /** Undefined: none may be kept. */
  readonly #byTail: LRUCache<string, readonly Kept[]> | undefined;

  /** The library takes 0 for no limit. */
  constructor({ maxEntries, maxBytes }: TokenCacheLimits) {
    if (maxEntries === 0 || maxBytes === 0) return;
    this.#byTail = new LRUCache({ max: maxEntries, maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  get size(): number {
    return this.#byTail?.size ?? 0;
  }

  get(text: string, provider: TokenProvider, keySet: number): AcceptedToken | undefined {
    const all = this.#byTail?.get(tailOf(text));
    if (all === undefined) return undefined;
    const rule = ruleText(provider.rule);
    for (const kept of all) {
      if (kept.keySet === keySet && kept.rule === rule && kept.text === text) return kept.accepted;
    }
    return undefined;
  }

  /** What is there under other key sets of the same rule goes: their keys are no longer asked for. */
  set(text: string, provider: TokenProvider, keySet: number, accepted: AcceptedToken): void {
    if (this.#byTail === undefined) return;
    const tail = tailOf(text);
    const rule = ruleText(provider.rule);
    const others = (this.#byTail.peek(tail) ?? []).filter((kept) => kept.text !== text || kept.rule !== rule);
    this.#byTail.set(tail, [{ text, rule, keySet, accepted }, ...others.slice(0, ALIKE - 1)]);
  }

  /** A token that has ended. */
  drop(text: string): void {
    this.#byTail?.delete(tailOf(text));
  }
}

/** Tokens with the same end, or rules that accept the same token: more of them push each other out. */
const ALIKE = 8;

/** The length of an Ed25519 or P-256 signature's second half in base64url, and more than any text that a client can aim at. */
const TAIL = 43;

function tailOf(text: string): string {
  return text.slice(-TAIL);
}

/** PERF: rules of another rule set are other objects, and mean the same when they say the same. */
const texts = new WeakMap<JwtRule, string>();

function ruleText(rule: JwtRule): string {
  let text = texts.get(rule);
  if (text === undefined) {
    text = JSON.stringify({ ...rule, origin: undefined });
    texts.set(rule, text);
  }
  return text;
}

/** Characters twice, for the token and for its claims and outputs; and the objects around them. */
function sizeOf(all: readonly Kept[]): number {
  let size = 200;
  for (const { text, accepted } of all) {
    size += 800 + 4 * text.length + sizeOfClaim(accepted.token.claims);
    for (const [name, value] of accepted.outputs) size += name.length + value.length;
  }
  return size;
}

/**
 * What a claim costs beside its characters, as measured: three bytes of a token can become an object of two hundred, and issuers sign what users
 * say about themselves. No claim is deeper than the parser lets it be.
 */
function sizeOfClaim(value: unknown): number {
  if (typeof value !== "object" || value === null) return 24;
  let size = Array.isArray(value) ? 48 : 200;
  for (const member of Object.values(value)) size += 48 + sizeOfClaim(member);
  return size;
}
