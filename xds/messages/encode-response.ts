import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
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
export const encodeStateAnswer: EncodeAnswer = (typeUrl, { nonce, version, resources }) => {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(version);
  for (const resource of resources) writer.raw(once(asAny, resource, () => encodeField(2, any(typeUrl, resource))));
  writer.tag(4, WireType.LengthDelimited).string(typeUrl);
  return writer.tag(5, WireType.LengthDelimited).string(nonce).finish();
};

/** envoy.service.discovery.v3.DeltaDiscoveryResponse. As `encodeStateAnswer`. */
export const encodeDeltaAnswer: EncodeAnswer = (typeUrl, { nonce, version, resources, removed }) => {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(version);
  for (const resource of resources)
    writer.raw(once(asResource, resource, () => encodeField(2, namedResource(typeUrl, resource))));
  writer.tag(4, WireType.LengthDelimited).string(typeUrl);
  writer.tag(5, WireType.LengthDelimited).string(nonce);
  for (const name of removed) writer.tag(6, WireType.LengthDelimited).string(name);
  return writer.finish();
};

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
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(typeUrl);
  return writer.tag(2, WireType.LengthDelimited).bytes(body).finish();
}

/** envoy.service.discovery.v3.Resource. */
function namedResource(typeUrl: string, resource: Resource): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(resource.version);
  writer.tag(2, WireType.LengthDelimited).bytes(any(typeUrl, resource));
  return writer.tag(3, WireType.LengthDelimited).string(resource.name).finish();
}

function encodeField(field: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish();
}
