import type { Server, Socket } from "node:net";
import type { TLSSocket, Server as TlsServer } from "node:tls";
import { isLocal } from "#platform/address";
import { messageOf } from "#platform/coded-error";
import { readClientChain } from "./client-chain.ts";
import type { DoorStart } from "./door.ts";
import { systemHandshakeParts, takeHandshakes } from "./handshake-turns.ts";
import { createHandshakes } from "./handshakes.ts";
import { createLineGate } from "./line-gate.ts";
import { addressName } from "./remote-address.ts";

/** What is known of a connection before its first request: pinned when it was made. */
export interface DoorConnection {
  /** See `ClientChain`. */
  readonly clientCertificates: readonly Uint8Array[];
  /** An IPv4 address in its own form, also where the socket is of both families. Undefined: a Unix socket. */
  readonly remoteAddress: string | undefined;
  /** Over a Unix socket: whoever may open it. */
  readonly unixSocket: boolean;
}

/** Of connections that come to nothing, all together: strangers cause them. */
const linesPerSecond = 20;

/**
 * Counts the connections of a door's server and hands over those that may stay, after the TLS handshake if there is one and before a protocol sees a
 * byte. Call it before other listeners are added, or those run first.
 */
export function watchConnections(
  server: Server,
  start: DoorStart,
  accept: (socket: Socket, connection: DoorConnection) => void,
): void {
  const { limits, name, log } = start;
  const counts = new Map<string, number>();
  const beginHandshake =
    start.tls === undefined ? undefined : takeHandshakes(server as TlsServer, systemHandshakeParts);
  const handshakes = createHandshakes(limits, (remoteAddress) =>
    log.warn(
      {
        door: name,
        remote: plainAddress(remoteAddress),
        handshakeBytes: limits.handshakeBytes,
        barMillis: limits.barMillis,
      },
      "a client sent too much in its handshake: its address is not heard for a while",
    ),
  );
  server.maxConnections = limits.connections;
  const gate = createLineGate(linesPerSecond);
  const warn = (fields: { readonly remote: string | undefined; readonly reason: string }, message: string) => {
    const told = gate.pass();
    if (told !== undefined) log.warn({ door: name, ...fields, ...(told.leftOut > 0 && told) }, message);
  };
  server.on("drop", (dropped) =>
    warn({ remote: dropped?.remoteAddress, reason: "there are too many" }, "connection refused"),
  );
  server.prependListener("connection", (socket: Socket) => {
    const remoteAddress = plainAddress(socket.remoteAddress);
    if (remoteAddress !== undefined && handshakes.isBarred(remoteAddress)) {
      socket.destroy();
      return;
    }
    const counted = addressName(remoteAddress);
    const count = counts.get(counted) ?? 0;
    const fault = connectionFault(start, remoteAddress, count);
    if (fault !== undefined) {
      warn({ remote: remoteAddress, reason: fault }, "connection refused");
      socket.destroy();
      return;
    }
    counts.set(counted, count + 1);
    socket.once("close", () => {
      const left = counts.get(counted)! - 1;
      if (left === 0) counts.delete(counted);
      else counts.set(counted, left);
    });
    if (beginHandshake === undefined) {
      accept(socket, { clientCertificates: [], remoteAddress, unixSocket: start.address.kind === "unix" });
    } else {
      handshakes.begin(socket);
      beginHandshake(socket);
    }
  });
  if (beginHandshake === undefined) return;
  const tlsServer = server as TlsServer;
  tlsServer.prependListener("secureConnection", (socket: TLSSocket) => {
    if (socket.destroyed) return;
    const { certificates, sizeBytes } = readClientChain(socket);
    if (!handshakes.isFit(socket, sizeBytes)) {
      socket.destroy();
      return;
    }
    const remoteAddress = plainAddress(socket.remoteAddress);
    accept(socket, { clientCertificates: certificates, remoteAddress, unixSocket: false });
  });
  tlsServer.on("tlsClientError", (fault: Error, socket: TLSSocket) => {
    warn({ remote: plainAddress(socket.remoteAddress), reason: messageOf(fault) }, "no TLS with a client");
    socket.destroy();
  });
}

/** Why a new connection may not stay, where its address has `count` already; undefined when it may. */
export function connectionFault(
  { address, tls, limits }: DoorStart,
  remoteAddress: string | undefined,
  count: number,
): string | undefined {
  if (address.kind === "unix") return undefined;
  // A socket that is gone before it was looked at has no address.
  if (remoteAddress === undefined) return "the client is gone";
  if (tls === undefined && !isLocal({ kind: "tcp", host: remoteAddress, port: 0 }))
    return "plain text from another machine";
  return count >= limits.connectionsPerAddress ? "too many connections of this address" : undefined;
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}
