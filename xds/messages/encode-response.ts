import type { Resource } from "../contract.ts";

/** A response, of either variant. */
export interface DiscoveryAnswer {
  readonly nonce: string;
  /** Of the whole: not a resource's. Delta: for people alone. */
  readonly version: string;
  readonly resources: readonly Resource[];
  /** Delta alone. */
  readonly removed: readonly string[];
}

export type EncodeAnswer = (typeUrl: string, answer: DiscoveryAnswer) => Uint8Array;

/** envoy.service.discovery.v3.DiscoveryResponse. PERF: a resource is encoded once, however many streams it is sent on: its object is what is remembered (`bench/xds-push.ts`). */
export const encodeStateAnswer: EncodeAnswer = (typeUrl, { nonce, version, resources }) =>
  Buffer.concat([
    field(1, version),
    ...resources.map((resource) => once(asAny, resource, () => field(2, any(typeUrl, resource)))),
    field(4, typeUrl),
    field(5, nonce),
  ]);

/** envoy.service.discovery.v3.DeltaDiscoveryResponse. As `encodeStateAnswer`. */
export const encodeDeltaAnswer: EncodeAnswer = (typeUrl, { nonce, version, resources, removed }) =>
  Buffer.concat([
    field(1, version),
    ...resources.map((resource) => once(asResource, resource, () => field(2, namedResource(typeUrl, resource)))),
    field(4, typeUrl),
    field(5, nonce),
    ...removed.map((name) => field(6, name)),
  ]);

/** By resource, which is of one type. */
const asAny = new WeakMap<Resource, Uint8Array>();
const asResource = new WeakMap<Resource, Uint8Array>();

function once(known: WeakMap<Resource, Uint8Array>, resource: Resource, encode: () => Uint8Array): Uint8Array {
  let bytes = known.get(resource);
  if (bytes === undefined) {
    bytes = encode();
    known.set(resource, bytes);
  }
  return bytes;
}

/** google.protobuf.Any. */
function any(typeUrl: string, { body }: Resource): Uint8Array {
  return Buffer.concat([field(1, typeUrl), field(2, body)]);
}

/** envoy.service.discovery.v3.Resource. */
function namedResource(typeUrl: string, resource: Resource): Uint8Array {
  return Buffer.concat([field(1, resource.version), field(2, any(typeUrl, resource)), field(3, resource.name)]);
}

/** A field of length-delimited type, of a number below 16. */
function field(number: number, value: string | Uint8Array): Uint8Array {
  const sizeBytes = typeof value === "string" ? Buffer.byteLength(value) : value.length;
  const head = [(number << 3) | 2];
  let rest = sizeBytes;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  const bytes = Buffer.allocUnsafe(head.length + sizeBytes);
  bytes.set(head);
  if (typeof value === "string") bytes.write(value, head.length);
  else bytes.set(value, head.length);
  return bytes;
}
