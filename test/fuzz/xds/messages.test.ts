import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { mutateBytes } from "#test/support/mutate-bytes";
import { wireProblem } from "#test/support/protobuf/strict-wire";
import { Random, testSeed } from "#test/support/random";
import { deltaRequest, deltaResponse, stateRequest } from "#test/support/xds/messages";
import { deltaAdsPath, scriptDiscovery, secretPath } from "#test/support/xds/scripted-stream";
import { createShelf, shelfUrl } from "#test/support/xds/shelf";
import { decodeDeltaResponse } from "#xds/messages/decode-delta-response";
import { decodeDeltaRequest, decodeStateRequest } from "#xds/messages/decode-request";
import { encodeFirstRequest, encodeVerdict } from "#xds/messages/encode-delta-request";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
} from "../../../platform/envoy-api/gen/envoy/service/discovery/v3/discovery_pb.ts";

const rounds = process.env["GARITA_LONG"] === "1" ? 500_000 : 20_000;

const node = {
  id: "sidecar~10.0.0.1~web",
  cluster: "web",
  metadata: { a: { b: ["c", 1, null] } },
  locality: { region: "here" },
  userAgentName: "envoy",
};
const wholeState = stateRequest({
  node,
  versionInfo: "7",
  resourceNames: ["default", "ROOTCA", "é"],
  typeUrl: shelfUrl,
  responseNonce: "1.2",
  errorDetail: { code: 13, message: "no" },
});
const wholeDelta = deltaRequest({
  node,
  typeUrl: shelfUrl,
  resourceNamesSubscribe: ["default", "*"],
  resourceNamesUnsubscribe: ["ROOTCA"],
  initialResourceVersions: { default: "1", ROOTCA: "2" },
  responseNonce: "1.2",
  errorDetail: { code: 13, message: "no" },
});
const wholeResponse = deltaResponse({
  systemVersionInfo: "1",
  typeUrl: shelfUrl,
  nonce: "1.2",
  resources: [
    { name: "a", version: "1", resource: { typeUrl: shelfUrl, value: Uint8Array.of(1, 2, 3) } },
    { name: "b", version: "2", aliases: ["c"], resource: { typeUrl: shelfUrl, value: new Uint8Array(300) } },
  ],
  removedResources: ["d"],
});

/** What the library makes of well-formed bytes; undefined: they are not, or it refuses them. */
function theirsOf<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | undefined {
  if (wireProblem(schema, bytes) !== undefined) return undefined;
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}

test("of a request that the library reads we read the same, and of others something or nothing", () => {
  const random = new Random(testSeed("requests"));
  const seen = { both: 0, ours: 0, none: 0 };
  for (let i = 0; i < rounds; i++) {
    const [state, delta] =
      i < 1 ? [wholeState, wholeDelta] : [mutateBytes(random, wholeState), mutateBytes(random, wholeDelta)];
    const [theirs, ours] = [theirsOf(DiscoveryRequestSchema, state), decodeStateRequest(state)];
    seen[theirs !== undefined ? "both" : ours !== undefined ? "ours" : "none"]++;
    if (theirs !== undefined) {
      assert.deepEqual(
        [ours?.names, ours?.typeUrl, ours?.nonce, ours?.error !== undefined],
        [theirs.resourceNames, theirs.typeUrl, theirs.responseNonce, theirs.errorDetail !== undefined],
      );
    }
    const [theirDelta, ourDelta] = [theirsOf(DeltaDiscoveryRequestSchema, delta), decodeDeltaRequest(delta)];
    if (theirDelta === undefined) continue;
    assert.deepEqual(
      [ourDelta?.subscribe, ourDelta?.unsubscribe, ourDelta?.typeUrl, ourDelta?.nonce, ourDelta?.error !== undefined],
      [
        theirDelta.resourceNamesSubscribe,
        theirDelta.resourceNamesUnsubscribe,
        theirDelta.typeUrl,
        theirDelta.responseNonce,
        theirDelta.errorDetail !== undefined,
      ],
    );
    assert.deepEqual(new Map(ourDelta?.initialVersions), new Map(Object.entries(theirDelta.initialResourceVersions)));
  }
  assert.ok(seen.both > rounds / 20 && seen.none > rounds / 20 && seen.ours > 0, JSON.stringify(seen));
});

