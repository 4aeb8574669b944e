import type { Address } from "#platform/address";
import type { DenyListEvents } from "./follow-deny-list.ts";

/** Whom to ask for the deny list, and as whom. */
export interface DenyListLinkStart {
  readonly trustDomain: string;
  /** Of the authority's gRPC door. */
  readonly address: Address;
  /** The name that its certificate must have; undefined: the address's host. */
  readonly serverName: string | undefined;
  /** PEM: the roots of the trust domain. */
  readonly rootsPem: string;
  /** PEM: who asks. */
  readonly client: { readonly certPem: string; readonly keyPem: string };
}

/** A connection to the authority that is made again when it breaks. */
export interface DenyListLink {
  close(): void;
}

/** Opens a link that tells `events` what comes. */
export function openDenyListLink(_start: DenyListLinkStart, events: DenyListEvents): DenyListLink {
  events.disconnected("there is no client of discovery here");
  return { close: () => undefined };
}
