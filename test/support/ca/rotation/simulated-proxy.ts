import type { BundleStream } from "#ca/rotation/contract";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { signLeaf } from "#test/support/ca/sign-leaf";
import type { Random } from "#test/support/random";
import type { EventQueue } from "./event-queue.ts";
import type { Pinned, SimulatedAuthority } from "./simulated-authority.ts";
import type { Stance, Trust, TrustOracle } from "./trust-oracle.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** What all proxies of a simulation share. */
export interface Mesh {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly authority: () => SimulatedAuthority;
  readonly oracle: TrustOracle;
  readonly leafMillis: number;
  /** Nobody is away, and no answer is lost: bundles alone are refused. */
  readonly isCalm: boolean;
  /** A number that nobody had. */
  readonly next: () => number;
}

/** The real certificate of a proxy that has one. */
export interface RealLeaf {
  readonly chain: readonly Uint8Array[];
  readonly anchors: () => Pinned["trust"]["anchors"];
}

interface Leaf {
  readonly fingerprint: string;
  readonly notAfterMillis: number;
  readonly leafRoot: string;
  readonly chain: readonly Uint8Array[];
}

/** One virtual proxy: `pilot` gets the bundle with its certificates alone, `agent` by a stream too. */
export class SimulatedProxy {
  readonly spiffeId: string;
  readonly #mesh: Mesh;
  readonly #kind: "pilot" | "agent";
  /** A real key: it gets real certificates. */
  readonly #realKey: SubjectPublicKey | undefined;
  #key = "";
  #leaf: Leaf | undefined;
  #trust: Pinned["trust"] | undefined;
  #isUp = true;
  #isReachable = true;
  #isGone = false;
  /** The request that is out; another answer than its own is of one that was given up. */
  #request = 0;
  #isAsking = false;
  #stream: { readonly fingerprint: string; acknowledged: string | undefined; rejected: string | undefined } | undefined;
  #pushedAtMillis = 0;
  #stance: Stance | undefined;

  constructor(mesh: Mesh, kind: "pilot" | "agent", realKey?: SubjectPublicKey) {
    this.#mesh = mesh;
    this.#kind = kind;
    this.#realKey = realKey;
    this.spiffeId = `spiffe://example.org/proxy/${mesh.next()}`;
    mesh.queue.after(this.#upTo(hour), () => this.#enrol());
    if (kind === "agent") this.#plan(5 * day, () => this.#dropStream(this.#upTo(10 * minute)));
    if (mesh.isCalm) return;
    this.#plan(60 * day, () => this.#leave());
    this.#plan(30 * day, () => this.#restart());
    // A real one stays: it is what the others are compared with.
    if (realKey === undefined) mesh.queue.after(this.#around(200 * day), () => this.#goForGood());
  }

  get stream(): BundleStream | undefined {
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    const { fingerprint, acknowledged, rejected } = stream;
    const words = rejected === undefined ? undefined : { version: rejected, message: "no" };
    return { spiffeId: this.spiffeId, fingerprint, node: "", acknowledged, rejected: words };
  }

  /** Undefined: it is not live, or has no real one. */
  get real(): RealLeaf | undefined {
    if (this.#realKey === undefined || this.#stance === undefined) return undefined;
    return { chain: this.#leaf!.chain, anchors: () => this.#trust!.anchors };
  }

  get stance(): Stance | undefined {
    return this.#stance;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The bundle changed: it comes by the stream, sooner or later. */
  push(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#mesh.queue.after(this.#upTo(2 * minute), () => {
      if (this.#stream !== stream) return;
      const { trust } = this.#mesh.authority().pinned(0);
      if (stream.acknowledged === trust.version) return;
      if (this.#mesh.random.below(100) < 3) {
        stream.rejected = trust.version;
        this.#mesh.queue.after(hour + this.#upTo(5 * hour), () => this.push());
        return;
      }
      this.#pushedAtMillis = this.#mesh.queue.nowMillis;
      this.#take(trust);
      stream.acknowledged = trust.version;
      stream.rejected = undefined;
    });
  }

  #take(trust: Pinned["trust"]): void {
    this.#trust = trust;
    this.#settle();
  }

  #settle(): void {
    const { queue, oracle } = this.#mesh;
    const isLive =
      this.#isUp && !this.#isGone && this.#leaf !== undefined && queue.nowMillis < this.#leaf.notAfterMillis;
    const trust: Trust | undefined = this.#trust;
    const after = isLive && trust !== undefined ? { leafRoot: this.#leaf!.leafRoot, trust } : undefined;
    const before = this.#stance;
    this.#stance = after;
    oracle.change(
      before,
      after,
      () => `${new Date(queue.nowMillis).toISOString()} by ${this.spiffeId} (${this.#kind})`,
    );
  }

  /** A first certificate, or one after the last has ended: for a new key, by a token. */
  #enrol(): void {
    this.#ask("join-token", "");
  }

  #renew(): void {
    const leaf = this.#leaf;
    const byCertificate = this.#kind === "agent" || this.#mesh.random.below(2) === 0;
    if (leaf === undefined || this.#mesh.queue.nowMillis >= leaf.notAfterMillis) this.#enrol();
    else this.#ask(byCertificate ? "x509-svid" : "jwt", byCertificate ? leaf.fingerprint : "a token");
  }

  #ask(method: string, evidence: string): void {
    if (this.#isGone || !this.#isUp || !this.#isReachable) return;
    const { queue, random, leafMillis, next } = this.#mesh;
    const request = next();
    this.#request = request;
    this.#isAsking = true;
    const askedAtMillis = queue.nowMillis;
    const key = method === "x509-svid" && random.below(3) === 0 ? this.#key : `key ${request}`;
    queue.after(this.#upTo(second), () => {
      // A replica may have looked at the store a minute ago.
      const pinned = this.#mesh.authority().pinned(random.below(2) * this.#upTo(minute));
      queue.after(this.#upTo(second), () => {
        const beginMillis = queue.nowMillis;
        const notAfterMillis = Math.min(beginMillis + leafMillis, pinned.issuing.notAfterMillis);
        const number = next();
        const fingerprint = `certificate ${number}`;
        this.#mesh.authority().store.certificates.push({
          number,
          serialHex: String(number),
          spiffeId: this.spiffeId,
          spkiHash: key,
          fingerprint,
          atMillis: beginMillis,
          notAfterMillis,
          issuerKeyId: pinned.issuing.keyId,
          method,
          evidence,
          bundleSequence: pinned.sequence,
        });
        const chain = this.#realChain(pinned, beginMillis, notAfterMillis - beginMillis);
        const leaf = { fingerprint, notAfterMillis, leafRoot: pinned.leafRoot, chain };
        if (!this.#mesh.isCalm && random.below(50) === 0) queue.after(second + this.#upTo(minute), () => this.#renew());
        else queue.after(this.#upTo(minute), () => this.#answered(request, askedAtMillis, key, leaf, pinned));
      });
    });
  }

