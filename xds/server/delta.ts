import type { Resource } from "../contract.ts";
import { discoveryLimits } from "../limits.ts";
import type { DeltaRequest } from "../messages/decode-request.ts";
import type { DiscoveryAnswer } from "../messages/encode-response.ts";
import { NameRecords } from "./name-records.ts";
import { type SentItem, SentResponses, type Verdict } from "./sent-responses.ts";
import { type Nonces, type Subscription, type SubscriptionStart, type Taken, tooManyNames } from "./subscription.ts";

/**
 * The delta protocol (xDS protocol, "Incremental"): each request brings changes of what is asked for, and counts whatever its nonce. INVARIANTS: of what the client holds when the stream begins
 * (`initial_resource_versions`) only differences are sent; a name that is asked for and not there is told to be removed, once; one that is asked for again is answered again; what was
 * rejected is not sent again. Responses may be answered late, and in any order.
 */
export class Delta implements Subscription<DeltaRequest> {
  readonly records: NameRecords;
  readonly #separate: boolean;
  readonly #nonces: Nonces;
  readonly #sent: SentResponses;
  #begun = false;
  /** A wildcard is answered, even if it stands for nothing. */
  #wildcardDue = false;

  constructor({ view, separate, nonces, quota }: SubscriptionStart) {
    this.records = new NameRecords(view, quota);
    this.#sent = new SentResponses(this.records);
    this.#separate = separate;
    this.#nonces = nonces;
  }

  take(request: DeltaRequest, nowMillis: number): Taken {
    const first = !this.#begun;
    this.#begun = true;
    const verdicts = this.#answer(request, nowMillis);
    if (request.tooManyNames) return { verdicts, refusal: tooManyNames };
    this.#unsubscribe(request.unsubscribe);
    const { subscribe } = request;
    if (subscribe.includes("*") || (first && subscribe.length === 0)) {
      this.records.setWildcard(true);
      this.#wildcardDue = true;
    }
    for (const name of subscribe) {
      if (name === "*") continue;
      const record = this.records.want(name);
      if (record === undefined) return { verdicts, refusal: tooManyNames };
      if (record === "too long") continue;
      record.due = true;
      this.records.look(record);
    }
    const isHeld = !first || this.#hold(request.initialVersions, nowMillis, verdicts);
    return { verdicts, refusal: isHeld ? undefined : tooManyNames };
  }

  changed(): void {
    this.records.lookAtAll();
  }

  next(): DiscoveryAnswer | undefined {
    const { records } = this;
    const resources: Resource[] = [];
    const removed: string[] = [];
    const items: SentItem[] = [];
    let sizeBytes = 0;
    const isFull = () =>
      (this.#separate && resources.length + removed.length > 0) || sizeBytes > discoveryLimits.responseBytes;
    while (!isFull()) {
      const name = records.takeGone();
      if (name === undefined) break;
      removed.push(name);
      sizeBytes += name.length;
    }
    while (!isFull()) {
      const record = records.takePending();
      if (record === undefined) break;
      const resource = records.view.lookUp(record.name);
      if (resource === undefined) {
        if (record.due || record.sent !== undefined || !record.absent) {
          removed.push(record.name);
          sizeBytes += record.name.length;
        }
        record.sent = undefined;
        record.absent = true;
        record.due = false;
        continue;
      }
      const { version } = resource;
      const isNews = record.due || record.sent !== version;
      record.due = false;
      if (!isNews || record.isRejected(version)) continue;
      record.absent = false;
      record.sent = version;
      resources.push(resource);
      items.push({ record, version });
      sizeBytes += resource.body.length;
    }
    const isGreeting = this.#wildcardDue && !this.#separate;
    this.#wildcardDue = false;
    if (resources.length + removed.length === 0 && !isGreeting) return undefined;
    const { nonce, number } = this.#nonces.next();
    const version = items.length === 1 ? items[0]!.version : "";
    if (items.length > 0) this.#sent.add(nonce, { number, version, items, answered: false });
    return { nonce, version, resources, removed };
  }

  #answer({ nonce, error }: DeltaRequest, nowMillis: number): Verdict[] {
    const response = this.#sent.get(nonce);
    if (response === undefined) return [];
    const verdicts = this.#sent.answer(response, error, nowMillis);
    this.#sent.forget(nonce);
    return verdicts;
  }

  #unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") {
        this.records.setWildcard(false);
        continue;
      }
      const record = this.records.get(name);
      if (record?.named) this.records.unwant(record);
    }
  }

  /** What the client holds from another stream: what is still the same it has acknowledged, and need not be sent. All else is as if it held nothing. False: there is too much of it. */
  #hold(versions: ReadonlyMap<string, string>, nowMillis: number, verdicts: Verdict[]): boolean {
    for (const [name, version] of versions) {
      const record = this.records.get(name);
      if (record === undefined) {
        if (this.records.wildcard && !this.records.addGone(name)) return false;
        continue;
      }
      if (this.records.view.lookUp(name)?.version !== version) continue;
      record.due = false;
      record.sent = version;
      record.acknowledge(version, 0, nowMillis);
      verdicts.push({ kind: "acknowledged", name, version, message: undefined });
    }
    return true;
  }
}
