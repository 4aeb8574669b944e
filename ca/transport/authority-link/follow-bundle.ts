import type { BundleOffer } from "#ca/agent/contract";
import type { GrpcChannel } from "#platform/grpc/client-contract";
export interface FollowBundleParts {
  readonly trustDomain: string;
}
export function followBundle(_p: FollowBundleParts, _c: GrpcChannel, _h: (o: BundleOffer) => void): () => void {
  return () => undefined;
}
