import { type KeyObject, sign } from "node:crypto";
import type { DenyList } from "#identity/deny-list/deny-list";
import { encodeDenyList } from "#identity/deny-list/encode-deny-list";
import { encodeSignedDenyList } from "./encode-signed.ts";
import { signedBytes } from "./signed-bytes.ts";

/** What lists are signed with. */
export interface DenyListSigner {
  /** P-256. */
  readonly privateKey: KeyObject;
  /** DER: the certificate of the key, then intermediates, without roots. */
  readonly chainDer: readonly Uint8Array[];
}

/** The bytes of the list, signed. Throws only when the key does not work. */
export function signDenyList(list: DenyList, { privateKey, chainDer }: DenyListSigner): Uint8Array {
  const payload = encodeDenyList(list);
  const signature = sign("sha256", signedBytes(payload), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return encodeSignedDenyList({ payload, signature, chainDer });
}
