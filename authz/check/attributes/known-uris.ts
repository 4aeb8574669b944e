import type { CallMetadata } from "#authz/check/contract";
import { type PeerNames, UNKNOWN } from "#authz/engine/attributes";
import { attributeNames, readBracketed } from "./call-metadata.ts";

/** Are all URI names of the peer among these, although others may be lacking? What Envoy told of them and was not found among the names was altered on its way. */
export function knowsUris({ names, opaque, complete }: PeerNames, metadata: CallMetadata): boolean {
  if (complete) return true;
  const uris = readBracketed(metadata.get(attributeNames.uris));
  if (uris === UNKNOWN) return false;
  if (uris !== undefined) return names.includes(uris) || opaque.includes(uris);
  return !names.some((name) => name.includes("://"));
}
