import type { ResourceType, StreamRefusal } from "#xds/contract";
import { denyListTypeUrl } from "./contract.ts";
import type { DenyListPublisher } from "./publish-deny-list.ts";

/**
 * The signed deny list as a type of resources, the same for every caller. `refusalOf`: why a caller may have nothing (it is not authenticated, its certificate
 * ended or was revoked); undefined: it may.
 */
export function createDenyListResources<C>(
  publisher: Pick<DenyListPublisher, "list" | "published" | "subscribe">,
  refusalOf: (caller: C) => StreamRefusal | undefined,
): ResourceType<C> {
  const { trustDomain } = publisher.list();
  return {
    typeUrl: denyListTypeUrl,
    open: (caller) =>
      refusalOf(caller) ?? {
        lookUp: (name) => (name === trustDomain ? publisher.published() : undefined),
        wildcard: () => [trustDomain],
        ended: () => refusalOf(caller),
        subscribe: publisher.subscribe,
      },
  };
}
