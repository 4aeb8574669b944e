import assert from "node:assert/strict";
import { test } from "node:test";
import type { SeenResponse } from "./messages.ts";
import { type ScriptedStream, scriptDiscovery } from "./scripted-stream.ts";
import { createShelf, type Shelf, shelfUrl } from "./shelf.ts";

/** What happens: `Ask` is a request of the variant of the protocol under test. */
export type StreamStep<Ask> =
  | Ask
  | { readonly put: Readonly<Record<string, string>> }
  | { readonly remove: string }
  | { readonly stopReading: true }
  | { readonly drain: true };

export interface StreamCase<Ask> {
  readonly title: string;
  readonly path?: string;
  readonly wildcard?: boolean;
  readonly there?: Readonly<Record<string, string>>;
  /** Each with the responses that it brings, in the words of `StreamVariant.show`. */
  readonly steps: readonly (readonly [step: StreamStep<Ask>, responses: readonly string[]])[];
  readonly events?: readonly string[];
}

/** What every request says of a response. */
export interface Answer {
  /** Of the response with this place (from the first, counted from 0), or a text. */
  readonly nonce?: number | string;
  readonly nack?: string;
}

export interface StreamVariant<Ask extends Answer> {
  /** Of streams for one type. */
  readonly path: string;
  /** The message of a request; `answer`: the fields of it that speak of a response. */
  readonly encode: (ask: Ask, answer: AnswerFields) => Uint8Array;
  readonly show: (response: SeenResponse) => string;
}

export interface AnswerFields {
  readonly responseNonce: string;
  readonly errorDetail?: { readonly code: number; readonly message: string };
}

/** A test for each case: the responses to each step, the events that its type hears of, and nothing left when the client leaves. */
export function testStreams<Ask extends Answer>(variant: StreamVariant<Ask>, cases: readonly StreamCase<Ask>[]): void {
  for (const { title, path = variant.path, wildcard = false, there = {}, steps, events } of cases) {
    test(title, () => {
      const shelf = createShelf(there, { wildcard });
      const scripted = scriptDiscovery({ types: [shelf] });
      const stream = scripted.open(path);
      const all: SeenResponse[] = [];
      for (const [step, expected] of steps) {
        take(step, { variant, stream, shelf, all });
        scripted.turn();
        const seen = stream.take();
        all.push(...seen);
        assert.deepEqual(seen.map(variant.show), expected, JSON.stringify(step));
        for (const { typeUrl, nonce } of seen) assert.ok(typeUrl === shelfUrl && nonce !== "");
      }
      assert.equal(new Set(all.map(({ nonce }) => nonce)).size, all.length);
      assert.equal(stream.ending(), undefined);
      if (events !== undefined) assert.deepEqual(shelf.events, events);
      stream.leave();
      assert.equal(shelf.listeners.size, 0);
    });
  }
}

interface Scene<Ask extends Answer> {
  readonly variant: StreamVariant<Ask>;
  readonly stream: ScriptedStream;
  readonly shelf: Shelf;
  readonly all: readonly SeenResponse[];
}

function take<Ask extends Answer>(step: StreamStep<Ask>, { variant, stream, shelf, all }: Scene<Ask>): void {
  if ("put" in step) {
    for (const [name, version] of Object.entries(step.put)) shelf.putQuietly(name, version);
    shelf.tell();
  } else if ("remove" in step) shelf.remove(step.remove);
  else if ("stopReading" in step) stream.stopReading();
  else if ("drain" in step) stream.drain();
  else {
    const responseNonce = typeof step.nonce === "number" ? all[step.nonce]!.nonce : (step.nonce ?? "");
    const errorDetail = step.nack === undefined ? {} : { errorDetail: { code: 3, message: step.nack } };
    stream.message(variant.encode(step, { responseNonce, ...errorDetail }));
  }
}
