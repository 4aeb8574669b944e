import { serverSpiffeId } from "#ca/authorities/server-certificate";
import { readCertificate } from "#ca/x509/read-certificate";
import { extensionOids, readAlternativeNames } from "#ca/x509/read-extensions";
import { quote } from "#identity/encoding/quote";
import type { Address } from "#platform/address";
import { openChannel } from "#platform/grpc/open-channel";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { followDelta } from "#xds/client/follow-delta";
import { aggregatedService, discoveryServices } from "#xds/services";
import { denyListTypeUrl } from "./contract.ts";
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

export interface DenyListLinkParts {
  readonly timers: Timers;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly log: Log;
}

const path = `/${aggregatedService}/${discoveryServices[aggregatedService].delta}`;
/** A connection that says nothing for so long is asked whether it is still there. */
const keepaliveMillis = 10_000;
/** A list that was refused is not sent again over one stream; what was wrong may have been the clock here. */
const askAgainMillis = 60_000;

/** Follows the deny list by delta discovery over mutual TLS, from the authority of the trust domain and nobody else. Fails with `tls/unusable` where roots, certificate and key are of no use. */
export function openDenyListLink(
  { trustDomain, address, serverName, rootsPem, client }: DenyListLinkStart,
  events: DenyListEvents,
  { timers, chance, log }: DenyListLinkParts,
): DenyListLink {
  const serverFault = (leafDer: Uint8Array) => identityFault(leafDer, serverSpiffeId(trustDomain));
  const channel = openChannel({
    address,
    tls: { rootsPem, serverName, client, serverFault },
    keepaliveMillis,
  });
  let cancelAgain = () => {};
  const follow = (): { close(): void } =>
    followDelta({
      channel,
      path,
      typeUrl: denyListTypeUrl,
      names: [trustDomain],
      node: "garita",
      initialVersions: new Map(),
      timers,
      chance,
      log,
      onUpdate({ resources }, acknowledgement) {
        const resource = resources.find(({ name }) => name === trustDomain);
        const refused = resource && events.update(resource.body);
        if (refused === undefined) acknowledgement.accept();
        else {
          acknowledgement.reject(refused);
          cancelAgain();
          cancelAgain = timers.after(askAgainMillis, () => {
            following.close();
            following = follow();
          });
        }
      },
      onConnected: events.connected,
      onDisconnected: ({ message }) => events.disconnected(message),
    });
  let following = follow();
  return {
    close() {
      cancelAgain();
      following.close();
      channel.close();
    },
  };
}

/** Others have certificates of the same roots, and may have the name. */
function identityFault(leafDer: Uint8Array, wanted: string): string | undefined {
  const leaf = readCertificate(leafDer);
  const names = leaf.ok
    ? leaf.value.extensions.find(({ oid }) => oid === extensionOids.subjectAlternativeName)
    : undefined;
  const read = names === undefined ? undefined : readAlternativeNames(names.value);
  const uris = read?.ok === true ? read.value.flatMap((name) => (name.kind === "uri" ? [name.value] : [])) : [];
  if (uris.length === 1 && uris[0] === wanted) return undefined;
  return `expected a server with the identity ${quote(wanted)}, found ${quote(uris.join(", "))}`;
}
