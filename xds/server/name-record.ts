import { cutText } from "#platform/cut-text";
import type { NameStatus } from "../contract.ts";
import { discoveryLimits, shownBytes } from "../limits.ts";

const none: readonly string[] = [];

/** What one stream was sent of one name, and what it said of that. */
export class NameRecord {
  readonly name: string;
  /** It takes a part of the stream's quota, as what clients name does. */
  counted = false;
  /** It is asked for by its name. */
  named = false;
  /** A wildcard stands for it. */
  wild = false;
  /** It is to be answered, whatever was sent before. */
  due = false;
  /** The version that was sent last and not taken back. */
  sent: string | undefined;
  /** Delta: that there is none was told. */
  absent = false;
  /** Of the response that it was sent in last. */
  nonce: string | undefined;
  /** Responses that it was sent in, and of which nothing was said yet. */
  unanswered = 0;
  #acknowledged: { readonly version: string; readonly atMillis: number } | undefined;
  #rejected: NameStatus["rejected"];
  #rejectedVersions: readonly string[] = none;
  /** Number of the newest response that was answered: what is said later of an older one is no news. */
  #answered = 0;

  constructor(name: string) {
    this.name = name;
  }

  get wanted(): boolean {
    return this.named || this.wild;
  }

  get acknowledged(): string | undefined {
    return this.#acknowledged?.version;
  }

  /** Is it of use? Who rejected a version, or may reject one still, is not sent it again, though it asks for the name no more and then once more. */
  get isKept(): boolean {
    return this.wanted || this.unanswered > 0 || this.#rejectedVersions.length > 0;
  }

  isRejected(version: string): boolean {
    return this.#rejectedVersions.includes(version);
  }

  /** The client has the version that it was sent in the response with this number. */
  acknowledge(version: string, response: number, atMillis: number): void {
    if (response < this.#answered) return;
    this.#answered = response;
    this.#acknowledged = { version, atMillis };
    this.#rejected = undefined;
  }

  reject(version: string, response: number, message: string, atMillis: number): void {
    if (!this.isRejected(version))
      this.#rejectedVersions = [...this.#rejectedVersions, version].slice(-discoveryLimits.rejectedVersions);
    if (response < this.#answered) return;
    this.#answered = response;
    this.#rejected = { version, message, atMillis };
  }

  status(): NameStatus {
    return {
      name: cutText(this.name, shownBytes.name),
      sent: this.sent,
      acknowledged: this.#acknowledged?.version,
      acknowledgedAtMillis: this.#acknowledged?.atMillis,
      rejected: this.#rejected,
    };
  }
}
