import { isLocal, renderAddress } from "#platform/address";
import type { PreparedListener } from "./prepare-listener.ts";

type Warning = (listener: PreparedListener) => string | undefined;

const listenerWarnings: readonly Warning[] = [
  ({ config }) =>
    config.protocol === "http" && config.workload === undefined && config.destination === undefined
      ? "protocol http cannot say which workload is asked about: set workload or destination"
      : undefined,
  ({ config, settings, tls }) =>
    !isLocal(config.address) && tls?.ca === undefined && settings.secret === undefined
      ? `anybody who reaches ${renderAddress(config.address)} may ask and learn decisions: add tls.clientCaFile or secretFile`
      : undefined,
  ({ config, settings, tls }) =>
    !isLocal(config.address) && tls === undefined && settings.secret !== undefined
      ? `the secret crosses the network in clear text to ${renderAddress(config.address)}: add tls`
      : undefined,
  ({ config, settings }) =>
    !isLocal(config.address) && settings.explainToClient
      ? `clients on other machines are told why they were denied (${renderAddress(config.address)})`
      : undefined,
  ({ config, tls }) =>
    tls?.ca !== undefined && config.tls?.allowedClients === undefined
      ? "every client of clientCaFile may ask: name the proxies in tls.allowedClients"
      : undefined,
];

/** What an operator should look at in listeners that run as they are configured, one line each. */
export function serviceWarnings(listeners: readonly PreparedListener[]): string[] {
  return listeners.flatMap((listener) =>
    listenerWarnings.flatMap((warning) => {
      const text = warning(listener);
      return text === undefined ? [] : [`listener ${listener.config.name}: ${text}`];
    }),
  );
}
