import assert from "node:assert/strict";
import { deltaRequest, type SeenResponse, stateRequest } from "./messages.ts";
import type { ScriptedDiscovery, ScriptedStream } from "./scripted-stream.ts";
import { shelfUrl } from "./shelf.ts";

/** A client that follows the protocol, on one stream after the other; what it is sent waits until it is told to look at it. It asserts what the server owes it. */
export class ModelClient {
  readonly names = new Set<string>();
  /** Version by name of what it has accepted and not been told to be gone. */
  readonly held = new Map<string, string>();
  readonly #scripted: ScriptedDiscovery;
  readonly #path: string;
  readonly #isDelta: boolean;
  readonly #isSeparate: boolean;
  #stream: ScriptedStream;
  #begun = false;
  #lastNonce = "";
  #inbox: SeenResponse[] = [];
  /** What this stream has rejected: `NAME=VERSION`, or all of a response where it stands for all. */
  #rejected = new Set<string>();
  /** What was beside it in such a response. */
  #besideRejected = new Set<string>();

  constructor(scripted: ScriptedDiscovery, path: string) {
    this.#scripted = scripted;
    this.#path = path;
    this.#isDelta = path.includes("Delta");
    this.#isSeparate = path.includes("Secret");
    this.#stream = scripted.open(path);
  }

  add(name: string): void {
    if (this.names.has(name) && !this.#isDelta) return;
    this.names.add(name);
    this.#tellNames([name], []);
  }

  drop(name: string): void {
    // The last name stays: no names at all is another thing before the first.
    if (this.names.size < 2 || !this.names.delete(name)) return;
    // Without delta a server may never hear that a name was gone for a moment: what it brought is kept.
    if (this.#isDelta) this.held.delete(name);
    this.#tellNames([], [name]);
  }

  /** Looks at the next response, if one has come. False: none has. */
  look(rejects: boolean): boolean {
    this.#receive();
    const response = this.#inbox.shift();
    if (response === undefined) return false;
    this.#lastNonce = response.nonce;
    const seen = response.resources.map(({ text }) => text);
    assert.equal(new Set(response.resources.map(({ name }) => name)).size, seen.length, "a name twice");
    if (this.#isSeparate) assert.equal(seen.length + response.removed.length, 1);
    if (rejects && seen.length > 0) {
      const news = seen.filter((text) => !this.#holds(text));
      const blamed = this.#isWhole ? [wholeOf(response)] : news.length > 0 ? news : seen;
      if (!this.#isOvertaken(response)) for (const text of blamed) this.#rejected.add(text);
      for (const text of seen) this.#besideRejected.add(text);
    } else {
      for (const text of seen) {
        const [name, version] = text.split("=") as [string, string];
        if (this.names.has(name)) this.held.set(name, version);
      }
    }
    // What is gone is gone, whatever is thought of what came with it.
    for (const name of response.removed) this.held.delete(name);
    this.#send({ responseNonce: response.nonce, rejects: rejects && seen.length > 0, add: [], drop: [] });
    return true;
  }

  stopReading(): void {
    this.#stream.stopReading();
  }

  drain(): void {
    this.#stream.drain();
  }

  /** Comes again on a new stream. */
  reconnect(): void {
    this.#stream.leave();
    this.#stream = this.#scripted.open(this.#path);
    this.#inbox = [];
    this.#begun = false;
    this.#lastNonce = "";
    this.#rejected = new Set();
    this.#besideRejected = new Set();
    if (this.names.size > 0) this.#tellNames([...this.names], []);
  }

  /** Says a name that it once had, and a verdict, with a nonce that nobody gave. */
  babble(): void {
    if (!this.#begun) return;
    this.#stream.message(
      this.#isDelta
        ? deltaRequest({ typeUrl: shelfUrl, responseNonce: "0.0", errorDetail: { code: 3, message: "what?" } })
        : stateRequest({ typeUrl: shelfUrl, responseNonce: "0.0", errorDetail: { code: 3, message: "what?" } }),
    );
  }

  /** Nothing is on its way any more: has it everything that it did not reject? */
  check(current: (name: string) => string | undefined): void {
    for (const name of this.names) {
      const version = current(name);
      if (version === undefined) {
        if (this.#isDelta) assert.ok(!this.held.has(name), `${name} is gone`);
        continue;
      }
      if (this.#besideRejected.has(`${name}=${version}`)) continue;
      assert.equal(this.held.get(name), version, name);
    }
    assert.equal(this.#stream.ending(), undefined);
  }

  #holds(text: string): boolean {
    const [name, version] = text.split("=") as [string, string];
    return this.held.get(name) === version;
  }

  /** All resources are of one response, which is rejected as a whole. */
  get #isWhole(): boolean {
    return !this.#isDelta && !this.#isSeparate;
  }

  /** Was it followed by one that makes what is said of it stale, which the server has to ignore? */
  #isOvertaken({ resources }: SeenResponse): boolean {
    if (this.#isDelta) return false;
    return this.#inbox.some((later) => this.#isWhole || later.resources[0]?.name === resources[0]?.name);
  }

  /** What was rejected before it was sent must not be among it. */
  #receive(): void {
    for (const response of this.#stream.take()) {
      const texts = this.#isWhole ? [wholeOf(response)] : response.resources.map(({ text }) => text);
      for (const text of texts) assert.ok(!this.#rejected.has(text), `${text} again`);
      this.#inbox.push(response);
    }
  }

  #tellNames(add: readonly string[], drop: readonly string[]): void {
    // What is on its way is answered when it is looked at.
    this.#receive();
    this.#send({ responseNonce: this.#lastNonce, rejects: false, add, drop });
  }

  #send(told: {
    readonly responseNonce: string;
    readonly rejects: boolean;
    readonly add: readonly string[];
    readonly drop: readonly string[];
  }): void {
    const first = !this.#begun;
    this.#begun = true;
    const errorDetail = told.rejects ? { errorDetail: { code: 3, message: "no" } } : {};
    const { responseNonce } = told;
    if (!this.#isDelta) {
      this.#stream.message(
        stateRequest({ typeUrl: shelfUrl, resourceNames: [...this.names], responseNonce, ...errorDetail }),
      );
      return;
    }
    this.#stream.message(
      deltaRequest({
        typeUrl: shelfUrl,
        // A change of names is no answer: delta tells them apart by the nonce.
        responseNonce: told.add.length + told.drop.length > 0 ? "" : responseNonce,
        resourceNamesSubscribe: [...told.add],
        resourceNamesUnsubscribe: [...told.drop],
        initialResourceVersions: first ? Object.fromEntries(this.held) : {},
        ...errorDetail,
      }),
    );
  }
}

function wholeOf({ resources }: SeenResponse): string {
  return resources
    .map(({ text }) => text)
    .sort()
    .join(" ");
}
