/** What a proxy trusts: the roots of a bundle, by key id. */
export interface Trust {
  readonly version: string;
  readonly roots: ReadonlySet<string>;
}

/** How a live proxy meets others: the root that its certificate leads to, and the roots that it trusts. */
export interface Stance {
  readonly leafRoot: string;
  readonly trust: Trust;
}

/** One is enough; the first ones tell why. */
const mostKept = 100;

/**
 * Can every pair of live proxies complete a handshake, at every instant? Each must trust the root of the other's certificate. Proxies that stand alike are counted together: whether a pair fails is asked again
 * only when somebody takes a stance that nobody had.
 */
export class TrustOracle {
  readonly #leafRoots = new Map<string, number>();
  readonly #trusts = new Map<string, { readonly trust: Trust; count: number }>();
  readonly violations: string[] = [];
  checks = 0;

  /** A proxy changes how it stands; undefined: it is not live. */
  change(before: Stance | undefined, after: Stance | undefined, when: () => string): void {
    if (before !== undefined) {
      this.#leafRoots.set(before.leafRoot, this.#leafRoots.get(before.leafRoot)! - 1);
      this.#trusts.get(before.trust.version)!.count--;
    }
    if (after === undefined) return;
    const leaves = (this.#leafRoots.get(after.leafRoot) ?? 0) + 1;
    this.#leafRoots.set(after.leafRoot, leaves);
    const known = this.#trusts.get(after.trust.version) ?? { trust: after.trust, count: 0 };
    this.#trusts.set(after.trust.version, known);
    known.count++;
    if (leaves === 1 || known.count === 1) this.#check(when);
  }

  #check(when: () => string): void {
    this.checks++;
    for (const [leafRoot, leaves] of this.#leafRoots) {
      if (leaves === 0) continue;
      for (const { trust, count } of this.#trusts.values())
        if (count > 0 && !trust.roots.has(leafRoot) && this.violations.length < mostKept)
          this.violations.push(`${when()}: ${count} proxies refuse ${leaves} whose root is ${leafRoot.slice(0, 8)}`);
    }
  }
}
