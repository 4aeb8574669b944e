/** Codes of gRPC that are given out. */
export const grpcCodes = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;
/** One of them. */
export type GrpcCode = (typeof grpcCodes)[keyof typeof grpcCodes];
