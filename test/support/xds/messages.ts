import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../platform/envoy-api/gen/envoy/service/discovery/v3/discovery_pb.ts";

/** A response of either variant, as another codec than ours reads it. */
export interface SeenResponse {
  readonly nonce: string;
  readonly version: string;
  readonly typeUrl: string;
  /** Name (delta; else the text of the body up to `=`), version (delta; else of the whole) and text of each. */
  readonly resources: readonly { readonly name: string; readonly version: string; readonly text: string }[];
  readonly removed: readonly string[];
}

export function stateRequest(request: MessageInitShape<typeof DiscoveryRequestSchema>): Uint8Array {
  return toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request));
}

export function deltaRequest(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): Uint8Array {
  return toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request));
}

export function deltaResponse(response: MessageInitShape<typeof DeltaDiscoveryResponseSchema>): Uint8Array {
  return toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, response));
}

export function readStateResponse(bytes: Uint8Array): SeenResponse {
  const { nonce, versionInfo, typeUrl, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  return {
    nonce,
    version: versionInfo,
    typeUrl,
    resources: resources.map((resource) => {
      const text = textOf(resource.value);
      return { name: text.slice(0, text.indexOf("=")), version: versionInfo, text };
    }),
    removed: [],
  };
}

export function readDeltaResponse(bytes: Uint8Array): SeenResponse {
  const read = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    nonce: read.nonce,
    version: read.systemVersionInfo,
    typeUrl: read.typeUrl,
    resources: read.resources.map(({ name, version, resource }) => ({
      name,
      version,
      text: textOf(resource?.value ?? new Uint8Array()),
    })),
    removed: read.removedResources,
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
