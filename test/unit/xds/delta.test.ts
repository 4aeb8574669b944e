import assert from "node:assert/strict";
import { test } from "node:test";
import { deltaRequest } from "#test/support/xds/messages";
import { deltaAdsPath, deltaSecretPath, scriptDiscovery } from "#test/support/xds/scripted-stream";
import { createShelf, shelfUrl } from "#test/support/xds/shelf";
import { type Answer, type StreamCase, testStreams } from "#test/support/xds/stream-cases";

interface Ask extends Answer {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
  readonly held?: Readonly<Record<string, string>>;
}

const cases: readonly StreamCase<Ask>[] = [
  {
    title: "a subscription is answered, an ACK is not, a change is told",
    there: { a: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ nonce: 0 }, []],
      [{ put: { a: "1" } }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ nonce: 1 }, []],
    ],
    events: ["acknowledged a=1", "acknowledged a=2"],
  },
  {
    title: "a name that nobody has is told to be removed, once, and sent when it is there",
    steps: [
      [{ add: ["a"] }, ["-a"]],
      [{ nonce: 0 }, []],
      [{ put: { b: "1" } }, []],
      [{ put: { a: "1" } }, ["a=1"]],
      [{ remove: "a" }, ["-a"]],
      [{ put: { b: "2" } }, []],
      [{ put: { a: "1" } }, ["a=1"]],
    ],
    events: [],
  },
  {
    title: "on a stream of secrets there is one resource, or one removal, in a response",
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["a", "none", "b", "other"] }, ["a=1", "-none", "b=1", "-other"]],
      [{ nonce: 2, nack: "no" }, []],
      [{ nonce: 0 }, []],
    ],
    events: ["rejected b=1: no", "acknowledged a=1"],
  },
  {
    title: "a rejected version is not sent again, not even to who asks again, and its successor is",
    there: { a: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ nonce: 0, nack: "no" }, []],
      [{ put: { a: "1" } }, []],
      [{ add: ["a"] }, []],
      [{ drop: ["a"] }, []],
      [{ add: ["a"] }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { a: "1" } }, []],
    ],
    events: ["rejected a=1: no"],
  },
  {
    title: "who asks again is answered again, though nothing changed",
    there: { a: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ nonce: 0 }, []],
      [{ add: ["a"] }, ["a=1"]],
      [{ add: ["none"] }, ["-none"]],
      [{ add: ["none"] }, ["-none"]],
    ],
  },
  {
    title: "changes count with a nonce that nobody gave, and its verdict does not",
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ nonce: "9.9", nack: "stale", add: ["b"], drop: ["a"] }, ["b=1"]],
      [{ put: { a: "2" } }, []],
      [{ put: { b: "2" } }, ["b=2"]],
    ],
    events: [],
  },
  {
    title: "new names with a NACK are answered",
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ nonce: 0, nack: "no", add: ["b"] }, ["b=1"]],
    ],
    events: ["rejected a=1: no"],
  },
  {
    title: "acknowledgements come late, out of step, and each is of what its nonce brought",
    there: { a: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { a: "3" } }, ["a=3"]],
      [{ nonce: 1 }, []],
      [{ nonce: 0, nack: "no" }, []],
      [{ nonce: 2 }, []],
      [{ nonce: 2 }, []],
      [{ put: { a: "1" } }, []],
    ],
    events: ["acknowledged a=2", "rejected a=1: no", "acknowledged a=3"],
  },
  {
    title: "of what the client holds only differences are sent",
    there: { a: "1", b: "2", c: "1" },
    steps: [
      [{ add: ["a", "b", "c", "d"], held: { a: "1", b: "1", d: "1", other: "1" } }, ["b=2", "c=1", "-d"]],
      [{ add: ["a"], held: { a: "1" } }, ["a=1"]],
    ],
    events: ["acknowledged a=1"],
  },
  {
    title: "names that are unsubscribed from are not told of, and those that were never asked for may be",
    there: { a: "1" },
    steps: [
      [{ add: ["a"] }, ["a=1"]],
      [{ drop: ["a", "never"] }, []],
      [{ put: { a: "2" } }, []],
      [{ remove: "a" }, []],
    ],
  },
  {
    title: "a name that is asked for twice is sent once",
    there: { a: "1" },
    steps: [[{ add: ["a", "a"] }, ["a=1"]]],
  },
  {
    title: "a wildcard of nothing is silent, and stays beside names",
    there: { a: "1" },
    steps: [
      [{}, []],
      [{ add: ["a"] }, ["a=1"]],
    ],
  },
  {
    title: "a client that reads slowly gets the newest, and nothing in between",
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["a", "b"] }, ["a=1", "b=1"]],
      [{ stopReading: true }, []],
      [{ put: { a: "2" } }, ["a=2"]],
      [{ put: { a: "3" } }, []],
      [{ remove: "b" }, []],
      [{ put: { b: "1", a: "4" } }, []],
      [{ drain: true }, ["a=4"]],
    ],
  },
  {
    title: "ADS: all that there are in one response, and then what changed",
    path: deltaAdsPath,
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["a", "b", "none"] }, ["a=1 b=1 -none"]],
      [{ nonce: 0 }, []],
      [{ put: { b: "2", none: "1" } }, ["b=2 none=1"]],
      [{ nonce: 1, nack: "no" }, []],
      [{ put: { a: "2" } }, ["a=2"]],
    ],
    events: ["acknowledged a=1", "acknowledged b=1", "rejected b=2: no", "rejected none=1: no"],
  },
  {
    title: "ADS: a wildcard is answered, at first even with nothing, and tells what comes and goes",
    path: deltaAdsPath,
    wildcard: true,
    steps: [
      [{}, [""]],
      [{ put: { a: "1", b: "1" } }, ["a=1 b=1"]],
      [{ remove: "a" }, ["-a"]],
      [{ put: { a: "1" } }, ["a=1"]],
      [{ drop: ["*"] }, []],
      [{ put: { a: "2" } }, []],
    ],
  },
  {
    title: "ADS: a wildcard beside a name; the name is dropped and the wildcard stands for it still",
    path: deltaAdsPath,
    wildcard: true,
    there: { a: "1", b: "1" },
    steps: [
      [{ add: ["*", "a", "none"] }, ["a=1 b=1 -none"]],
      [{ drop: ["a", "none"] }, ["a=1"]],
      [{ add: ["a"] }, ["a=1"]],
      [{ drop: ["*"] }, []],
      [{ put: { a: "2", b: "2" } }, ["a=2"]],
    ],
  },
  {
    title: "ADS: with a wildcard, what the client holds and is gone is told",
    path: deltaAdsPath,
    wildcard: true,
    there: { a: "1", b: "2" },
    steps: [[{ held: { a: "1", b: "1", c: "1" } }, ["b=2 -c"]]],
    events: ["acknowledged a=1"],
  },
];

