import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../istio-api/gen/security/v1alpha1/ca_pb.ts";

/** An IstioCertificateRequest; `ttlSeconds` undefined: the authority's default. */
export function encodeIstioRequest(csr: string, ttlSeconds: number | undefined): Uint8Array {
  const request = create(IstioCertificateRequestSchema, { csr, validityDuration: BigInt(ttlSeconds ?? 0) });
  return toBinary(IstioCertificateRequestSchema, request);
}

/** The chain of an IstioCertificateResponse; undefined: the bytes are none. Nothing of it is checked. */
export function decodeIstioResponse(bytes: Uint8Array): readonly string[] | undefined {
  try {
    return fromBinary(IstioCertificateResponseSchema, bytes, { readUnknownFields: false }).certChain;
  } catch {
    // The library tells malformed bytes, of whatever kind, by throwing.
    return undefined;
  }
}
