import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export interface FirstRequest {
  /** `node.id`. */
  readonly node: string;
  readonly typeUrl: string;
  readonly names: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
}

/** The first envoy.service.discovery.v3.DeltaDiscoveryRequest of a stream. */
export function encodeFirstRequest({ node, typeUrl, names, initialVersions }: FirstRequest): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(node).join();
  writer.tag(2, WireType.LengthDelimited).string(typeUrl);
  for (const name of names) writer.tag(3, WireType.LengthDelimited).string(name);
  for (const [name, version] of initialVersions) {
    writer.tag(5, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    writer.tag(2, WireType.LengthDelimited).string(version).join();
  }
  return writer.finish();
}

/** gRPC's INVALID_ARGUMENT: what rejections are told with. */
const invalidArgument = 3;

/** A DeltaDiscoveryRequest that says what is thought of a response. `rejection`: why it is not taken; undefined: it is. */
export function encodeVerdict(typeUrl: string, nonce: string, rejection: string | undefined): Uint8Array {
  const writer = new BinaryWriter().tag(2, WireType.LengthDelimited).string(typeUrl);
  writer.tag(6, WireType.LengthDelimited).string(nonce);
  if (rejection !== undefined) {
    writer.tag(7, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int32(invalidArgument);
    writer.tag(2, WireType.LengthDelimited).string(rejection).join();
  }
  return writer.finish();
}
