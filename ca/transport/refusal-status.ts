import { type RefusalCode, type RefusalStatus, refusals } from "#ca/refusals";
import { type GrpcCode, grpcCodes } from "#platform/grpc/codes";

/**
 * THE table of what the outside sees of a refusal. Istio's agents ask again at `resource-exhausted`, `unavailable` and `internal`, and at nothing else
 * that stands here; CANCELLED and DEADLINE_EXCEEDED do not, for at these they give up.
 */
export const refusalStatus = {
  "invalid-argument": { grpc: grpcCodes.invalidArgument, http: 400 },
  unauthenticated: { grpc: grpcCodes.unauthenticated, http: 401 },
  "permission-denied": { grpc: grpcCodes.permissionDenied, http: 403 },
  "resource-exhausted": { grpc: grpcCodes.resourceExhausted, http: 429 },
  unavailable: { grpc: grpcCodes.unavailable, http: 503 },
  internal: { grpc: grpcCodes.internal, http: 500 },
} as const satisfies Readonly<Record<RefusalStatus, { readonly grpc: GrpcCode; readonly http: number }>>;

/** How the outside sees a code. */
export function outsideOf(code: RefusalCode): (typeof refusalStatus)[RefusalStatus] {
  return refusalStatus[refusals[code].status];
}
