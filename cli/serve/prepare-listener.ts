import type { ListenerSettings } from "#authz/check/contract";
import type { ListenerConfig } from "#cli/config/model";
import { readSecret } from "#platform/secret";
import { loadTlsMaterial, type TlsMaterial } from "#platform/tls-material";

/** A listener's configuration with what its files hold: everything that can be wrong before a socket is opened was looked at. */
export interface PreparedListener {
  readonly config: ListenerConfig;
  readonly settings: ListenerSettings;
  readonly tls: TlsMaterial | undefined;
  /** What cannot change without another socket; equal texts: the running listener takes the new settings. */
  readonly frame: string;
}

/** Reads the files that a listener needs. Fails with the coded error of the first that cannot be used. */
export async function prepareListener(config: ListenerConfig): Promise<PreparedListener> {
  const [tls, secret] = await Promise.all([
    config.tls === undefined ? undefined : loadTlsMaterial(config.tls),
    config.secretFile === undefined ? undefined : readSecret(config.secretFile),
  ]);
  const { name, protocol, address, unixMode } = config;
  return {
    config,
    tls,
    frame: JSON.stringify([name, protocol, address, unixMode, tls !== undefined, tls?.ca !== undefined]),
    settings: {
      name,
      protocol,
      peerIdentity: config.peerIdentity,
      proxyProtocol: config.proxyProtocol,
      workload: config.workload,
      destination: config.destination,
      pathPrefix: config.pathPrefix,
      attributeHeaders: config.attributeHeaders,
      upstreamHeaders: config.upstreamHeaders,
      secret,
      explainToClient: config.explainToClient,
      deadlineMillis: config.deadlineMillis,
      maxMessageBytes: config.maxMessageBytes,
    },
  };
}
