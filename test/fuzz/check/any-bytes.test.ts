import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { checkMessage, listenerOf, metadataOf, seeAnswer } from "../../support/check/check-message.ts";
import { environmentOf, exactly, ruleSetOf } from "../../support/check/rule-set.ts";

const seed = Number(process.env["GARITA_SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

/** Asks for every attribute; only a defect or a matching rule could answer otherwise than `deny`. */
const ruleSet = ruleSetOf({
  policies: [
    {
      name: "p",
      stage: "allow",
      fields: [
        exactly("principal", "td/ns/no/sa/one"),
        exactly("sni", "nowhere"),
        exactly("header", "never", "x-none"),
      ],
    },
  ],
  mesh: { pathNormalization: "DECODE_AND_MERGE_SLASHES", numTrustedProxies: 1 },
  workloads: [{ name: "w", address: "10.0.0.1" }],
});
const environment = environmentOf(ruleSet);
const bytes = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));
const ascii = bytes.map((text) => text.replace(/[\x80-\xff]/g, "~"));
const maybe = (text: fc.Arbitrary<string>) =>
  fc.oneof(
    text,
    text.map((inner) => `[${inner}]`),
    fc.constant("[]"),
  );
const names = ["peer", "remote", "tls", "uris", "dns", "subject", "issuer", "secret"];
const metadata = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.array(maybe(fc.oneof(bytes, fc.string())), { maxLength: 2 })))
  .map((list) => metadataOf(Object.fromEntries(list.map(([name, values]) => [`x-garita-${name}`, values]))));
const listener = fc.record({
  peerIdentity: fc.constantFrom("verified" as const, "none" as const, undefined),
  proxyProtocol: fc.boolean(),
  explainToClient: fc.boolean(),
});

const message = fc
  .record({
    method: ascii,
    host: ascii,
    path: fc.oneof(
      ascii,
      ascii.map((text) => `/${text}`),
    ),
    headers: fc.array(
      fc.tuple(fc.constantFrom("x-a", "x-forwarded-for", "content-type", "x-garita-uris", "x-garita-\xe9"), bytes),
    ),
    joined: fc.constant(false),
    tcp: fc.boolean(),
    source: fc.record({ address: ascii, principal: ascii, certificate: ascii }),
    destination: fc.record({
      address: ascii,
      principal: ascii,
      labels: fc.dictionary(fc.constant("garita.dev/labels"), ascii),
    }),
    sni: ascii,
    extensions: fc.dictionary(
      fc.constantFrom("garita.dev/workload", "garita.dev/namespace", "garita.dev/labels"),
      ascii,
    ),
  })
  .map((input) => checkMessage(input));

/** A valid message with some bytes changed, or cut. */
const mutated = fc
  .tuple(
    message,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
    fc.nat(),
    fc.boolean(),
  )
  .map(([valid, changes, length, cut]) => {
    const copy = valid.slice(0, cut ? length % (valid.length + 1) : valid.length);
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  });

test("any message, with any metadata, gets an answered denial from a policy that allows nothing", () => {
  const check = createGrpcCheck(environment);
  const reasons = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.oneof(message, mutated, fc.uint8Array({ maxLength: 200 })),
      metadata,
      listener,
      (input, sent, settings) => {
        const outcome = check(input, sent, listenerOf({ ...settings }));
        assert.ok(!(outcome instanceof Promise));
        const answer = seeAnswer(outcome.response);
        assert.equal(answer.allowed, false);
        const { reason } = outcome.record.decision;
        assert.notEqual(reason, "internal/defect", outcome.record.detail);
        assert.equal(answer.metadata["reason"], reason);
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      },
    ),
    { seed, numRuns: 10_000 },
  );
  assert.ok((reasons.get("policy/not-allowed") ?? 0) > 100, "some messages reach the policies");
});

test("any HTTP request gets an answer that is neither an allowance nor a failure", () => {
  const check = createHttpCheck(environment);
  const header = fc.tuple(fc.constantFrom("Host", "x-a", "x-garita-uris", "x-garita-peer", "x-garita-z"), bytes);
  fc.assert(
    fc.property(
      fc.record({
        method: bytes,
        target: fc.oneof(
          bytes,
          bytes.map((text) => `/${text}`),
        ),
        headers: fc.array(header),
      }),
      fc.boolean(),
      (request, attributeHeaders) => {
        const outcome = check({ ...request, body: undefined }, listenerOf({ protocol: "http", attributeHeaders }));
        assert.ok(!(outcome instanceof Promise));
        assert.ok(outcome.response.status >= 400 && outcome.response.status < 500);
        assert.notEqual(outcome.record.decision.reason, "internal/defect", outcome.record.detail);
      },
    ),
    { seed, numRuns: 10_000 },
  );
});
