import type { JsonObject, JsonValue, MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";

type CheckRequestInit = MessageInitShape<typeof CheckRequestSchema>;

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom("", "a", "spiffe://cluster.local/ns/default/sa/web", "x".repeat(200)),
);
const headerName = fc.constantFrom(
  ":path",
  ":method",
  "x-role",
  "X-Role",
  "x-a",
  "x-b",
  "cookie",
  "é",
  "É",
  "__proto__",
  "",
);
const bytes = fc.uint8Array({ maxLength: 12 });
const metadataKey = fc.constantFrom("role", "roles", "nested", "", "__proto__", "ключ");

const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.oneof(text, tie("value")), { maxLength: 4 }),
    fc.dictionary(metadataKey, tie("value"), { maxKeys: 3 }),
  ),
})).value;
const struct = fc.dictionary(metadataKey, jsonValue, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>;

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const port = fc.oneof(
  fc.nat(0xffffffff).map((value) => ({ case: "portValue" as const, value })),
  text.map((value) => ({ case: "namedPort" as const, value })),
  fc.constant({ case: undefined }),
);
const address = fc.oneof(
  fc
    .record({ address: text, portSpecifier: port, resolverName: text, ipv4Compat: fc.boolean() })
    .map((value) => ({ address: { case: "socketAddress" as const, value } })),
  text.map((path) => ({ address: { case: "pipe" as const, value: { path, mode: 384 } } })),
  text.map((endpointId) => ({ address: { case: "envoyInternalAddress" as const, value: { endpointId } } })),
  fc.constant({}),
);
const peer = fc.record({
  address: optional(address),
  service: text,
  labels: fc.dictionary(text, text, { maxKeys: 3 }),
  principal: text,
  certificate: text,
});

const http = fc.record({
  id: text,
  method: text,
  headers: fc.dictionary(headerName, text, { maxKeys: 8 }),
  path: text,
  host: text,
  scheme: text,
  size: fc.bigInt({ min: -5n, max: 2n ** 62n }),
  protocol: text,
  body: text,
  rawBody: bytes,
  headerMap: optional(
    fc.record({
      headers: fc.array(fc.record({ key: headerName, value: fc.constantFrom("", "v"), rawValue: bytes }), {
        maxLength: 8,
      }),
    }),
  ),
});

/** Check requests with every field that Envoy fills, and some that it does not, each there or not. */
export const checkRequestArbitrary: fc.Arbitrary<CheckRequestInit> = fc.record({
  attributes: optional(
    fc.record({
      source: optional(peer),
      destination: optional(peer),
      request: optional(
        fc.record({ time: optional(fc.constant({ seconds: 1_700_000_000n, nanos: 5 })), http: optional(http) }),
      ),
      contextExtensions: fc.dictionary(text, text, { maxKeys: 4 }),
      metadataContext: optional(
        fc.record({
          filterMetadata: fc.dictionary(fc.constantFrom("ns", "", "envoy.filters.http.jwt_authn"), struct, {
            maxKeys: 3,
          }),
        }),
      ),
      routeMetadataContext: optional(
        fc.record({ filterMetadata: fc.dictionary(fc.constant("route"), struct, { maxKeys: 1 }) }),
      ),
      tlsSession: optional(fc.record({ sni: text })),
    }),
  ),
});
