import assert from "node:assert/strict";
import { stateRequest } from "#test/support/xds/messages";
import { adsPath, secretPath } from "#test/support/xds/scripted-stream";
import { shelfUrl } from "#test/support/xds/shelf";
import { type Answer, type StreamCase, testStreams } from "#test/support/xds/stream-cases";

interface Ask extends Answer {
  /** Names. */
  readonly ask: readonly string[];
}

const cases: readonly StreamCase<Ask>[] = [
  {
    title: "the first request is answered, an ACK is not",
    there: { a: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: ["a"], nonce: 0 }, []],
      [{ ask: ["a"], nonce: 0 }, []],
    ],
    events: ["acknowledged a=1"],
  },
  {
    title: "a first request with a nonce, a version and an error of another stream is answered like any other",
    there: { a: "1" },
    steps: [[{ ask: ["a"], nonce: "7.3", nack: "of another stream" }, ["a=1"]]],
    events: [],
  },
  {
    title: "content that changes is sent, the same content is not",
    there: { a: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ put: { a: "1" } }, []],
      [{ ask: ["a"], nonce: 0 }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { b: "1" } }, []],
    ],
  },
  {
    title: "what changes before its acknowledgement came is sent at once, and the late acknowledgement ignored",
    there: { a: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ ask: ["a"], nonce: 0 }, []],
      [{ ask: ["a"], nonce: 1 }, []],
    ],
    events: ["acknowledged a=2"],
  },
  {
    title: "a rejected version is not sent again, its successor is",
    there: { a: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: ["a"], nonce: 0, nack: "no\nkey" }, []],
      [{ put: { a: "1" } }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ ask: ["a"], nonce: 1 }, []],
      [{ put: { a: "1" } }, []],
      [{ ask: [], nonce: 1 }, []],
      [{ ask: ["a"], nonce: 1 }, []],
      [{ put: { a: "2" } }, ["a=2"]],
    ],
    events: ["rejected a=1: no key", "acknowledged a=2"],
  },
  {
    title: "after a rejection the nonce comes once more without the error, and is no acknowledgement",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: ["a"], nonce: 0, nack: "no" }, []],
      [{ ask: ["a", "b"], nonce: 0 }, ["b=1"]],
    ],
    events: ["rejected a=1: no"],
  },
  {
    title: "a stale nonce is as if it had never come: names and error with it",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ ask: ["a", "b"], nonce: 0, nack: "stale" }, []],
      [{ ask: ["a", "b"], nonce: "" }, []],
      [{ ask: ["a", "b"], nonce: "1.99" }, []],
      [{ ask: ["a", "b"], nonce: 1 }, ["b=1"]],
    ],
    events: ["acknowledged a=2"],
  },
  {
    title: "new names with an ACK are answered, and the old not again",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: ["a", "b"], nonce: 0 }, ["b=1"]],
    ],
    events: ["acknowledged a=1"],
  },
  {
    title: "new names with a NACK are answered",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: ["a", "b"], nonce: 0, nack: "no" }, ["b=1"]],
    ],
    events: ["rejected a=1: no"],
  },
  {
    title: "on a stream of secrets each is acknowledged by itself",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a", "b"] }, ["a=1", "b=1"]],
      [{ ask: ["a", "b"], nonce: 0 }, []],
      [{ ask: ["a", "b"], nonce: 1, nack: "no" }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { b: "2" } }, ["b=2"]],
      [{ ask: ["a", "b"], nonce: 2 }, []],
      [{ ask: ["a", "b"], nonce: 3 }, []],
    ],
    events: ["acknowledged a=1", "rejected b=1: no", "acknowledged a=2", "acknowledged b=2"],
  },
  {
    title: "a name that is asked for twice is sent once",
    there: { a: "1" },
    steps: [[{ ask: ["a", "a", "a"] }, ["a=1"]]],
  },
  {
    title: "a name that nobody has is waited for in silence",
    steps: [
      [{ ask: ["a"] }, []],
      [{ put: { b: "1" } }, []],
      [{ put: { a: "1" } }, ["a=1"]],
      [{ remove: "a" }, []],
      [{ put: { a: "1" } }, []],
      [{ put: { a: "2" } }, ["a=2"]],
    ],
  },
  {
    title: "no names after names: unsubscribed from all",
    there: { a: "1" },
    steps: [
      [{ ask: ["a"] }, ["a=1"]],
      [{ ask: [], nonce: 0 }, []],
      [{ put: { a: "2" } }, []],
      [{ ask: ["a"], nonce: 0 }, ["a=2"]],
    ],
  },
  {
    title: "what is subscribed to again is answered again, though nothing changed",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a", "b"] }, ["a=1", "b=1"]],
      [{ ask: ["b"], nonce: 1 }, []],
      [{ ask: ["a", "b"], nonce: 1 }, ["a=1"]],
    ],
  },
  {
    title: "no names at first, where a wildcard stands for none: silence",
    there: { a: "1" },
    steps: [
      [{ ask: [] }, []],
      [{ put: { a: "2" } }, []],
      [{ ask: ["a"], nonce: "" }, ["a=2"]],
    ],
  },
  {
    title: "no names at first, or an asterisk: all that there is",
    wildcard: true,
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: [] }, ["a=1", "b=1"]],
      [{ put: { c: "1" } }, ["c=1"]],
      [{ remove: "a" }, []],
      [{ ask: ["a"], nonce: 2 }, []],
      [{ put: { b: "2" } }, []],
      [{ ask: ["*"], nonce: 2 }, ["b=2", "c=1"]],
    ],
  },
  {
    title: "a client that reads slowly gets the newest, and nothing in between",
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a", "b"] }, ["a=1", "b=1"]],
      [{ stopReading: true }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { a: "3" } }, []],
      [{ put: { b: "2", a: "4" } }, []],
      [{ drain: true }, ["b=2", "a=4"]],
    ],
  },
  {
    title: "ADS: all in one response, and all again when one changes",
    path: adsPath,
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a", "b", "a", "none"] }, ["a=1 b=1"]],
      [{ ask: ["a", "b", "none"], nonce: 0 }, []],
      [{ put: { b: "2" } }, ["a=1 b=2"]],
      [{ ask: ["a", "b", "none"], nonce: 0 }, []],
      [{ ask: ["a", "b", "none"], nonce: 1 }, []],
      [{ put: { none: "1" } }, ["a=1 b=2 none=1"]],
      [{ ask: ["a"], nonce: 2 }, []],
      [{ put: { b: "3" } }, []],
    ],
    events: [
      "acknowledged a=1",
      "acknowledged b=1",
      "acknowledged a=1",
      "acknowledged b=2",
      "acknowledged a=1",
      "acknowledged b=2",
      "acknowledged none=1",
    ],
  },
  {
    title: "ADS: what was rejected as a whole is not sent again as a whole, and blame falls on what is new",
    path: adsPath,
    there: { a: "1", b: "1" },
    steps: [
      [{ ask: ["a", "b"] }, ["a=1 b=1"]],
      [{ ask: ["a", "b"], nonce: 0 }, []],
      [{ put: { b: "bad" } }, ["a=1 b=bad"]],
      [{ ask: ["a", "b"], nonce: 1, nack: "bad" }, []],
      [{ put: { b: "1" } }, ["a=1 b=1"]],
      [{ put: { b: "bad" } }, []],
      [{ put: { a: "2" } }, ["a=2 b=bad"]],
    ],
    events: ["acknowledged a=1", "acknowledged b=1", "rejected b=bad: bad"],
  },
  {
    title: "ADS: a wildcard is answered even with nothing, and tells what is gone",
    path: adsPath,
    wildcard: true,
    steps: [
      [{ ask: [] }, [""]],
      [{ put: { a: "1", b: "1" } }, ["a=1 b=1"]],
      [{ remove: "a" }, ["b=1"]],
      [{ remove: "b" }, [""]],
      [{ put: {} }, []],
    ],
  },
];

testStreams<Ask>(
  {
    path: secretPath,
    encode: ({ ask }, answer) =>
      // Whatever the version says: nonce and error alone tell.
      stateRequest({ typeUrl: shelfUrl, resourceNames: [...ask], versionInfo: "nothing of ours", ...answer }),
    // Texts of the resources of one response beside each other.
    show({ resources, version }) {
      assert.notEqual(version, "");
      return resources.map(({ text }) => text).join(" ");
    },
  },
  cases,
);