test("of a response that the library reads we read the same, and of others something or nothing", () => {
  const random = new Random(testSeed("responses"));
  let read = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = i < 1 ? wholeResponse : mutateBytes(random, wholeResponse);
    const [theirs, ours] = [theirsOf(DeltaDiscoveryResponseSchema, bytes), decodeDeltaResponse(bytes)];
    if (theirs === undefined) continue;
    read++;
    assert.deepEqual(
      [ours?.nonce, ours?.removed, ours?.resources.map(({ name, version, body }) => [name, version, body])],
      [
        theirs.nonce,
        theirs.removedResources,
        theirs.resources.map(({ name, version, resource }) => [name, version, resource?.value ?? new Uint8Array()]),
      ],
    );
  }
  assert.ok(read > rounds / 20, `${read} were read`);
});

test("a resource whose body comes in two pieces is the one that the library reads", () => {
  const first = deltaResponse({ resources: [{ name: "a", resource: { value: Uint8Array.of(7) } }] });
  const second = deltaResponse({ resources: [{ resource: { typeUrl: shelfUrl } }] });
  // Field 2 of the response: the fields of both in one resource.
  const fields = [...first.subarray(2), ...second.subarray(2)];
  const bytes = Uint8Array.of(0x12, fields.length, ...fields);
  const theirs = theirsOf(DeltaDiscoveryResponseSchema, bytes)?.resources.at(-1);
  assert.deepEqual([theirs?.name, theirs?.resource?.value], ["a", Uint8Array.of(7)]);
  assert.deepEqual(decodeDeltaResponse(bytes)?.resources.at(-1)?.body, Uint8Array.of(7));
});

test("what our client writes the library reads", () => {
  const initialVersions = new Map([
    ["a", "1"],
    ["é", ""],
  ]);
  const first = fromBinary(
    DeltaDiscoveryRequestSchema,
    encodeFirstRequest({ node: "agent", typeUrl: shelfUrl, names: ["a", "b"], initialVersions }),
  );
  assert.deepEqual(
    [first.node?.id, first.typeUrl, first.resourceNamesSubscribe, first.initialResourceVersions],
    ["agent", shelfUrl, ["a", "b"], Object.fromEntries(initialVersions)],
  );
  const accepted = fromBinary(DeltaDiscoveryRequestSchema, encodeVerdict(shelfUrl, "1.2", undefined));
  assert.deepEqual([accepted.typeUrl, accepted.responseNonce, accepted.errorDetail], [shelfUrl, "1.2", undefined]);
  const rejected = fromBinary(DeltaDiscoveryRequestSchema, encodeVerdict(shelfUrl, "1.3", "no é"));
  assert.deepEqual(
    [rejected.responseNonce, rejected.errorDetail?.code, rejected.errorDetail?.message],
    ["1.3", 3, "no é"],
  );
});

test("whatever requests a stream brings, it is served or ended with INVALID_ARGUMENT, and another is served", () => {
  const random = new Random(testSeed("streams"));
  const shelf = createShelf({ default: "1", ROOTCA: "1" }, { wildcard: true });
  const scripted = scriptDiscovery({ types: [shelf] });
  const seen = { ended: 0, open: 0, responses: 0 };
  for (let i = 0; i < rounds / 20; i++) {
    const [path, whole] = random.pick([
      [secretPath, wholeState],
      [deltaAdsPath, wholeDelta],
    ] as const);
    const stream = scripted.open(path);
    for (let step = random.below(6); step >= 0; step--) {
      stream.message(random.below(3) > 0 ? whole : mutateBytes(random, whole));
      if (random.below(3) === 0) shelf.put(random.pick(["default", "ROOTCA"]), String(random.below(5)));
      scripted.turn();
      seen.responses += stream.take().length;
    }
    seen[stream.ending() === undefined ? "open" : "ended"]++;
    assert.ok(stream.ending() === undefined || stream.ending()?.code === 3, JSON.stringify(stream.ending()));
    stream.leave();
  }
  assert.deepEqual(scripted.lines, []);
  assert.equal(shelf.listeners.size, 0);
  assert.ok(seen.ended > 10 && seen.open > 10 && seen.responses > 100, JSON.stringify(seen));
});
