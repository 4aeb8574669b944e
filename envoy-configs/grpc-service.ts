import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GrpcServiceSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/grpc_service_pb";
import { attributeMetadata, bracketed, issuerMetadata, METADATA_PREFIX } from "./attribute-metadata.ts";
import { duration } from "./duration.ts";

export interface GrpcServiceOptions {
  /** Envoy's cluster in which Garita listens for gRPC. */
  readonly cluster: string;
  /** How long Envoy waits for an answer. Its own default is 200 ms. */
  readonly timeoutMillis?: number;
  /** Send `x-garita-issuer` too: only with Envoy 1.38 or later. */
  readonly issuer?: boolean;
  /** What Garita's listener demands in `x-garita-secret` (`secretFile`). */
  readonly secret?: string;
}

/** The gRPC service of a filter that calls Garita, with the attribute metadata and further lines of it. */
export function grpcService(
  options: GrpcServiceOptions,
  further: readonly { readonly key: string; readonly value: string }[] = [],
): MessageInitShape<typeof GrpcServiceSchema> {
  const lines = options.issuer === true ? [...attributeMetadata, issuerMetadata] : attributeMetadata;
  return {
    targetSpecifier: { case: "envoyGrpc", value: { clusterName: options.cluster } },
    timeout: duration(options.timeoutMillis ?? 1000),
    initialMetadata: [
      ...lines.map((line) => ({ key: line.key, value: bracketed(line) })),
      ...(options.secret === undefined ? [] : [{ key: `${METADATA_PREFIX}secret`, value: options.secret }]),
      ...further,
    ],
  };
}
