import type { JsonObject } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { GrpcCode } from "#platform/grpc/codes";
import { RetryInfoSchema } from "../istio-api/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../istio-api/gen/google/rpc/status_pb.ts";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../istio-api/gen/security/v1alpha1/ca_pb.ts";

/** An IstioCertificateRequest as the core wants it. Nothing of it is checked. */
export interface IstioRequest {
  readonly csrPem: string;
  readonly ttlSeconds: number;
  readonly certSigner: string | undefined;
  readonly impersonatedIdentity: string | undefined;
}

/** Reads an IstioCertificateRequest; undefined: the bytes are none, or one of the two entries of its metadata that count is no text. */
export function decodeIstioRequest(bytes: Uint8Array): IstioRequest | undefined {
  try {
    const request = fromBinary(IstioCertificateRequestSchema, bytes, { readUnknownFields: false });
    const certSigner = entry(request.metadata, "CertSigner");
    const impersonatedIdentity = entry(request.metadata, "ImpersonatedIdentity");
    if (certSigner === null || impersonatedIdentity === null) return undefined;
    // Far from what a number holds exactly, a lifetime is too long by any measure.
    return { csrPem: request.csr, ttlSeconds: Number(request.validityDuration), certSigner, impersonatedIdentity };
  } catch {
    // The library tells malformed bytes, of whatever kind, by throwing.
    return undefined;
  }
}

/** A text of the metadata; undefined: it is not there or empty, as agents always send one. Null: it is no text. */
function entry(metadata: JsonObject | undefined, name: string): string | undefined | null {
  if (metadata === undefined || !Object.hasOwn(metadata, name)) return undefined;
  const value = metadata[name];
  if (typeof value !== "string") return null;
  return value === "" ? undefined : value;
}

export function encodeIstioResponse(certChain: readonly string[]): Uint8Array {
  return toBinary(
    IstioCertificateResponseSchema,
    create(IstioCertificateResponseSchema, { certChain: [...certChain] }),
  );
}

/** A google.rpc.Status with a google.rpc.RetryInfo: what `grpc-status-details-bin` carries. */
export function encodeRetryInfo(code: GrpcCode, message: string, delayMillis: number): Uint8Array {
  const millis = Math.ceil(delayMillis);
  const retryDelay = create(DurationSchema, {
    seconds: BigInt(Math.floor(millis / 1000)),
    nanos: (millis % 1000) * 1_000_000,
  });
  const details = [anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay }))];
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
}
