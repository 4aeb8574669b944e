import { constants } from "node:crypto";
import type { TlsOptions } from "node:tls";
import { type Address, isLocal, renderAddress } from "#platform/address";
import { CodedError } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { HandshakeLimits } from "./handshakes.ts";

/** A door that answers. */
export interface Door {
  /** Where it listens; a port 0 has become the real one. */
  readonly address: Address;
  /** From the next connection on. Only for a door that was started with TLS. */
  updateTls(tls: DoorTls): void;
  /** Takes no new connections, finishes what runs, and cuts off what is left when the deadline aborts. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** The server's certificate with its intermediates, and its key. PEM. */
export interface DoorTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What a door bears. What comes beyond is ended or refused, never kept waiting. */
export interface DoorLimits extends HandshakeLimits {
  readonly connections: number;
  /** Of an IPv4 address, or a /64 of IPv6 addresses. */
  readonly connectionsPerAddress: number;
  /** A TLS handshake that takes longer is ended. */
  readonly handshakeMillis: number;
  /** A request that takes longer to arrive is refused. */
  readonly requestMillis: number;
  /** An idle gRPC connection is pinged so often; one that does not answer until the next time is ended. */
  readonly keepaliveMillis: number;
  /** Of gRPC calls that are not answered yet, fields and messages, over all connections: what strangers may have kept for them. */
  readonly callBytes: number;
  /** Of gRPC connections without a call so many are kept; what is more is told to go, and comes again when it has something to ask. */
  readonly idleConnections: number;
}

/**
 * Room for ten thousand agents that come at once, a thousand of them behind one address. Agents ask twice a day and keep their connections, each of which takes 100 KB of memory for TLS and
 * HTTP/2: so not all of these are kept.
 */
export const defaultDoorLimits: DoorLimits = {
  connections: 20_000,
  connectionsPerAddress: 1_000,
  handshakeMillis: 10_000,
  requestMillis: 15_000,
  keepaliveMillis: 60_000,
  handshakeBytes: 16 * 1024,
  barMillis: 60_000,
  callBytes: 64 * 1024 * 1024,
  idleConnections: 1_000,
};

/** What every door is started with. */
export interface DoorStart {
  /** For the log. */
  readonly name: string;
  readonly address: Address;
  /** Mode of a Unix socket; not given: 0600, for the owner of the process alone. */
  readonly socketMode?: number;
  /** Undefined: plain text, which is for addresses that only this machine reaches. */
  readonly tls: DoorTls | undefined;
  readonly limits: DoorLimits;
  /** Of gRPC connections and their calls; not given: the machine's. */
  readonly timers?: Timers;
  readonly log: Log;
}

/** See `DoorStart.socketMode`. */
export const ownerSocketMode = 0o600;

/** A credential is worth as much as the wire that it comes over. Fails with `door/plain-text` for plain text on an address that others reach. */
export function requireTlsForOthers({ name, address, tls }: DoorStart): void {
  if (tls !== undefined || isLocal(address)) return;
  throw new CodedError(
    "door/plain-text",
    `the door \`${name}\` has no TLS, and other machines reach ${renderAddress(address)}: credentials could be read on the way`,
  );
}

/**
 * TLS of a door. Clients are asked for a certificate, of whomever (no names of authorities are sent), and let in without one or with any: what a
 * certificate is worth is decided by the core, for each trust domain by itself. OpenSSL's own opinion is not looked at.
 * INVARIANT: no session is ever resumed, by ticket or by id, for a resumed one has no certificates; and none is negotiated anew, for the certificates of a connection
 * are those that it began with.
 */
export function doorTlsOptions(tls: DoorTls, limits: DoorLimits, protocol: "h2" | "http/1.1"): TlsOptions {
  return {
    ...doorContextOptions(tls),
    ALPNProtocols: [protocol],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeMillis,
  };
}

/** The part of `doorTlsOptions` that `setSecureContext` takes. */
export function doorContextOptions(tls: DoorTls) {
  return {
    cert: tls.cert,
    key: tls.key,
    // An empty list is not none, which would be the authorities that Node comes with: nobody is trusted here.
    ca: [],
    minVersion: "TLSv1.2" as const,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
