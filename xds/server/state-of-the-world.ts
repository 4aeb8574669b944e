import { createHash } from "node:crypto";
import type { Resource } from "../contract.ts";
import { discoveryLimits } from "../limits.ts";
import type { StateRequest } from "../messages/decode-request.ts";
import type { DiscoveryAnswer } from "../messages/encode-response.ts";
import type { NameRecord } from "./name-record.ts";
import { NameRecords } from "./name-records.ts";
import { type SentResponse, SentResponses, type Verdict } from "./sent-responses.ts";
import { type Nonces, type Subscription, type SubscriptionStart, type Taken, tooManyNames } from "./subscription.ts";

/**
 * The state of the world (xDS protocol, "State of the World"): each request brings all names. INVARIANTS: a request whose nonce is not that of the last response (where each resource has its
 * own: of the last one of a resource) is as if it had never come; acceptance and rejection are told by nonce and error alone; what was rejected is not sent again; a response has no name twice;
 * a name that nobody has is waited for in silence.
 */
export class StateOfTheWorld implements Subscription<StateRequest> {
  readonly records: NameRecords;
  readonly #separate: boolean;
  readonly #nonces: Nonces;
  readonly #sent: SentResponses;
  #lastNonce = "";
  #begun = false;
  #everNamed = false;
  /** Of all resources together: something may be to be sent. */
  #stale = false;
  /** And is to be sent, even if it is nothing. */
  #due = false;
  /** Versions of all resources together that were rejected. */
  #rejectedStates: readonly string[] = [];

  constructor({ view, separate, nonces, quota }: SubscriptionStart) {
    this.records = new NameRecords(view, quota);
    this.#sent = new SentResponses(this.records);
    this.#separate = separate;
    this.#nonces = nonces;
  }

  take(request: StateRequest, nowMillis: number): Taken {
    const first = !this.#begun;
    this.#begun = true;
    const verdicts: Verdict[] = [];
    if (!first) {
      const response = this.#sent.get(request.nonce);
      if (response === undefined && request.nonce !== this.#lastNonce) return { verdicts, refusal: undefined };
      if (response !== undefined) {
        if (request.error !== undefined && !response.answered && !this.#separate)
          this.#rejectedStates = [...this.#rejectedStates, response.version].slice(-discoveryLimits.rejectedVersions);
        verdicts.push(...this.#sent.answer(response, request.error, nowMillis));
      }
    }
    const refusal = request.tooManyNames || !this.#setNames(request.names) ? tooManyNames : undefined;
    return { verdicts, refusal };
  }

  changed(): void {
    this.records.lookAtAll();
    this.#stale = true;
  }

  next(): DiscoveryAnswer | undefined {
    return this.#separate ? this.#nextResource() : this.#nextState();
  }

  /** False: there are too many. */
  #setNames(names: readonly string[]): boolean {
    this.#everNamed ||= names.length > 0;
    const wildcard = names.includes("*") || !this.#everNamed;
    if (wildcard !== this.records.wildcard) {
      this.records.setWildcard(wildcard);
      this.#stale = wildcard;
      this.#due = wildcard;
    }
    const wanted = new Set(names);
    for (const record of this.records) if (record.named && !wanted.has(record.name)) this.records.unwant(record);
    for (const name of wanted) {
      if (name === "*") continue;
      const known = this.records.get(name)?.named === true;
      const record = this.records.want(name);
      if (record === undefined) return false;
      if (known || record === "too long") continue;
      record.due = true;
      this.records.look(record);
      this.#stale = true;
    }
    return true;
  }

  #nextResource(): DiscoveryAnswer | undefined {
    // This protocol cannot say of a secret that it is gone.
    this.records.clearGone();
    for (let record = this.records.takePending(); record !== undefined; record = this.records.takePending()) {
      const resource = this.records.view.lookUp(record.name);
      if (resource === undefined) continue;
      const { version } = resource;
      if ((!record.due && record.sent === version) || record.isRejected(version)) continue;
      const { nonce, number } = this.#nonces.next();
      if (record.nonce !== undefined) this.#sent.forget(record.nonce);
      record.due = false;
      record.sent = version;
      record.nonce = nonce;
      this.#remember(nonce, { number, version, items: [{ record, version }], answered: false });
      return { nonce, version, resources: [resource], removed: [] };
    }
    return undefined;
  }

  #nextState(): DiscoveryAnswer | undefined {
    if (!this.#stale) return undefined;
    this.#stale = false;
    const { records } = this;
    let isNews = this.#due || records.hasGone;
    const found: { readonly record: NameRecord; readonly resource: Resource }[] = [];
    for (const record of records) {
      if (!record.wanted) continue;
      const resource = records.view.lookUp(record.name);
      if (resource === undefined) {
        isNews ||= record.wild && record.sent !== undefined;
        record.sent = undefined;
        continue;
      }
      isNews ||= record.due || record.sent !== resource.version;
      found.push({ record, resource });
    }
    // Of names that nobody has there is nothing to say; that all there is is nothing is something.
    if (!isNews || (found.length === 0 && !records.wildcard)) return undefined;
    const version = stateVersion(found.map(({ resource }) => resource));
    if (this.#rejectedStates.includes(version)) return undefined;
    this.#due = false;
    records.clearGone();
    const items = found.map(({ record, resource }) => {
      record.due = false;
      record.sent = resource.version;
      return { record, version: resource.version };
    });
    const { nonce, number } = this.#nonces.next();
    this.#sent.clear();
    this.#remember(nonce, { number, version, items, answered: false });
    return { nonce, version, resources: found.map(({ resource }) => resource), removed: [] };
  }

  #remember(nonce: string, response: SentResponse): void {
    this.#lastNonce = nonce;
    this.#sent.add(nonce, response);
  }
}

/** Names what there are, whatever their order. */
function stateVersion(resources: readonly Resource[]): string {
  const lines = resources.map(({ name, version }) => JSON.stringify([name, version])).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 32);
}