testStreams<Ask>(
  {
    path: deltaSecretPath,
    encode: ({ add = [], drop = [], held }, answer) =>
      deltaRequest({
        typeUrl: shelfUrl,
        resourceNamesSubscribe: [...add],
        resourceNamesUnsubscribe: [...drop],
        initialResourceVersions: { ...held },
        ...answer,
      }),
    // Texts of resources, and names of the removed with a minus.
    show({ resources, removed }) {
      for (const { name, version, text } of resources) assert.equal(text, `${name}=${version}`);
      return [...resources.map(({ text }) => text), ...removed.map((name) => `-${name}`)].join(" ");
    },
  },
  cases,
);

test("ADS: a response that is long enough is followed by another", () => {
  const shelf = createShelf();
  for (let i = 0; i < 5; i++) shelf.putQuietly(`a${i}`, "1".repeat(600_000));
  const stream = scriptDiscovery({ types: [shelf] }).open(deltaAdsPath);
  stream.message(deltaRequest({ typeUrl: shelfUrl, resourceNamesSubscribe: ["a0", "a1", "a2", "a3", "a4"] }));
  assert.deepEqual(
    stream.take().map(({ resources }) => resources.length),
    [2, 2, 1],
  );
});

test("of a client that answers nothing the oldest responses are forgotten", () => {
  const shelf = createShelf({ a: "0" });
  const scripted = scriptDiscovery({ types: [shelf] });
  const stream = scripted.open(deltaSecretPath);
  stream.message(deltaRequest({ typeUrl: shelfUrl, resourceNamesSubscribe: ["a"] }));
  for (let i = 1; i <= 100; i++) {
    shelf.put("a", `${i}`);
    scripted.turn();
  }
  const nonces = stream.take().map(({ nonce }) => nonce);
  for (const responseNonce of nonces) stream.message(deltaRequest({ typeUrl: shelfUrl, responseNonce }));
  assert.equal(shelf.events.length, 18);
  assert.equal(shelf.events.at(-1), "acknowledged a=100");
});
