import type { ResourceType, StreamRefusal } from "#xds/contract";
import { denyListTypeUrl } from "./contract.ts";
import type { DenyListPublisher } from "./publish-deny-list.ts";

/** Who may ask. */
export interface DenyListCallers<C> {
  /** Why a caller may have nothing any more: its certificate ended or was revoked; undefined: it may. */
  ended(caller: C): StreamRefusal | undefined;
  /** `changed` is called after the other may answer otherwise. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
}

/** The signed deny list as a type of resources, the same for every caller. */
export function createDenyListResources<C>(
  publisher: Pick<DenyListPublisher, "list" | "published" | "subscribe">,
  callers: DenyListCallers<C>,
): ResourceType<C> {
  const { trustDomain } = publisher.list();
  return {
    typeUrl: denyListTypeUrl,
    open: (caller) =>
      callers.ended(caller) ?? {
        lookUp: (name) => (name === trustDomain ? publisher.published() : undefined),
        wildcard: () => [trustDomain],
        ended: () => callers.ended(caller),
        subscribe(changed) {
          const stops = [publisher.subscribe(changed), callers.subscribe(changed)];
          return () => {
            for (const stop of stops) stop();
          };
        },
      },
  };
}
