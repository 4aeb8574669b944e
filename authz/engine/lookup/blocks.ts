import type { IpAddress } from "#authz/engine/attributes";
import type { IndexDimension } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { Candidates } from "./candidates.ts";

/** Blocks that are filed between two interruptions. */
const STEP = 1024;

/** Rules filed under address blocks: one hash for each prefix length that occurs, IPv4 and IPv6 apart. */
export class Blocks {
  readonly #v4: readonly { readonly mask: number; readonly rules: Map<number, readonly number[]> }[];
  readonly #v6: readonly { readonly prefixLength: number; readonly rules: Map<string, readonly number[]> }[];

  static *prepare(filed: IndexDimension["cidr"]): Steps<Blocks> {
    const v4 = new Map<number, Map<number, readonly number[]>>();
    const v6 = new Map<number, Map<string, readonly number[]>>();
    let done = 0;
    for (const { bytes, prefixLength, rules } of filed) {
      if (bytes.length === 4) table(v4, prefixLength).set(number4(bytes) & mask4(prefixLength), rules);
      else table(v6, prefixLength).set(masked6(bytes, prefixLength), rules);
      if (++done % STEP === 0) yield;
    }
    return new Blocks(v4, v6);
  }

  private constructor(
    v4: ReadonlyMap<number, Map<number, readonly number[]>>,
    v6: ReadonlyMap<number, Map<string, readonly number[]>>,
  ) {
    this.#v4 = [...v4].map(([prefixLength, rules]) => ({ mask: mask4(prefixLength), rules }));
    this.#v6 = [...v6].map(([prefixLength, rules]) => ({ prefixLength, rules }));
  }

  /** Offers the rules of every block that holds the address. */
  find({ bytes }: IpAddress, candidates: Candidates): void {
    if (bytes.length === 4) {
      const address = number4(bytes);
      for (const { mask, rules } of this.#v4) offer(rules.get(address & mask), candidates);
    } else if (bytes.length === 16) {
      for (const { prefixLength, rules } of this.#v6) offer(rules.get(masked6(bytes, prefixLength)), candidates);
    }
  }
}

function offer(rules: readonly number[] | undefined, candidates: Candidates): void {
  if (rules !== undefined) candidates.offer(rules);
}

function table<K>(tables: Map<number, Map<K, readonly number[]>>, prefixLength: number): Map<K, readonly number[]> {
  let found = tables.get(prefixLength);
  if (found === undefined) {
    found = new Map();
    tables.set(prefixLength, found);
  }
  return found;
}

function number4(bytes: ArrayLike<number>): number {
  return (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
}

function mask4(prefixLength: number): number {
  return prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
}

function masked6(bytes: ArrayLike<number>, prefixLength: number): string {
  let key = "";
  for (let i = 0; i < 16; i++) {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * i));
    key += String.fromCharCode(bytes[i]! & (0xff00 >> bits) & 0xff);
  }
  return key;
}