  #answered(request: number, askedAtMillis: number, key: string, leaf: Leaf, pinned: Pinned): void {
    if (this.#request !== request || this.#isGone) return;
    const { queue, leafMillis } = this.#mesh;
    this.#isAsking = false;
    this.#key = key;
    this.#leaf = leaf;
    // What came by the stream meanwhile is newer than an answer to what was asked before.
    if (askedAtMillis >= this.#pushedAtMillis) this.#trust = pinned.trust;
    this.#settle();
    queue.after(leafMillis * 0.45 + this.#upTo(leafMillis * 0.1), () => {
      if (this.#leaf === leaf) this.#renew();
    });
    queue.after(leaf.notAfterMillis - queue.nowMillis, () => {
      if (this.#leaf === leaf) this.#settle();
      if (this.#stream?.fingerprint === leaf.fingerprint) this.#dropStream(this.#upTo(minute));
    });
    if (this.#kind === "agent" && this.#stream === undefined) this.#connect();
  }

  #realChain({ issuing }: Pinned, beginMillis: number, lifetimeMillis: number): readonly Uint8Array[] {
    if (this.#realKey === undefined) return [];
    return [signLeaf(issuing, this.#realKey, this.spiffeId, beginMillis, lifetimeMillis), issuing.certificate.der];
  }

  #connect(): void {
    const leaf = this.#leaf;
    const canOpen = this.#isUp && this.#isReachable && !this.#isGone && this.#stream === undefined;
    if (!canOpen || leaf === undefined || this.#mesh.queue.nowMillis >= leaf.notAfterMillis) return;
    this.#stream = { fingerprint: leaf.fingerprint, acknowledged: undefined, rejected: undefined };
    this.push();
  }

  #dropStream(againMillis: number): void {
    this.#stream = undefined;
    if (this.#kind === "agent") this.#mesh.queue.after(againMillis, () => this.#connect());
  }

  #leave(): void {
    if (this.#isAsking) {
      this.#mesh.queue.after(5 * minute, () => this.#leave());
      return;
    }
    this.#isReachable = false;
    this.#stream = undefined;
    const awayMillis = this.#mesh.random.below(3) === 0 ? this.#upTo(14 * day) : this.#upTo(day);
    this.#mesh.queue.after(awayMillis, () => {
      this.#isReachable = true;
      this.#renew();
      this.#connect();
    });
  }

  #restart(): void {
    if (this.#isAsking) {
      this.#mesh.queue.after(5 * minute, () => this.#restart());
      return;
    }
    this.#isUp = false;
    this.#stream = undefined;
    this.#settle();
    this.#mesh.queue.after(minute + this.#upTo(30 * minute), () => {
      this.#isUp = true;
      this.#settle();
      this.#renew();
      this.#connect();
    });
  }

  #goForGood(): void {
    this.#isGone = true;
    this.#stream = undefined;
    this.#settle();
  }

  /** Again and again, as long as it is there. */
  #plan(everyMillis: number, run: () => void): void {
    this.#mesh.queue.after(this.#around(everyMillis), () => {
      if (this.#isGone) return;
      run();
      this.#plan(everyMillis, run);
    });
  }

  #upTo(millis: number): number {
    return this.#mesh.random.below(Math.max(1, Math.floor(millis)));
  }

  #around(millis: number): number {
    return millis / 2 + this.#upTo(millis);
  }
}
