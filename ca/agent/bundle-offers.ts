import type { BundleOffer, BundleStanding } from "./contract.ts";

/** What the authority was told of a version. */
export interface OfferAnswer {
  readonly version: string;
  /** Undefined: everybody here has it. */
  readonly rejected: string | undefined;
}

/** Bundles that the authority sent, until it is told what became of them. */
export class BundleOffers {
  #waiting: { readonly offer: BundleOffer; readonly version: string }[] = [];
  #answer: OfferAnswer | undefined;
  #hasHeard = false;

  /** The answer that was given last. */
  get answer(): OfferAnswer | undefined {
    return this.#answer;
  }

  /** Was one sent over the connection that is open now? */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(offer: BundleOffer, version: string): void {
    this.#hasHeard = true;
    this.#waiting.push({ offer, version });
  }

  /** Another connection is opened: it will send its own. */
  restart(): void {
    this.#waiting = [];
    this.#hasHeard = false;
  }

  /**
   * Answers when it can be told: where a stream rejected the version that is in force, with its words, and when no stream waits for it and it is kept. What was offered before
   * and never answered is overtaken: whoever has the last has no use for it.
   */
  settle(version: string, { waiting, rejected }: BundleStanding, isKept: boolean): void {
    if (this.#waiting.at(-1)?.version !== version) return;
    if (rejected === undefined && (waiting > 0 || !isKept)) return;
    this.#answer = { version, rejected };
    for (const { offer } of this.#waiting.splice(0)) {
      if (rejected === undefined) offer.accept();
      else offer.reject(rejected);
    }
  }
}
