import type { DenyList } from "./deny-list.ts";
import { denyListText } from "./deny-list-text.ts";

/** Longer lists are neither written nor read: with the signature and its certificates one fits into a gRPC message of the default limit (4 MiB). */
export const mostDenyListBytes = 3 * 1024 * 1024;

/** The list as bytes, which are what is signed. */
export function encodeDenyList(list: DenyList): Uint8Array {
  return new TextEncoder().encode(denyListText(list));
}
